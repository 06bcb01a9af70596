// SPDX-License-Identifier: Apache-2.0

package dns_test

import (
	"errors"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/chapril/ejabberd_exporter/internal/dns"
)

func TestSRVSorted(t *testing.T) {
	_, r := serve(t, always(
		srv(300, 20, 0, 5222, "backup.example.org."),
		srv(300, 10, 10, 5222, "small.example.org."),
		srv(120, 10, 90, 5223, "BIG.example.org."),
	))
	got, err := r.SRV(t.Context(), "xmpp-client", "tcp", "Example.ORG.")
	if err != nil {
		t.Fatal(err)
	}
	want := []dns.SRV{
		{Target: "BIG.example.org", Port: 5223, Priority: 10, Weight: 90, TTL: 2 * time.Minute},
		{Target: "small.example.org", Port: 5222, Priority: 10, Weight: 10, TTL: 5 * time.Minute},
		{Target: "backup.example.org", Port: 5222, Priority: 20, TTL: 5 * time.Minute},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestSRVNotProvided(t *testing.T) {
	_, r := serve(t, always(srv(60, 0, 0, 0, ".")))
	got, err := r.SRV(t.Context(), "xmpp-client", "tcp", "example.org")
	if err != nil || len(got) != 1 || got[0].Target != "." {
		t.Errorf("got %+v, %v, want the target .", got, err)
	}
}

func TestAddresses(t *testing.T) {
	six := netip.MustParseAddr("2001:db8::1").As16()
	_, r := serve(t, func(q dnsmessage.Message, _ string) [][]byte {
		if q.Questions[0].Type == dnsmessage.TypeAAAA {
			return [][]byte{reply(q, nil, record("x.example.org.", 60, &dnsmessage.AAAAResource{AAAA: six}))}
		}
		return [][]byte{reply(q, nil,
			alias("x.example.org.", "y.example.org."), alias("Y.example.org.", "z.example.net."),
			address("z.example.net.", 60, [4]byte{192, 0, 2, 9}), address("z.example.net.", 60, [4]byte{192, 0, 2, 1}),
			address("z.example.net.", 60, [4]byte{192, 0, 2, 1}), address("forged.example.org.", 60, [4]byte{6, 6, 6, 6}),
		)}
	})
	for _, c := range []struct {
		host string
		ip6  bool
		want string
	}{
		{"x.example.org", false, "[192.0.2.1 192.0.2.9]"},
		{"x.example.org", true, "[2001:db8::1]"},
		{"192.0.2.77", false, "[192.0.2.77]"},
		{"2001:db8::7", true, "[2001:db8::7]"},
	} {
		got, err := r.Addresses(t.Context(), c.host, c.ip6)
		if err != nil {
			t.Fatal(err)
		}
		if text := netipText(got); text != c.want {
			t.Errorf("%s: got %s, want %s", c.host, text, c.want)
		}
	}
	if _, err := r.Addresses(t.Context(), "192.0.2.77", true); !errors.Is(err, dns.ErrNotFound) {
		t.Errorf("IPv6 of an IPv4 address: got %v, want not found", err)
	}
}

func TestTXTAndCNAME(t *testing.T) {
	_, r := serve(t, func(q dnsmessage.Message, _ string) [][]byte {
		if q.Questions[0].Type == dnsmessage.TypeCNAME {
			return [][]byte{reply(q, nil, alias("muc.example.org.", "xmpp.example.org."))}
		}
		return [][]byte{reply(q, nil,
			record("_xmppconnect.example.org.", 60, &dnsmessage.TXTResource{TXT: []string{"_xmpp-client-websocket=", "wss://x"}}),
			record("_xmppconnect.example.org.", 60, &dnsmessage.TXTResource{TXT: []string{"a=1"}}))}
	})
	texts, err := r.TXT(t.Context(), "_xmppconnect.example.org")
	if want := []string{"_xmpp-client-websocket=wss://x", "a=1"}; err != nil || !reflect.DeepEqual(texts, want) {
		t.Errorf("TXT: got %q, %v, want %q", texts, err, want)
	}
	if name, err := r.CNAME(t.Context(), "muc.example.org"); err != nil || name != "xmpp.example.org" {
		t.Errorf("CNAME: got %q, %v", name, err)
	}
}

func netipText(addrs []netip.Addr) string {
	text := "["
	for i, a := range addrs {
		if i > 0 {
			text += " "
		}
		text += a.String()
	}
	return text + "]"
}

func TestNew(t *testing.T) {
	for _, good := range []string{"", "192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:53", "localhost:53", "localhost"} {
		if _, err := dns.New(good); err != nil {
			t.Errorf("New(%q): %v", good, err)
		}
	}
	for _, bad := range []string{":53", "192.0.2.53:", "a:b:c"} {
		if _, err := dns.New(bad); err == nil {
			t.Errorf("New(%q) is accepted", bad)
		}
	}
}
