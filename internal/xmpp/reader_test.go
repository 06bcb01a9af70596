// SPDX-License-Identifier: Apache-2.0

package xmpp

import (
	"io"
	"strings"
	"testing"
)

// endless repeats a text for ever and counts how much of it was taken.
type endless struct {
	text  string
	taken int
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.text[(e.taken+i)%len(e.text)]
	}
	e.taken += len(p)
	return len(p), nil
}

// TestBounds: whatever comes without end, in clear or encrypted, no more than one element of it is ever read.
func TestBounds(t *testing.T) {
	const header = "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client'>"
	for name, c := range map[string]struct {
		begin, forever string
		total          int64
		want           string
		most           int
	}{
		"text":       {"<a>", "aaaa", unlimited, "more than 256 KiB at once", maxStanza},
		"whitespace": {"", " \n", unlimited, "more than 256 KiB at once", maxStanza},
		"children":   {"<a>", "<b/>", unlimited, "more than 256 KiB at once", maxStanza},
		"attributes": {"<a ", "a='b' ", unlimited, "more than 256 KiB at once", maxStanza},
		"a name":     {"<", "a", unlimited, "more than 256 KiB at once", maxStanza},
		"a comment":  {"<!--", "a", unlimited, "more than 256 KiB at once", maxStanza},
		"depth":      {"", "<a>", unlimited, "more than 32 elements inside each other", 4096},
		"in clear":   {"<a>", "aaaa", maxClear, "more than 64 KiB before TLS", maxClear},
	} {
		t.Run(name, func(t *testing.T) {
			peer := &endless{text: c.forever}
			r := newReader(io.MultiReader(strings.NewReader(header+c.begin), peer), c.total)
			r.restart()
			if _, err := r.open(); err != nil {
				t.Fatal(err)
			}
			if _, err := r.next(); err == nil || err.Error() != ErrMalformed.Error()+": "+c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if peer.taken > c.most+4096 {
				t.Errorf("%d bytes were read", peer.taken)
			}
		})
	}
}
