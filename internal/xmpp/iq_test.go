// SPDX-License-Identifier: Apache-2.0

package xmpp_test

import (
	"errors"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/xmpp"
	. "github.com/chapril/ejabberd_exporter/internal/xmpp/xmpptest"
)

// TestIQ: the answer to the question that was asked, whatever else arrives before it.
func TestIQ(t *testing.T) {
	for name, c := range map[string]struct{ answer, want string }{
		"result":          {"<iq type='result' id='q1'><ok xmlns='x'/></iq>", ""},
		"others before":   {"<message/><iq type='result' id='q9'/><iq type='get' id='q1'/><iq type='result' id='q1'><ok xmlns='x'/></iq>", ""},
		"refused":         {"<iq type='error' id='q1'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>", "answered item-not-found"},
		"refused, why":    {"<iq type='error' id='q1'><error><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>not|here</text><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>", "answered forbidden (not here)"},
		"refused, no why": {"<iq type='error' id='q1'/>", "answered undefined-condition"},
		"stream ends":     {StreamError("system-shutdown", ""), "stream error system-shutdown"},
	} {
		t.Run(name, func(t *testing.T) {
			s := dial(t, Join(Open(Header(xmpp.Client, domain)), Script{Expect("<iq type='get' id='q1' to='a&amp;b'><x/></iq>"), Send(c.answer)}))
			if _, err := s.Open(soon(t), clientHeader); err != nil {
				t.Fatal(err)
			}
			answer, err := s.IQ(soon(t), "get", "a&b", "<x/>")
			switch {
			case c.want == "" && (err != nil || answer.Child("x", "ok") == nil):
				t.Errorf("got %+v, %v", answer, err)
			case c.want != "" && (err == nil || err.Error() != c.want):
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// TestJoin: the handshake of a component, the digest of id and secret.
func TestJoin(t *testing.T) {
	const header = "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:component:accept' from='echo.example.org' id='3BF96D32'>"
	asked := Script{Expect("<stream:stream xmlns='jabber:component:accept'"), Expect(" to='echo.example.org'>"), Send(header)}
	const digest = "aaee83c26aeeafcbabeabfcbcd50df997e0a2a1e"
	for name, c := range map[string]struct {
		answer string
		is     error
	}{
		"welcome":      {"<handshake/>", nil},
		"wrong secret": {StreamError("not-authorized", ""), xmpp.ErrHandshake},
		"other words":  {"<message/>", xmpp.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			s := dial(t, Join(asked, Script{Expect("<handshake>" + digest + "</handshake>"), Send(c.answer)}))
			if err := s.Join(soon(t), "echo.example.org", "test"); !errors.Is(err, c.is) {
				t.Errorf("got %v, want %v", err, c.is)
			}
		})
	}
}
