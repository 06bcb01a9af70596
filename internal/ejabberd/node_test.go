// SPDX-License-Identifier: Apache-2.0

package ejabberd

import (
	"strings"
	"testing"
)

// Erlang puts names in quotes when they hold a dot or a hyphen, as those of most machines do.
func TestNodeInStatus(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"ejabberd@localhost", "localhost"},
		{"'ejabberd@xmpp.example.org'", "xmpp.example.org"},
		{"'ejabberd@node-a'", "node-a"},
	} {
		got, err := readStatus(strings.NewReader(`"The node ` + c.name + ` is started. Status: startedejabberd 23.01-1 is running in that node"`))
		if err != nil || got.node != c.want || got.version != "23.01-1" {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}
