// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
)

// Families of addresses, as in labels and texts.
const (
	ip4 = "ip4"
	ip6 = "ip6"
)

// maxEndpoints bounds how much a zone can make us do, and how many label values it can make.
const maxEndpoints = 32

// service is one of the SRV services of XMPP.
type service struct {
	name   string // as in the SRV record, without underscore
	direct bool   // TLS at once instead of STARTTLS
	peers  bool   // for other servers rather than for clients
	port   uint16 // where no SRV record says otherwise
	// listed services exist only where an SRV record says so: -H alone does not reach them.
	listed bool
}

var (
	xmppClient  = service{name: "xmpp-client", port: 5222}
	xmppsClient = service{name: "xmpps-client", port: 5223, direct: true}
	xmppServer  = service{name: "xmpp-server", port: 5269, peers: true}
	xmppsServer = service{name: "xmpps-server", port: 5270, peers: true, direct: true, listed: true}

	allServices = []service{xmppClient, xmppsClient, xmppServer, xmppsServer}
)

// target is a host and port that provide a service.
type target struct {
	service
	host string
	port uint16
}

// endpoint is one address of a target.
type endpoint struct {
	target
	domain string   // to whom we want to talk there
	named  bool     // say in texts to whom, since it is not the probed domain itself
	url    *url.URL // of what is reached over HTTPS, or nil
	family string
	addr   netip.Addr
	nth    string // "address 2 of 3", where the target has several of this family
}

func (e endpoint) address() string { return netip.AddrPortFrom(e.addr, e.port).String() }

// subject names the endpoint for people: "xmpp.example.org:5222 ip4".
func (e endpoint) subject() string {
	name := net.JoinHostPort(e.host, strconv.Itoa(int(e.port))) + " " + e.family
	if e.nth != "" {
		name += " " + e.nth
	}
	if e.named {
		name += " for " + e.domain
	}
	return name
}

// labels are the values of endpointLabels.
func (e endpoint) labels(more ...string) []string {
	return append([]string{e.name, e.host, strconv.Itoa(int(e.port)), e.family}, more...)
}

// hasRoute tells whether this machine can reach an address of that family at all: a monitoring host without IPv6 says nothing
// about the service. No packet is sent.
func hasRoute(to netip.Addr) bool {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, 9)))
	if err != nil { // other errors are met again on connecting, and told there
		return !errors.Is(err, syscall.ENETUNREACH) && !errors.Is(err, syscall.EADDRNOTAVAIL) && !errors.Is(err, syscall.EAFNOSUPPORT)
	}
	defer func() { _ = conn.Close() }()
	return couldReach(conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr(), to)
}

// couldReach knows that a local IPv6 address reaches nobody on the internet. IPv4 has NAT for that.
func couldReach(from, to netip.Addr) bool {
	return to.Is4() || !public(to) || public(from)
}

func public(a netip.Addr) bool { return a.IsGlobalUnicast() && !a.IsPrivate() }
