// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"strings"

	"golang.org/x/net/idna"

	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

// spelled writes a domain, or an address at it, as XMPP does: in Unicode (RFC 7622, 3.2). The DNS and certificates have the ASCII
// form, and so have we; ejabberd knows no host of that name.
func spelled(address string) string {
	if !strings.Contains(address, "xn--") {
		return address
	}
	bare, resource, full := strings.Cut(address, "/")
	at := strings.LastIndexByte(bare, '@') + 1
	domain, err := idna.Punycode.ToUnicode(bare[at:])
	if err != nil {
		return address
	}
	if full {
		resource = "/" + resource
	}
	return bare[:at] + domain + resource
}

// Ask asks whoever the questions say, by their names as we have them.
func (s *session) Ask(ctx context.Context, questions ...*xmpp.Question) {
	for _, q := range questions {
		ours := q.To
		q.To = spelled(ours)
		defer func() { q.To = ours }()
	}
	s.Stream.Ask(ctx, questions...)
}

// IQ asks one question.
func (s *session) IQ(ctx context.Context, kind, to, payload string) (*xmpp.Element, error) {
	return s.Stream.IQ(ctx, kind, spelled(to), payload)
}
