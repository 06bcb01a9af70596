// SPDX-License-Identifier: Apache-2.0

package situations

import (
	. "github.com/chapril/ejabberd_exporter/internal/xmpp/xmpptest"
)

// streams is what a server may say that speaks XMPP.
func streams() []situation {
	says := func(text string) func(*stage) {
		return func(s *stage) { s.serve(Answering(s.domain, text)) }
	}
	// offers is a session with these features before and after TLS.
	offers := func(before, after string) func(*stage) {
		return func(s *stage) {
			s.serve(Join(Answering(s.domain, Features(before)), Upgrade(s.good()), Answering(s.domain, Features(after)), Goodbye()))
		}
	}
	scram, plain := Mechanisms("SCRAM-SHA-256", "SCRAM-SHA-1"), Mechanisms("PLAIN")
	const ended = "stream/stream_error"
	return []situation{
		{"host-unknown", says(StreamError("host-unknown", "")), []verdict{
			{"c2s s2s cert login", "", critical, ended, "stream: stream error host-unknown"},
		}},
		{"host-unknown in TLS", func(s *stage) {
			s.serve(Join(Answering(s.domain, Features(StartTLSRequired)), Upgrade(s.good()), Answering(s.domain, StreamError("host-unknown", ""))))
		}, []verdict{
			{"c2s s2s", "", critical, "features/stream_error", "features: stream error host-unknown"},
		}},
		{"system-shutdown", says(StreamError("system-shutdown", "")), []verdict{
			{"c2s s2s cert login", "", critical, ended, "stream: stream error system-shutdown"},
		}},
		{"see-other-host", says(StreamError("see-other-host", "")), []verdict{
			{"c2s s2s cert", "", critical, ended, "stream: stream error see-other-host"},
		}},
		{"the address is banned", says(StreamError("policy-violation", "Too many (20) failed authentications from this IP address (192.0.2.1).")), []verdict{
			{"login echo upload register", "", critical, ended, "stream: banned: the server refuses the address of this machine"},
		}},
		{"an error with a text that would break the line", says(StreamError("system-shutdown", "bye | now\n\x7f OK")), []verdict{
			{"c2s s2s cert", "", critical, ended, "stream: stream error system-shutdown (bye now OK)"},
		}},
		{"PLAIN in clear", offers(StartTLSRequired+plain, scram), []verdict{
			{"c2s", "", critical, "stream/mechanism", "stream: PLAIN is offered before TLS: passwords travel in clear"},
		}},
		{"STARTTLS is not offered", says(Features(scram)), []verdict{
			{"c2s s2s cert login", "", critical, "starttls/starttls_missing", "starttls: STARTTLS is not offered"},
		}},
		{"STARTTLS is not required", offers(StartTLSOptional, scram), []verdict{
			{"c2s", "", critical, "starttls/starttls_missing", "starttls: STARTTLS is offered but not required"},
			{"c2s", "--starttls offered", ok, "", "1 endpoint"},
		}},
		{"STARTTLS is refused", func(s *stage) {
			s.serve(Join(Answering(s.domain, Features(StartTLSRequired)),
				Script{Expect("<starttls"), Send("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>")}))
		}, []verdict{
			{"c2s s2s cert", "", critical, "starttls/starttls_missing", "starttls: the peer refused STARTTLS"},
		}},
		{"STARTTLS is answered with something else", func(s *stage) {
			s.serve(Join(Answering(s.domain, Features(StartTLSRequired)), Script{Expect("<starttls"), Send("<message/>"), BlackHole()}))
		}, []verdict{
			{"c2s s2s cert", "", critical, "starttls/protocol", "starttls: not an XMPP stream: <message> as the answer to STARTTLS"},
		}},
		{"no mechanism", offers(StartTLSRequired, ""), []verdict{
			{"c2s", "", critical, "features/mechanism", "features: no SASL mechanism is offered: nobody can log in"},
		}},
		{"a mechanism that should not be", offers(StartTLSRequired, Mechanisms("SCRAM-SHA-1", "PLAIN")), []verdict{
			{"c2s", "", ok, "", "1 endpoint"},
			{"c2s", "--forbid-mech PLAIN", critical, "features/mechanism", "features: PLAIN is offered"},
			{"c2s", "--require-mech SCRAM-SHA-256", critical, "features/mechanism", "features: SCRAM-SHA-256 is not offered"},
		}},
		{"a server for clients where servers connect", func(s *stage) {
			s.serve(Open(Header("jabber:client", s.domain), Features(StartTLSRequired)))
		}, []verdict{
			{"s2s", "", critical, "stream/protocol", `its namespace is "jabber:client" instead of jabber:server`},
		}},
		{"no dialback", func(s *stage) {
			header := "<?xml version='1.0'?><stream:stream id='1' version='1.0' xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:server'>"
			s.serve(Join(Open(header, Features(StartTLSRequired)), Upgrade(s.good()), Open(header, Features()), Goodbye()))
		}, []verdict{
			{"s2s", "", critical, "features/mechanism", "features: neither dialback nor EXTERNAL is offered"},
		}},
		{"a server that wants a certificate of servers", func(s *stage) {
			s.serve(Join(Answering(s.domain, Features(StartTLSRequired)), Upgrade(s.good()), Answering(s.domain, StreamError("not-authorized", ""))))
		}, []verdict{
			{"s2s", "", ok, "", "1 endpoint"},
		}},
	}
}
