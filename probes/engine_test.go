// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/chapril/ejabberd_exporter/internal/dns"
	"github.com/chapril/ejabberd_exporter/internal/xmpp"
	"github.com/chapril/ejabberd_exporter/internal/xmpp/xmpptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patchy is a resolver that is silent about direct TLS.
type patchy struct{ port uint16 }

func (p patchy) SRV(ctx context.Context, service, _, _ string) ([]dns.SRV, error) {
	if service == xmppsClient.name {
		<-ctx.Done()
		return nil, dns.ErrTimeout
	}
	return []dns.SRV{{Target: "xmpp.example.org", Port: p.port}}, nil
}

func (p patchy) Addresses(context.Context, string, bool) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

// TestPatchyResolver: silence about one name leaves time for what the others say.
func TestPatchyResolver(t *testing.T) {
	t.Parallel()
	server := xmpptest.Serve(t, "127.0.0.1:0", xmpptest.Open(xmpptest.Header(xmpp.Client, "example.org"), xmpptest.StreamError("host-unknown", "")))
	e := &engine{resolver: patchy{server.Addr.Port()}, route: hasRoute, endpointSettings: endpointSettings{only4: true}}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	found := e.survey(ctx, "example.org", []service{xmppClient, xmppsClient})
	if ctx.Err() != nil {
		t.Error("the survey came too late")
	}
	if len(found.faults) != 1 || found.faults[0].Reason != Timeout || found.faults[0].subject != "SRV _xmpps-client._tcp.example.org" {
		t.Errorf("faults %+v", found.faults)
	}
	if len(found.visits) != 1 || found.visits[0].failure == nil || found.visits[0].failure.Reason != StreamError {
		t.Errorf("visits %+v", found.visits)
	}
}

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

// TestNothingToVisit: who looked at nothing does not call it well.
func TestNothingToVisit(t *testing.T) {
	out := NewReport()
	(&survey{}).fill(out, func(*visit) string { return "" })
	if out.Worst() != Unknown {
		t.Errorf("%v %+v", out.Worst(), out.Notes)
	}
}

// TestNoRoute: a family that this machine cannot reach says nothing about the service, and UNKNOWN if there is nothing else.
func TestNoRoute(t *testing.T) {
	e := &engine{route: func(a netip.Addr) bool { return a.Is4() }}
	visitOf := func(addr string) *visit {
		a := netip.MustParseAddr(addr)
		at := endpoint{target: target{xmppClient, "xmpp.example.org", 5222}, domain: "example.org", family: ip6, addr: a}
		if a.Is4() {
			at.family = ip4
			return &visit{endpoint: at, before: &xmpp.Features{}, took: map[string]time.Duration{Connect: time.Second}}
		}
		return e.visit(t.Context(), at)
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
