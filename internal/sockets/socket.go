// SPDX-License-Identifier: Apache-2.0

// Package sockets asks the kernel which TCP and UDP sockets exist on this host, over sock_diag: the kernel's own truth, for any
// user, without reading a line of /proc. Addresses stay in here: what may be known of one is whether it is of this host, and
// whether a listening socket is bound to the one that ejabberd.yml names.
package sockets

import (
	"net/netip"
	"time"
)

// Transport is TCP or UDP.
type Transport string

// The transports, as ejabberd.yml writes them.
const (
	TCP Transport = "tcp"
	UDP Transport = "udp"
)

// Family is the address family that a peer uses: an IPv4 client of an IPv6 socket is IPv4.
type Family string

// The families, as the label shows them.
const (
	IP4 Family = "ip4"
	IP6 Family = "ip6"
)

// Families are both of them.
var Families = [...]Family{IP4, IP6}

// State is the part of a TCP socket's life that matters here.
type State uint8

// The states, by the kernel's numbers (include/net/tcp_states.h). A UDP socket that waits for anybody is Closed.
const (
	Established State = 1
	SynSent     State = 2
	SynReceived State = 3
	Closed      State = 7
	Listening   State = 10
)

// Socket is one socket.
type Socket struct {
	Transport Transport
	State     State
	Family    Family // of the peer; of the socket itself where it has none
	LocalPort int
	PeerPort  int    // 0 where there is no peer
	UID       uint32 // of its owner; 65534 for all those that our user namespace does not know
	Inode     uint32 // 0 before the connection is accepted
	RTT       time.Duration
	Backlog   int  // of a listening socket: how many connections may wait to be accepted
	PeerHere  bool // the peer is this host itself

	bound  netip.Addr // of a socket without a peer
	v6only bool
}

// Waits tells whether the socket waits for whoever comes.
func (s *Socket) Waits() bool {
	return s.State == Listening || s.Transport == UDP && s.State == Closed
}

// ListensOn tells whether peers that come to this address and port reach this socket, as ejabberd.yml writes them.
func (s *Socket) ListensOn(transport Transport, ip netip.Addr, port int) bool {
	return s.Waits() && s.Transport == transport && s.LocalPort == port && s.bound == ip.Unmap()
}

// Everywhere tells whether a socket that waits is bound to all addresses of this host.
func (s *Socket) Everywhere() bool { return s.Waits() && s.bound.IsUnspecified() }

// Serves tells whether peers of the family reach a socket that waits: one on "::" serves both, unless it is told not to.
func (s *Socket) Serves(family Family) bool {
	return s.Family == family || s.bound == netip.IPv6Unspecified() && !s.v6only
}
