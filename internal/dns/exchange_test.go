// SPDX-License-Identifier: Apache-2.0

package dns_test

import (
	"fmt"
	"slices"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/chapril/ejabberd_exporter/internal/dns"
)

var genuine = address("x.example.org.", 60, [4]byte{192, 0, 2, 1})

func TestForgedAnswersAreIgnored(t *testing.T) {
	forged := address("x.example.org.", 60, [4]byte{6, 6, 6, 6})
	_, r := serve(t, func(q dnsmessage.Message, _ string) [][]byte {
		forge := func(change func(*dnsmessage.Message)) []byte { return reply(q, change, forged) }
		otherName := q.Questions[0]
		otherName.Name = dnsmessage.MustNewName("y.example.org.")
		otherType := q.Questions[0]
		otherType.Type = dnsmessage.TypeAAAA
		return [][]byte{
			[]byte("no DNS at all"),
			make([]byte, 4096),
			forge(func(m *dnsmessage.Message) { m.ID++ }),
			forge(func(m *dnsmessage.Message) { m.Response = false }),
			forge(func(m *dnsmessage.Message) { m.OpCode = 4 }),
			forge(func(m *dnsmessage.Message) { m.Questions = nil }),
			forge(func(m *dnsmessage.Message) { m.Questions = []dnsmessage.Question{otherName} }),
			forge(func(m *dnsmessage.Message) { m.Questions = []dnsmessage.Question{otherType} }),
			forge(func(m *dnsmessage.Message) { m.Questions = append(slices.Clone(q.Questions), otherName) }),
			reply(q, nil, genuine),
		}
	})
	got, err := r.Addresses(t.Context(), "x.example.org", false)
	if err != nil || netipText(got) != "[192.0.2.1]" {
		t.Errorf("got %v, %v, want the genuine address", got, err)
	}
}

func TestTruncatedGoesToTCP(t *testing.T) {
	var many []dnsmessage.Resource
	for i := range 200 {
		many = append(many, address("x.example.org.", 60, [4]byte{192, 0, 2, byte(i)}))
	}
	s, r := serve(t, func(q dnsmessage.Message, transport string) [][]byte {
		if transport == "udp" {
			return [][]byte{reply(q, func(m *dnsmessage.Message) { m.Truncated = true }, many[:3]...)}
		}
		return [][]byte{reply(q, nil, many...)}
	})
	got, err := r.Addresses(t.Context(), "x.example.org", false)
	if err != nil || len(got) != 200 {
		t.Errorf("got %d addresses, %v, want 200", len(got), err)
	}
	want := []string{"udp TypeA x.example.org.", "tcp TypeA x.example.org."}
	if asked := s.questions(); !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}
}

func TestLostDatagramIsSentAgain(t *testing.T) {
	lost := false // touched by the server's one UDP goroutine alone
	s, r := serve(t, func(q dnsmessage.Message, _ string) [][]byte {
		if !lost {
			lost = true
			return nil
		}
		return [][]byte{reply(q, nil, genuine)}
	})
	if _, err := r.Addresses(t.Context(), "x.example.org", false); err != nil {
		t.Error(err)
	}
	if asked := s.questions(); len(asked) != 2 {
		t.Errorf("asked %q, want two", asked)
	}
}

func TestCachedForItsTTL(t *testing.T) {
	soa := record("example.org.", 3600, &dnsmessage.SOAResource{
		NS: dnsmessage.MustNewName("ns.example.org."), MBox: dnsmessage.MustNewName("root.example.org."), MinTTL: 30,
	})
	for name, c := range map[string]struct {
		answer zone
		asked  int
	}{
		"kept":              {always(genuine), 1},
		"TTL 0":             {always(address("x.example.org.", 0, [4]byte{192, 0, 2, 1})), 2},
		"TTL below 0":       {always(address("x.example.org.", 1<<31, [4]byte{192, 0, 2, 1})), 2},
		"negative":          {failing(dnsmessage.RCodeNameError, soa), 1},
		"no data":           {failing(dnsmessage.RCodeSuccess, soa), 1},
		"negative, no SOA":  {failing(dnsmessage.RCodeNameError), 2},
		"failures are not":  {failing(dnsmessage.RCodeServerFailure), 2},
		"refusals are not":  {failing(dnsmessage.RCodeRefused), 2},
		"other names' TTLs": {always(genuine, address("y.example.org.", 0, [4]byte{192, 0, 2, 1})), 1},
	} {
		t.Run(name, func(t *testing.T) {
			s, r := serve(t, c.answer)
			first, firstErr := r.Addresses(t.Context(), "x.example.org", false)
			again, againErr := r.Addresses(t.Context(), "X.example.org.", false)
			if !slices.Equal(first, again) || fmt.Sprint(firstErr) != fmt.Sprint(againErr) {
				t.Errorf("first %v, %v; then %v, %v", first, firstErr, again, againErr)
			}
			if asked := s.questions(); len(asked) != c.asked {
				t.Errorf("asked %d times, want %d", len(asked), c.asked)
			}
		})
	}
}

func TestNextResolverAnswers(t *testing.T) {
	silent, _ := serve(t, func(dnsmessage.Message, string) [][]byte { return nil })
	broken, _ := serve(t, failing(dnsmessage.RCodeServerFailure))
	good, _ := serve(t, always(genuine))
	got, err := dns.Asking(silent.addr, broken.addr, good.addr).Addresses(t.Context(), "x.example.org", false)
	if err != nil || netipText(got) != "[192.0.2.1]" {
		t.Errorf("got %v, %v, want the good resolver's answer", got, err)
	}
	if asked := broken.questions(); len(asked) != 1 {
		t.Errorf("asked the broken resolver %d times", len(asked))
	}
}
