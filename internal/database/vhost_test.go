// SPDX-License-Identifier: Apache-2.0

package database

import "testing"

func TestServiceLabel(t *testing.T) {
	for _, c := range []struct {
		service string
		vhosts  []string
		want    string
	}{
		{"conference.one.test", []string{"one.test", "two.test"}, "one.test"},
		{"a.b.two.test", []string{"one.test", "two.test"}, "two.test"},
		{"one.test", []string{"one.test", "two.test"}, "one.test"},
		{"muc.sub.one.test", []string{"one.test", "sub.one.test"}, "sub.one.test"},
		{"notone.test", []string{"one.test", "two.test"}, "shared"},
		{"rooms.elsewhere.test", []string{"one.test", "two.test"}, "shared"},
		{"rooms.elsewhere.test", []string{"one.test"}, "one.test"},
		{"rooms.two.test", []string{"one.test", "two.test"}, "one.test"},
		{"rooms.two.test", []string{"two.test", "three.test"}, "two.test"},
		{"rooms.gone.test", []string{"one.test", "two.test"}, "shared"},
		{"conference.bücher.test", []string{"one.test", "xn--bcher-kva.test"}, "xn--bcher-kva.test"},
	} {
		if got := ServiceLabel(c.service, c.vhosts, map[string]string{"rooms.two.test": "one.test", "rooms.gone.test": ""}); got != c.want {
			t.Errorf("%s among %v: %s, want %s", c.service, c.vhosts, got, c.want)
		}
	}
}

// Rows name vhosts as ejabberd writes them, in Unicode.
func TestVhostLabel(t *testing.T) {
	both := []string{"one.test", "xn--bcher-kva.test"}
	for _, c := range []struct {
		schema Schema
		vhosts []string
		host   string
		want   string
	}{
		{Schema{MultiHost: true}, both, "one.test", "one.test"},
		{Schema{MultiHost: true}, both, "bücher.test", "xn--bcher-kva.test"},
		{Schema{}, both, "", "shared"},
		{Schema{}, both[1:], "", "xn--bcher-kva.test"},
	} {
		conn := &Conn{Schema: c.schema, Target: &Target{Vhosts: c.vhosts}}
		if got := conn.VhostLabel(c.host); got != c.want {
			t.Errorf("%+v, %v, row of %q: %s, want %s", c.schema, c.vhosts, c.host, got, c.want)
		}
	}
}
