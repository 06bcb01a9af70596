// SPDX-License-Identifier: Apache-2.0

package dns_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/chapril/ejabberd_exporter/internal/dns"
)

// endless is a chain of more aliases than anybody means.
func endless() []dnsmessage.Resource {
	var all []dnsmessage.Resource
	for i := range 20 {
		name := func(i int) string {
			if i == 0 {
				return "x.example.org."
			}
			return strings.Repeat("a", i) + ".example.org."
		}
		all = append(all, alias(name(i), name(i+1)))
	}
	return append(all, address(strings.Repeat("a", 20)+".example.org.", 60, [4]byte{192, 0, 2, 1}))
}

func TestFailures(t *testing.T) {
	for name, c := range map[string]struct {
		answer zone
		want   error
		text   string
	}{
		"no such name":    {failing(dnsmessage.RCodeNameError), dns.ErrNotFound, "A x.example.org: not found: no such name"},
		"no such record":  {always(), dns.ErrNotFound, "A x.example.org: not found: no such record"},
		"alias to naught": {always(alias("x.example.org.", "gone.example.org.")), dns.ErrNotFound, "no such record"},
		"other name":      {always(address("other.example.org.", 60, [4]byte{192, 0, 2, 1})), dns.ErrNotFound, "no such record"},
		"servfail":        {failing(dnsmessage.RCodeServerFailure), dns.ErrServerFailure, "A x.example.org: resolver answered SERVFAIL"},
		"refused":         {failing(dnsmessage.RCodeRefused), dns.ErrRefused, "A x.example.org: resolver answered REFUSED"},
		"odd code":        {failing(dnsmessage.RCodeFormatError), dns.ErrMalformed, "response code 1"},
		"alias loop": {
			always(alias("x.example.org.", "y.example.org."), alias("y.example.org.", "x.example.org.")),
			dns.ErrMalformed, "aliases without end",
		},
		"endless aliases": {always(endless()...), dns.ErrMalformed, "aliases without end"},
		"always truncated": {
			func(q dnsmessage.Message, _ string) [][]byte {
				return [][]byte{reply(q, func(m *dnsmessage.Message) { m.Truncated = true })}
			}, dns.ErrMalformed, "truncated over TCP",
		},
		"cut short": {
			func(q dnsmessage.Message, _ string) [][]byte {
				whole := reply(q, nil, address("x.example.org.", 60, [4]byte{192, 0, 2, 1}))
				return [][]byte{whole[:len(whole)-2]}
			}, dns.ErrMalformed, "malformed",
		},
		"compression loop": {
			func(q dnsmessage.Message, _ string) [][]byte {
				whole := reply(q, func(m *dnsmessage.Message) { m.Answers = nil })
				whole[7] = 1 // one answer, whose name points to itself
				at := len(whole)
				return [][]byte{append(whole, 0xc0|byte(at>>8), byte(at), 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 192, 0, 2, 1)}
			}, dns.ErrMalformed, "malformed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, r := serve(t, c.answer)
			_, err := r.Addresses(t.Context(), "x.example.org", false)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v, want %v with %q", err, c.want, c.text)
			}
			if strings.Contains(err.Error(), s.addr) {
				t.Errorf("the error shows the resolver's address: %v", err)
			}
		})
	}
}

func TestTargetThatIsNoHostName(t *testing.T) {
	_, r := serve(t, always(srv(60, 0, 0, 5222, "a|b\n.example.org.")))
	if _, err := r.SRV(t.Context(), "xmpp-client", "tcp", "example.org"); !errors.Is(err, dns.ErrMalformed) {
		t.Errorf("got %v, want a malformed answer", err)
	}
}

func TestNamesThatCannotBeAsked(t *testing.T) {
	s, r := serve(t, always())
	for _, name := range []string{"", ".", "a..b", strings.Repeat("a", 64) + ".org", strings.Repeat("abc.", 80) + "org"} {
		if _, err := r.TXT(t.Context(), name); !errors.Is(err, dns.ErrNotFound) {
			t.Errorf("%q: got %v, want not found", name, err)
		}
	}
	if asked := s.questions(); len(asked) > 0 {
		t.Errorf("asked %v", asked)
	}
}

func TestResolverUnreachable(t *testing.T) {
	free, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.LocalAddr().String()
	free.Close()
	r, err := dns.New(addr)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.TXT(t.Context(), "example.org")
	if !errors.Is(err, dns.ErrUnreachable) || !strings.HasSuffix(err.Error(), "resolver cannot be reached: connection refused") {
		t.Errorf("got %v, want unreachable", err)
	}
}

func TestTimeout(t *testing.T) {
	_, r := serve(t, func(dnsmessage.Message, string) [][]byte { return nil })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := r.TXT(ctx, "example.org")
	if !errors.Is(err, dns.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a timeout", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if _, err = r.TXT(ctx, "example.org"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
}
