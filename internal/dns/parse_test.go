// SPDX-License-Identifier: Apache-2.0

package dns

import (
	"slices"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func TestNameservers(t *testing.T) {
	for text, want := range map[string][]string{
		"":                                       {"127.0.0.1:53"},
		"search example.org\noptions ndots:2\n":  {"127.0.0.1:53"},
		"# nameserver 192.0.2.1\nnameserver\n":   {"127.0.0.1:53"},
		"nameserver 192.0.2.1":                   {"192.0.2.1:53"},
		"nameserver\t2001:db8::53 # office\n":    {"[2001:db8::53]:53"},
		"nameserver fe80::1%eth0\n":              {"[fe80::1%eth0]:53"},
		"nameserver x\r\nnameserver 192.0.2.2\n": {"192.0.2.2:53"},
		"nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n": {
			"192.0.2.1:53", "192.0.2.2:53", "192.0.2.3:53",
		},
	} {
		if got := nameservers(text); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestNegativeAnswersAreKeptAMinuteAtMost(t *testing.T) {
	for _, c := range []struct {
		ttl, minimum uint32
		want         time.Duration
	}{{3600, 30, 30 * time.Second}, {20, 3600, 20 * time.Second}, {3600, 3600, time.Minute}, {0, 3600, 0}} {
		name := dnsmessage.MustNewName("example.org.")
		msg := dnsmessage.Message{Authorities: []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: c.ttl},
			Body:   &dnsmessage.SOAResource{NS: name, MBox: name, MinTTL: c.minimum},
		}}}
		raw, err := msg.Pack()
		if err != nil {
			t.Fatal(err)
		}
		var p dnsmessage.Parser
		h, err := p.Start(raw)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.SkipAllQuestions(); err != nil {
			t.Fatal(err)
		}
		if got := read(p, h, anyQuestion).ttl; got != c.want {
			t.Errorf("SOA with TTL %d and minimum %d: kept for %s, want %s", c.ttl, c.minimum, got, c.want)
		}
	}
}

// FuzzAnswer feeds the parser what a hostile resolver might send.
func FuzzAnswer(f *testing.F) {
	kinds := []dnsmessage.Type{dnsmessage.TypeSRV, dnsmessage.TypeA, dnsmessage.TypeAAAA, dnsmessage.TypeTXT, dnsmessage.TypeCNAME}
	for i, kind := range kinds {
		q, err := pack(question{"x.example.org", kind})
		if err != nil {
			f.Fatal(err)
		}
		q.msg[2] |= 0x80
		f.Add(byte(i), q.msg)
		x := dnsmessage.MustNewName("x.example.org.")
		m := dnsmessage.Message{
			Header:    dnsmessage.Header{ID: q.id, Response: true},
			Questions: []dnsmessage.Question{{Name: x, Type: kind, Class: dnsmessage.ClassINET}},
			Answers: []dnsmessage.Resource{
				{Header: dnsmessage.ResourceHeader{Name: x, Class: dnsmessage.ClassINET}, Body: &dnsmessage.CNAMEResource{CNAME: x}},
				{Header: dnsmessage.ResourceHeader{Name: x, Class: dnsmessage.ClassINET}, Body: &dnsmessage.SRVResource{Target: x}},
				{Header: dnsmessage.ResourceHeader{Name: x, Class: dnsmessage.ClassINET}, Body: &dnsmessage.TXTResource{TXT: []string{"a"}}},
			},
		}
		raw, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(byte(i), raw)
	}
	f.Fuzz(func(t *testing.T, kind byte, msg []byte) {
		q := query{question: question{"x.example.org", kinds[int(kind)%len(kinds)]}}
		if len(msg) >= 2 {
			q.id = uint16(msg[0])<<8 | uint16(msg[1])
		}
		p, h, ok := q.open(msg)
		if !ok {
			return
		}
		a := read(p, h, q.question)
		if (a.err == nil) != (len(a.records) > 0) {
			t.Errorf("%d records with error %v", len(a.records), a.err)
		}
		if a.ttl < 0 || a.ttl > maxPositive {
			t.Errorf("kept for %s", a.ttl)
		}
		for _, rec := range a.records {
			if got := kindOf(rec.body); got != q.kind {
				t.Errorf("asked for %s, got %s", q.kind, got)
			}
		}
	})
}

func kindOf(body dnsmessage.ResourceBody) dnsmessage.Type {
	switch body.(type) {
	case *dnsmessage.SRVResource:
		return dnsmessage.TypeSRV
	case *dnsmessage.AResource:
		return dnsmessage.TypeA
	case *dnsmessage.AAAAResource:
		return dnsmessage.TypeAAAA
	case *dnsmessage.TXTResource:
		return dnsmessage.TypeTXT
	case *dnsmessage.CNAMEResource:
		return dnsmessage.TypeCNAME
	}
	return 0
}
