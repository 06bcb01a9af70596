// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"fmt"
)

// Account is one that exists on a server.
type Account struct {
	User, Domain, Password string
}

// password is everybody's.
const password = "secret-" + Canary

// JID is the bare address.
func (a Account) JID() string { return a.User + "@" + a.Domain }

// Register makes an account.
func (e *Ejabberd) Register(ctx context.Context, a Account) error {
	arguments := map[string]any{"user": a.User, "host": a.Domain, "password": a.Password}
	if err := e.Call(ctx, "register", arguments, nil); err != nil {
		return fmt.Errorf("register an account: %w", err)
	}
	return nil
}
