// SPDX-License-Identifier: Apache-2.0

package situations

import (
	"time"

	. "github.com/chapril/ejabberd_exporter/internal/xmpp/xmpptest"
)

const everyStream = "c2s s2s cert login echo register upload"

// network is what happens below XMPP.
func network() []situation {
	return []situation{
		{"nobody listens", func(s *stage) { s.addr = Unused(s, "127.0.0.1") }, []verdict{
			{everyStream + " web", "", critical, "connect/refused", "connect: connection refused"},
		}},
		{"a black hole", func(s *stage) { s.addr = Backlog(s) }, []verdict{
			{everyStream + " web", "-t 1", critical, "connect/timeout", "connect: no answer in time"},
			{"c2s", "-t 1 --timeout-state unknown", unknown, "connect/timeout", "connect: no answer in time"},
		}},
		{"reset once", func(s *stage) {
			s.serve(Script{Expect(">"), Reset()}, Server(s.domain, s.good()))
		}, []verdict{
			{"c2s s2s cert", "", ok, "", "1 endpoint"},
		}},
		{"reset each time", func(s *stage) { s.serve(Script{Expect(">"), Reset()}) }, []verdict{
			{"c2s s2s cert login", "", critical, "stream/closed", "stream: connection reset by peer"},
		}},
		{"150 ms of latency", func(s *stage) {
			s.serve(Join(Script{Latency(150 * time.Millisecond)}, Server(s.domain, s.good())))
		}, []verdict{
			{"c2s s2s cert", "", ok, "", "1 endpoint"},
			{"c2s s2s", "-w 0.2", warning, "", "time "},
			{"c2s s2s", "-c 0.2", critical, "", "time "},
		}},
		{"one byte a second", func(s *stage) {
			s.serve(Join(Script{Expect(">"), Fragments(Header("jabber:client", s.domain), time.Second)}))
		}, []verdict{
			{everyStream, "-t 2", critical, "stream/timeout", "stream: no answer in time"},
		}},
	}
}

// steps are the points of a healthy dialogue at which something may stop, and what is said then.
var steps = []struct {
	name  string // after which
	phase string
	done  func(*stage) Script
}{
	{"the connection", "stream", func(*stage) Script { return nil }},
	{"the stream header", "stream", func(s *stage) Script { return Answering(s.domain) }},
	{"half of the features", "stream", func(s *stage) Script { return Answering(s.domain, "<stream:features><starttls") }},
	{"the features", "starttls", func(s *stage) Script {
		return Join(Answering(s.domain, Features(StartTLSRequired)), Script{Expect("<starttls")})
	}},
	{"proceed", "handshake", func(s *stage) Script {
		return Join(Answering(s.domain, Features(StartTLSRequired)), Script{Expect("<starttls"), Expect(">"), Send(Proceed)})
	}},
	{"the handshake", "features", func(s *stage) Script {
		return Join(Answering(s.domain, Features(StartTLSRequired)), Upgrade(s.good()))
	}},
	{"the stream header in TLS", "features", func(s *stage) Script {
		return Join(Answering(s.domain, Features(StartTLSRequired)), Upgrade(s.good()), Answering(s.domain))
	}},
}

// silence is a peer that says nothing more, from some point on.
func silence() []situation {
	var list []situation
	for _, step := range steps {
		list = append(list, situation{"silence after " + step.name, func(s *stage) {
			s.serve(Join(step.done(s), Script{BlackHole()}))
		}, []verdict{
			{"c2s s2s cert", "-t 1", critical, step.phase + "/timeout", step.phase + ": no answer in time"},
		}})
	}
	return append(list, situation{"silence on a direct TLS port", func(s *stage) { s.serve(Script{BlackHole()}) }, []verdict{
		{"c2s s2s", "-t 1 --direct-tls", critical, "handshake/timeout", "handshake: no answer in time"},
		{"web", "-t 1", critical, "handshake/timeout", "handshake: no answer in time"},
	}})
}

// closing is a peer that closes the connection, at each step.
func closing() []situation {
	var list []situation
	for _, step := range steps {
		list = append(list, situation{"closed after " + step.name, func(s *stage) {
			s.serve(Join(step.done(s), Script{HangUp()}))
		}, []verdict{
			{"c2s s2s cert", "", critical, step.phase + "/closed", step.phase + ": the peer closed the connection"},
		}})
	}
	return append(list, situation{"the stream is closed in order", func(s *stage) {
		s.serve(Answering(s.domain, "</stream:stream>"))
	}, []verdict{
		{"c2s s2s cert", "", critical, "stream/closed", "stream: the peer closed the stream"},
	}})
}
