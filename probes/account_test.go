// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

// TestLoginRefused: after which failures the next login must wait.
func TestLoginRefused(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{xmpp.ErrTimeout, false},
		{&xmpp.AuthError{Condition: "not-authorized"}, true},
		{&xmpp.AuthError{Condition: "account-disabled"}, true},
		{&xmpp.AuthError{Condition: "credentials-expired"}, true},
		{&xmpp.AuthError{Condition: "malformed-request"}, true},
		{&xmpp.AuthError{Condition: "unknown"}, true},
		{&xmpp.AuthError{Condition: "temporary-auth-failure"}, false},
	} {
		if got := LoginRefused(loginFailure(c.err)); got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}
