// SPDX-License-Identifier: Apache-2.0

package situations

import (
	"net"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/chapril/ejabberd_exporter/internal/service"
	. "github.com/chapril/ejabberd_exporter/internal/xmpp/xmpptest"
)

const (
	clientSRV = "_xmpp-client._tcp." + domain
	serverSRV = "_xmpp-server._tcp." + domain
)

// names is what the DNS may say.
func names() []situation {
	// listed is a good server at these addresses of host, which both SRV records name.
	listed := func(s *stage, addresses ...string) int {
		port := ServeAll(s, addresses, s.healthy()...)
		s.listed = port
		zone := s.zone("127.0.0.1", "::1")
		zone.SetSRV(clientSRV, host, port)
		zone.SetSRV(serverSRV, host, port)
		return port
	}
	everywhere := func(s *stage) { listed(s, service.Loopback()...) }
	// but changes what the zone says.
	but := func(change func(*stage, *service.Resolver)) func(*stage) {
		return func(s *stage) {
			everywhere(s)
			change(s, s.names)
		}
	}
	one := func(kind dnsmessage.Type, records ...dnsmessage.ResourceBody) func(*stage) {
		return but(func(_ *stage, zone *service.Resolver) { zone.Set(host, kind, records...) })
	}
	nowhere := &dnsmessage.SRVResource{Target: dnsmessage.MustNewName(".")}
	const refused = "connect/refused"
	return []situation{
		{"SRV records and addresses as they should be", everywhere, []verdict{
			{"c2s s2s", "", ok, "", "worst certificate 60 days"},
			{"dns", "--public no", ok, "", "1 host"},
			{"dns", "", warning, "resolve/dns", "a loopback or private address for a public domain"},
			{"c2s s2s login register", "--direct-tls", critical, "resolve/dns", "resolve: no SRV record _xmpps-"},
		}},
		{"no SRV records", but(func(_ *stage, zone *service.Resolver) {
			zone.Set(clientSRV, dnsmessage.TypeSRV)
			zone.Set(serverSRV, dnsmessage.TypeSRV)
		}), []verdict{
			{"c2s s2s", "", critical, "resolve/dns", "example.org: resolve: no address"},
			{"dns", "--public no", critical, "resolve/dns", "example.org: resolve: no address"},
		}},
		{"no SRV records, but addresses of the domain itself", but(func(_ *stage, zone *service.Resolver) {
			zone.Set(clientSRV, dnsmessage.TypeSRV)
			zone.Set(serverSRV, dnsmessage.TypeSRV)
			zone.SetHost(domain, "127.0.0.1", "::1")
		}), []verdict{
			{"dns", "--public no", ok, "", "1 host"},
		}},
		{"SRV records that say: not here", but(func(_ *stage, zone *service.Resolver) {
			zone.Set(clientSRV, dnsmessage.TypeSRV, nowhere)
			zone.Set(serverSRV, dnsmessage.TypeSRV, nowhere)
		}), []verdict{
			{"c2s s2s", "", critical, "resolve/dns", "the SRV records of example.org say that it does not provide this service"},
		}},
		{"an SRV target without addresses", but(func(_ *stage, zone *service.Resolver) { zone.SetHost(host) }), []verdict{
			{"c2s s2s login", "", critical, "resolve/dns", "xmpp.example.org: resolve: no address"},
			{"dns", "--public no", critical, "resolve/dns", "xmpp.example.org: resolve: no address"},
		}},
		{"an SRV target that is an alias", one(dnsmessage.TypeCNAME, &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName("www.example.org.")}), []verdict{
			{"dns", "--public no", critical, "resolve/dns", "an SRV record leads to it, though it is an alias of www.example.org"},
		}},
		{"one of two targets is dead", func(s *stage) {
			port := listed(s, service.Loopback()...)
			dead := int(Unused(s, "127.0.0.1").Port())
			s.names.SetHost("dead."+domain, "127.0.0.1")
			for _, name := range []string{clientSRV, serverSRV} {
				s.names.Set(name, dnsmessage.TypeSRV, service.SRV(host, port, 1, 1), service.SRV("dead."+domain, dead, 2, 1))
			}
		}, []verdict{
			{"c2s s2s login", "", critical, refused, " ip4: connect: connection refused"},
		}},
		{"IPv6 is dead", func(s *stage) { s.bothFamilies(); listed(s, "127.0.0.1") }, []verdict{
			{"c2s s2s login register", "", critical, refused, " ip6: connect: connection refused"},
			{"c2s s2s", "--any-family", ok, "", "1 of 2 endpoints failed"},
			{"c2s s2s", "-4", ok, "", "1 endpoint"},
		}},
		{"IPv4 is dead", func(s *stage) { s.bothFamilies(); listed(s, "::1") }, []verdict{
			{"c2s s2s login", "", critical, refused, " ip4: connect: connection refused"},
		}},
		{"no IPv6 address", but(func(_ *stage, zone *service.Resolver) { zone.SetHost(host, "127.0.0.1") }), []verdict{
			{"c2s s2s", "", ok, "", "1 endpoint"},
			{"c2s s2s", "--require-family", critical, "resolve/dns", "xmpp.example.org: resolve: no ip6 address"},
			{"dns", "--public no", critical, "resolve/dns", "no ip6 address"},
			{"dns", "--public no --any-family", ok, "", "1 host"},
		}},
		{"a domain that does not exist", func(s *stage) { s.zone() }, []verdict{
			{"c2s s2s login register", "", critical, "resolve/dns", "example.org: resolve: no address"},
			{"dns", "", critical, "resolve/dns", "resolve: no address"},
		}},
		{"a resolver that is silent", func(s *stage) {
			hole, err := new(net.ListenConfig).ListenPacket(s.Context(), "udp", "127.0.0.1:0")
			if err != nil {
				s.Fatal(err)
			}
			s.Cleanup(func() { _ = hole.Close() })
			s.resolver = hole.LocalAddr().String()
		}, []verdict{
			{"c2s s2s dns", "-t 1", critical, "resolve/timeout", "no answer in time"},
		}},
		{"no resolver", func(s *stage) { s.resolver = Unused(s, "127.0.0.1").String() }, []verdict{
			{"c2s s2s dns", "", critical, "resolve/dns", "resolver cannot be reached"},
		}},
		{"_xmppconnect records", but(func(_ *stage, zone *service.Resolver) {
			zone.Set("_xmppconnect."+domain, dnsmessage.TypeTXT, &dnsmessage.TXTResource{TXT: []string{"_xmpp-client-xbosh=https://evil.example/"}})
		}), []verdict{
			{"dns", "--public no", ok, "", "1 host"},
			{"dns", "--public no --forbid-xmppconnect", warning, "resolve/dns", "XEP-0156 dropped them as insecure"},
		}},
		{"different certificates on two ports", func(s *stage) {
			clients, peers := Serve(s, "127.0.0.1:0", Server(s.domain, s.good())), Serve(s, "127.0.0.1:0", Server(s.domain, s.config(lasting(50))))
			zone := s.zone("127.0.0.1")
			zone.SetSRV(clientSRV, host, int(clients.Addr.Port()))
			zone.SetSRV(serverSRV, host, int(peers.Addr.Port()))
		}, []verdict{
			{"cert", "", critical, "handshake/certificate", "2 different certificates are served for example.org"},
			{"cert", "--allow-different", warning, "", "2 different certificates are served for example.org"},
		}},
		{"a port that serves an expired certificate", func(s *stage) {
			clients, peers := Serve(s, "127.0.0.1:0", Server(s.domain, s.good())), Serve(s, "127.0.0.1:0", Server(s.domain, s.config(lasting(-5))))
			zone := s.zone("127.0.0.1")
			zone.SetSRV(clientSRV, host, int(clients.Addr.Port()))
			zone.SetSRV(serverSRV, host, int(peers.Addr.Port()))
		}, []verdict{
			{"cert", "", critical, "handshake/certificate", "handshake: certificate expired 5.0 days ago"},
			{"c2s", "", ok, "", "worst certificate 60 days"},
		}},
	}
}

// bothFamilies skips a situation where this machine has no IPv6: a dead one cannot be told from none.
func (s *stage) bothFamilies() {
	if len(service.Loopback()) == 1 {
		s.Skip("this machine has no IPv6")
	}
}
