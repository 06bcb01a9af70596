// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

// patience is how long a port may stay silent until it counts as filtered.
const patience = 3 * time.Second

// outcome is what a knock at a port led to.
type outcome int

const (
	silent  outcome = iota // nothing came back: filtered, or nobody there
	refused                // closed, for sure
	opened
)

// watched is what was found at one address.
type watched struct {
	endpoint
	unreached bool
	own       bool // this machine itself: its firewall is not in between
	alive     bool // somebody answers there
	tcp       map[portNumber]outcome
	udp       outcome
	nodes     []portNumber // that an open epmd names
}

// watch looks at each address once.
func (g *guard) watch(ctx context.Context, endpoints []endpoint) (all []*watched) {
	known := map[netip.Addr][]portNumber{} // ports that should be open: they tell a closed door from a dead house
	for _, at := range endpoints {
		if known[at.addr] == nil {
			all = append(all, &watched{endpoint: at, tcp: map[portNumber]outcome{}})
		}
		known[at.addr] = append(known[at.addr], portNumber(at.port))
	}
	var running group
	for _, w := range all {
		running.Go(func() { g.look(ctx, w, known[w.addr]) })
	}
	running.Wait()
	return all
}

// look knocks at all doors of an address.
func (g *guard) look(ctx context.Context, w *watched, known []portNumber) {
	if !g.route(w.addr) {
		w.unreached = true
		return
	}
	w.own = isOwn(w.addr)
	first, cancel := share(ctx, 2)
	defer cancel()
	w.dial(first, slices.Concat(known, g.ports, g.distribution))
	w.udp = knockUDP(first, w.addr)
	if w.tcp[4369] == opened && slices.Contains(g.ports, 4369) {
		w.nodes = askEPMD(ctx, netip.AddrPortFrom(w.addr, 4369))
		w.dial(ctx, w.nodes)
	}
	for _, got := range w.tcp {
		w.alive = w.alive || got != silent
	}
	w.alive = w.alive || w.udp != silent
}

// dial knocks at ports, each once, all at the same time.
func (w *watched) dial(ctx context.Context, ports []portNumber) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ports = slices.Compact(slices.Sorted(slices.Values(ports)))
	got := make([]outcome, len(ports))
	var running group
	for i, port := range ports {
		running.Go(func() { got[i] = knock(ctx, netip.AddrPortFrom(w.addr, uint16(port))) })
	}
	running.Wait()
	for i, port := range ports {
		w.tcp[port] = got[i]
	}
}

func knock(ctx context.Context, at netip.AddrPort) outcome {
	conn, err := dial(ctx, "tcp", at.String())
	switch {
	case err == nil:
		_ = conn.Close()
		return opened
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET):
		return refused
	}
	return silent
}

// knockUDP sends one empty datagram to the port of mod_metrics. Who listens there says nothing, so silence says nothing either.
func knockUDP(ctx context.Context, addr netip.Addr) outcome {
	ctx, cancel := context.WithTimeout(ctx, patience/3)
	defer cancel()
	conn, err := dial(ctx, "udp", netip.AddrPortFrom(addr, 11111).String())
	if err != nil {
		return silent
	}
	defer func() { _ = conn.Close() }()
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	if _, err = conn.Write(nil); err == nil {
		_, err = conn.Read(make([]byte, 1))
	}
	switch {
	case err == nil:
		return opened
	case errors.Is(err, syscall.ECONNREFUSED):
		return refused
	}
	return silent
}

// askEPMD asks epmd for the nodes that it knows, as every Erlang node does, for the ports of their distribution.
func askEPMD(ctx context.Context, at netip.AddrPort) []portNumber {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := dial(ctx, "tcp", at.String())
	if err != nil {
		return nil
	}
	defer func() { _ = conn.Close() }()
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	if _, err := conn.Write([]byte{0, 1, 'n'}); err != nil {
		return nil
	}
	text, _ := io.ReadAll(io.LimitReader(conn, 4096)) // what came before an error is good enough
	return nodePorts(string(text))
}

// nodePorts reads the ports out of epmd's answer.
func nodePorts(text string) (ports []portNumber) {
	for line := range strings.SplitSeq(text, "\n") { // "name ejabberd at port 41234"
		var port portNumber
		if _, number, ok := strings.Cut(line, " at port "); ok && port.Set(strings.TrimSpace(number)) == nil && len(ports) < 8 {
			ports = append(ports, port)
		}
	}
	return ports
}

// isOwn tells whether an address is of this machine.
func isOwn(addr netip.Addr) bool {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, 9)))
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	return addr.IsLoopback() || conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap() == addr
}

// tell notes what was found at an address.
func (g *guard) tell(w *watched) {
	subject := w.host + " " + w.family
	if w.nth != "" {
		subject += " " + w.nth
	}
	switch {
	case w.unreached:
		g.out.Note(OK, subject, "not testable from here: this machine has no route to such addresses")
		return
	case !w.alive:
		g.out.Notes = append(g.out.Notes, Note{
			Unknown, subject,
			"nobody answers there, not even on the ports of XMPP: that others are closed proves nothing", Timeout,
		})
		return
	}
	g.checked++
	if w.own {
		g.out.Note(OK, subject, "this machine itself: its firewall is not in between")
	}
	var closed []string
	judge := func(door, name string, got outcome) {
		if got == opened {
			g.found(subject, door, name+" is open")
			return
		}
		g.out.Set.Add(exposedOpen, 0, door)
		closed = append(closed, name)
	}
	for _, port := range g.ports {
		name := port.String()
		if port == 4369 {
			name += " (epmd)"
		}
		judge(port.String(), name, w.tcp[port])
	}
	for _, port := range slices.Concat(g.distribution, w.nodes) {
		judge(distributionDoor, port.String()+" (Erlang distribution)", w.tcp[port])
	}
	if w.udp == silent {
		g.out.Note(OK, subject, "11111/udp is silent, as it is whether open or filtered")
	} else {
		judge(metricsDoor, "11111/udp (mod_metrics)", w.udp)
	}
	if len(closed) > 0 {
		g.out.Note(OK, subject, xmpp.Clean(fmt.Sprintf("closed: %s", strings.Join(closed, ", "))))
	}
}
