// SPDX-License-Identifier: Apache-2.0

package situations

import (
	"crypto/tls"
	"strings"
	"time"

	. "github.com/chapril/ejabberd_exporter/internal/xmpp/xmpptest"
)

// hostile is what no server would say that means well.
func hostile() []situation {
	after := func(steps ...Step) func(*stage) {
		return func(s *stage) { s.serve(Join(Answering(s.domain), Script(steps), Script{BlackHole()})) }
	}
	inTLS := func(steps ...Step) func(*stage) {
		return func(s *stage) {
			s.serve(Join(Answering(s.domain, Features(StartTLSRequired)), Upgrade(s.good()), Answering(s.domain), Script(steps), Script{BlackHole()}))
		}
	}
	garbage := func(text string) func(*stage) {
		return func(s *stage) {
			s.serve(Join(Answering(s.domain, Features(StartTLSRequired)), Script{Expect("<starttls"), Expect(">"), Send(Proceed), Expect("\x16\x03"), Send(text), BlackHole()}))
		}
	}
	const bomb = "<!DOCTYPE a [<!ENTITY b 'lol'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]>"
	const plugins, open, encrypted = "c2s s2s cert login", "stream/protocol", "features/protocol"
	return []situation{
		{"endless white space", after(Endless(" ")), []verdict{
			{plugins, "", critical, open, "more than 64 KiB before TLS"},
		}},
		{"endless white space in TLS", inTLS(Endless(" ")), []verdict{
			{"c2s s2s login", "", critical, encrypted, "more than 256 KiB at once"},
		}},
		{"an endless stream of elements in TLS", inTLS(Send("<stream:features>"), Endless("<a/>")), []verdict{
			{"c2s s2s login", "", critical, encrypted, "more than 256 KiB at once"},
		}},
		{"a feature of 100 MB", after(Send("<stream:features><a>"), Flood("a", 100<<20), Send("</a></stream:features>")), []verdict{
			{plugins, "", critical, open, "more than 64 KiB before TLS"},
		}},
		{"a feature of 100 MB in TLS", inTLS(Send("<stream:features><a>"), Flood("a", 100<<20), Send("</a></stream:features>")), []verdict{
			{"c2s s2s login", "", critical, encrypted, "more than 256 KiB at once"},
		}},
		{"an attribute of 100 MB in TLS", inTLS(Send("<stream:features a='"), Flood("a", 100<<20), Send("'/>")), []verdict{
			{"c2s s2s login", "", critical, encrypted, "more than 256 KiB at once"},
		}},
		{"a stream header without end", func(s *stage) {
			s.serve(Script{Expect(">"), Send("<stream:stream "), Endless("a='b' ")})
		}, []verdict{
			{plugins, "", critical, open, "more than 64 KiB before TLS"},
		}},
		{"deep XML", after(Endless("<a>")), []verdict{
			{plugins, "", critical, open, "more than 32 elements inside each other"},
		}},
		{"a document type, with a bomb", func(s *stage) {
			s.serve(Script{Expect(">"), Send("<?xml version='1.0'?>" + bomb + Header("jabber:client", s.domain)), BlackHole()})
		}, []verdict{
			{plugins, "", critical, open, "document type definition"},
		}},
		{"an entity that nobody declared", after(Send("<stream:features>&lol;</stream:features>")), []verdict{
			{plugins, "", critical, open, "invalid character entity &lol;"},
		}},
		{"invalid UTF-8", after(Send("<stream:features>\xff\xfe</stream:features>")), []verdict{
			{plugins, "", critical, open, "invalid UTF-8"},
		}},
		{"a comment", after(Send("<!-- hello -->")), []verdict{
			{plugins, "", critical, open, "comment"},
		}},
		{"tags that do not match", after(Send("<stream:features></features>")), []verdict{
			{plugins, "", critical, open, "stream: not an XMPP stream: "},
		}},
		{"a mail server", func(s *stage) { s.serve(Script{Send("220 mail.example.org ESMTP\r\n"), BlackHole()}) }, []verdict{
			{plugins, "", critical, open, "the peer does not speak XML"},
		}},
		{"a web server", func(s *stage) {
			s.serve(Script{Expect(">"), Send("HTTP/1.1 400 Bad Request\r\n\r\n<html>Bad Request</html>")})
		}, []verdict{
			{plugins, "", critical, open, "the peer does not speak XML"},
		}},
		{"a web page", func(s *stage) { s.serve(Script{Expect(">"), Send("<html><body>It works!</body></html>")}) }, []verdict{
			{plugins, "", critical, open, "it begins with <html>"},
		}},
		{"a direct TLS port where STARTTLS is expected", func(s *stage) {
			s.serve(Script{Expect(">"), Send("\x15\x03\x01\x00\x02\x02\x46")}) // an alert, as OpenSSL answers to XML
		}, []verdict{
			{plugins, "", critical, open, "this is a direct TLS port"},
		}},
		{"a STARTTLS port where direct TLS is expected", func(s *stage) {
			s.serve(Script{Expect("\x16\x03"), Send(Header("jabber:client", s.domain) + StreamError("not-well-formed", ""))})
		}, []verdict{
			{"c2s s2s", "--direct-tls", critical, "handshake/protocol", "first record does not look like a TLS handshake"},
		}},
		{"garbage instead of TLS", garbage("hello?"), []verdict{
			{plugins, "", critical, "handshake/protocol", "first record does not look like a TLS handshake"},
		}},
		{"TLS records that are too long", garbage("\x16\x03\x03\xff\xff" + strings.Repeat("a", 70<<10)), []verdict{
			{plugins, "", critical, "handshake/protocol", "oversized record"},
		}},
		{"a handshake without end", func(s *stage) {
			s.serve(Join(Answering(s.domain, Features(StartTLSRequired)), Script{
				Expect("<starttls"), Expect(">"), Send(Proceed), Expect("\x16\x03"),
				Endless("\x16\x03\x03\x40\x00\x0b\xff\xff\xff" + strings.Repeat("a", 0x4000-4)),
			}))
		}, []verdict{
			{plugins, "", critical, "handshake/tls_alert", "handshake: "},
		}},
		{"a chain of 1000 certificates", func(s *stage) {
			config := s.good()
			for range 1000 {
				config.Certificates[0].Certificate = append(config.Certificates[0].Certificate, config.Certificates[0].Certificate[1])
			}
			s.serve(Server(s.domain, config))
		}, []verdict{
			{"c2s s2s cert", "", critical, "handshake/tls_alert", "handshake: "},
		}},
		{"bytes in clear behind the answer to STARTTLS", func(s *stage) {
			s.serve(Join(Answering(s.domain, Features(StartTLSRequired)), Script{Expect("<starttls"), Expect(">"), Send(Proceed + "<injected/>"), BlackHole()}))
		}, []verdict{
			{plugins, "", critical, "starttls/protocol", "more bytes in clear after STARTTLS was agreed on"},
		}},
		{"in fragments of one byte", func(s *stage) {
			in := func(text string) Script {
				return Script{Expect("<stream:stream"), Expect(">"), Fragments(text, time.Millisecond)}
			}
			header := Header("jabber:client", s.domain)
			s.serve(Join(in(header+Features(StartTLSRequired)), Upgrade(s.good()), in(header+Features(Mechanisms("SCRAM-SHA-1"))), Goodbye()))
		}, []verdict{
			{"c2s", "", ok, "", "1 endpoint, worst certificate 60 days"},
		}},
		{"a compliant peer that only speaks TLS 1.1", func(s *stage) {
			config := s.good()
			config.MinVersion, config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
			s.serve(Server(s.domain, config))
		}, []verdict{
			{plugins, "", critical, "handshake/tls_alert", "protocol version"},
		}},
	}
}
