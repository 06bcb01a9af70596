// SPDX-License-Identifier: Apache-2.0

package situations

import (
	"net"
	"strconv"

	"github.com/chapril/ejabberd_exporter/internal/service"
	. "github.com/chapril/ejabberd_exporter/internal/xmpp/xmpptest"
)

// us is the domain that check_xmpp_federation is.
const us = "probe.test"

// federation is what another server may do to us, who are one for the time of a probe.
func federation() []situation {
	// keyed takes our key, on the second visit: the first one only looks.
	keyed := func(then ...Step) func(*stage) {
		return func(s *stage) {
			config := s.good()
			s.serve(Server(s.domain, config), Join(Answering(s.domain, Features(StartTLSRequired)), Upgrade(config), Offer(s.domain),
				Script{Expect("<db:result "), Expect("</db:result>")}, Script(then)))
		}
	}
	result := func(kind, inside string) Step {
		return Send("<db:result from='" + domain + "' to='" + us + "' type='" + kind + "'>" + inside + "</db:result>")
	}
	dialback := func(flags, failure, says string) []verdict {
		return []verdict{{"federation", flags, critical, failure, says}}
	}
	return []situation{
		{"nobody listens for servers", func(s *stage) { s.addr = Unused(s, "127.0.0.1") }, dialback("", "connect/refused", "connect: connection refused")},
		{
			"the other server does not know its own domain", func(s *stage) { s.serve(Answering(s.domain, StreamError("host-unknown", ""))) },
			dialback("", "stream/stream_error", "stream: stream error host-unknown"),
		},
		{
			"our key is invalid", keyed(result("invalid", "")),
			dialback("", "connect/refused", "back: connect: the server says that our key is invalid"),
		},
		{
			"the other server does not find us", keyed(result("error", "<error type='cancel'><remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>")),
			dialback("", "connect/unreachable", "back: connect: the server answered remote-server-not-found"),
		},
		{
			"the other server never dials back", keyed(BlackHole()),
			dialback("-t 2", "connect/timeout", "back: connect: the server did not say in time whether it believes us, and nobody dialled back"),
		},
		{"the other server closes instead of dialling back", keyed(HangUp()), dialback("", "auth/closed", "back: auth: the peer closed the connection")},
		{"a flood instead of a verdict", keyed(Endless("<a/>")), dialback("-t 5", "connect/timeout", "back: ")},
		{"a verdict without end", keyed(Send("<db:result>"), Endless("a")), dialback("", "auth/protocol", "more than 256 KiB at once")},
	}
}

// home is where check_xmpp_federation is dialled back; the real service finds it by the DNS.
func (s *stage) home() []string {
	s.Helper()
	ports, err := service.FreePorts(1)
	if err != nil {
		s.Fatal(err)
	}
	if s.real != nil {
		s.real.Resolver.SetSRV("_xmpp-server._tcp."+us, "localhost", ports[0])
	}
	args := []string{"--probe-domain", us}
	for _, address := range service.Loopback() {
		args = append(args, "--listen", net.JoinHostPort(address, strconv.Itoa(ports[0])))
	}
	return args
}
