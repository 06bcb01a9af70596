// SPDX-License-Identifier: Apache-2.0

package situations

import (
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"strconv"

	. "github.com/chapril/ejabberd_exporter/internal/web/webtest"
	. "github.com/chapril/ejabberd_exporter/internal/xmpp/xmpptest"
)

// relays is what calls need.
func relays() []situation {
	// relay answers each datagram with text, and each connection too; with nothing where text is empty.
	relay := func(text string) func(*stage) {
		return func(s *stage) {
			script := Script{BlackHole()}
			if text != "" {
				script = Script{Send(text), BlackHole()}
			}
			s.serve(script)
			udp, err := new(net.ListenConfig).ListenPacket(s.Context(), "udp", s.addr.String())
			if err != nil {
				s.Fatal(err)
			}
			s.Cleanup(func() { _ = udp.Close() })
			go func() {
				buffer := make([]byte, 2048)
				for {
					_, from, err := udp.ReadFrom(buffer)
					if err != nil {
						return
					}
					if text != "" {
						_, _ = udp.WriteTo([]byte(text), from)
					}
				}
			}()
		}
	}
	return []situation{
		{"no STUN server", func(s *stage) { s.addr = Unused(s, "127.0.0.1") }, []verdict{
			{"turn", "", critical, "connect/refused ping/refused", "connection refused"},
		}},
		{"a STUN server that is silent", relay(""), []verdict{
			{"turn", "-t 1", critical, "ping/timeout", "ping: no answer in time"},
		}},
		{"a STUN server that speaks something else", relay("220 mail.example.org ESMTP\r\n"), []verdict{
			{"turn", "-t 1", critical, "ping/protocol ping/timeout", "ping: no answer in time"},
		}},
	}
}

// doors are what nobody should find open.
func doors() []situation {
	quiet := Site{"/admin": Fails(404), "/api/status": Fails(404), "/register": Fails(404)}
	with := func(change Site) func(*stage) {
		site := maps.Clone(quiet)
		maps.Copy(site, change)
		return func(s *stage) { s.web(site, lasting(60)) }
	}
	exposed := func(flags, state, failure, says string) []verdict {
		return []verdict{{"exposed", flags, state, failure, says}}
	}
	return []situation{
		{"all doors are closed", with(nil), exposed("", ok, "", "looked at from here: 2")},
		{"a website that shows the same page for every path", func(s *stage) {
			s.addr = netip.MustParseAddrPort(s.https(Says("Welcome"), lasting(60)).Listener.Addr().String())
		}, exposed("", ok, "", "looked at from here: 2")},
		{"a port that should be closed takes connections", func(s *stage) {
			with(nil)(s)
			s.doors = []string{strconv.Itoa(int(Serve(s, "127.0.0.1:0", Script{BlackHole()}).Addr.Port()))}
		}, exposed("-t 3", critical, "connect/other", " is open")},
		{"the web admin asks for a password", with(Site{"/admin": Fails(401)}), exposed("", critical, "connect/other", "/admin answers 401")},
		{"the API answers strangers", with(Site{"/api/status": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `"running"`)
		}}), exposed("", critical, "connect/other", "/api answers 200")},
		{"registration on the web where none should be", with(Site{"/register": Says("<form>")}), exposed("", critical, "connect/other", "/register answers 200")},
	}
}
