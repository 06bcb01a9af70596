// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

func TestCouldReach(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"2001:db8::1", "2001:db8::2", true},
		{"fd00::1", "2001:db8::2", false},
		{"fe80::1", "2001:db8::2", false},
		{"fd00::1", "fd00::2", true},
		{"::1", "::1", true},
		{"10.0.0.1", "192.0.2.1", true},
	} {
		if got := couldReach(netip.MustParseAddr(c.from), netip.MustParseAddr(c.to)); got != c.want {
			t.Errorf("%s to %s: %v", c.from, c.to, got)
		}
	}
}

// TestNoRoute: a family that this machine cannot reach says nothing about the service, and UNKNOWN if there is nothing else.
func TestNoRoute(t *testing.T) {
	engine := &engine{
		route:    func(a netip.Addr) bool { return a.Is4() },
		resolver: nil, // addresses are literal
	}
	visitOf := func(addr string) *visit {
		a := netip.MustParseAddr(addr)
		at := endpoint{target: target{xmppClient, "xmpp.example.org", 5222}, domain: "example.org", family: ip6, addr: a}
		if a.Is4() {
			at.family = ip4
			return &visit{endpoint: at, before: &xmpp.Features{}, took: map[string]time.Duration{Connect: time.Second}}
		}
		return engine.visit(t.Context(), at)
	}
	const said = "xmpp.example.org:5222 ip6: not testable from here: this machine has no route to such addresses"
	for _, c := range []struct {
		name   string
		visits []*visit
		state  State
		series int
	}{
		{"nothing else", []*visit{visitOf("2001:db8::1")}, Unknown, 0},
		{"IPv4 works", []*visit{visitOf("2001:db8::1"), visitOf("192.0.2.1")}, OK, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := NewReport()
			(&survey{visits: c.visits}).fill(out, func(*visit) string { return "" })
			if out.Worst() != c.state || len(values(out.Set, endpointSuccess)) != c.series {
				t.Errorf("%v %s", out.Worst(), out.Set.Text())
			}
			found := false
			for _, n := range out.Notes {
				found = found || strings.HasPrefix(n.Subject+": "+n.Text, said)
			}
			if !found {
				t.Errorf("%+v does not say %q", out.Notes, said)
			}
		})
	}
}
