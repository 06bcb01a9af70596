// SPDX-License-Identifier: Apache-2.0

package service

// Account is one that exists on a server.
type Account struct {
	User, Domain, Password string
}

// password is everybody's.
const password = "secret-" + Canary

// JID is the bare address.
func (a Account) JID() string { return a.User + "@" + a.Domain }
