// SPDX-License-Identifier: Apache-2.0

package xmpp

import "errors"

// ErrNoMechanism says that there is no safe way to log in.
var ErrNoMechanism = errors.New("the server offers no SCRAM mechanism, and PLAIN is never used")

// AuthError is the server's refusal to let somebody in.
type AuthError struct {
	Condition string // "not-authorized", "account-disabled" …
	Text      string // what else the server said, cleaned
}

func (e *AuthError) Error() string {
	if e.Text == "" {
		return "login refused: " + e.Condition
	}
	return "login refused: " + e.Condition + " (" + e.Text + ")"
}
