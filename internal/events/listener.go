// SPDX-License-Identifier: Apache-2.0

// Package events counts what ejabberd's mod_metrics tells: one UDP datagram for each login, registration, stanza. A datagram
// names a vhost and an event, never a person; nothing of it is kept.
package events

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/net/idna"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// ErrIdle says that nobody has told the listener where to listen.
var ErrIdle = errors.New("events are counted by an exporter that keeps running")

// Target is where to listen, and for whom.
type Target struct {
	Address netip.AddrPort
	Vhosts  []string
	Remote  bool // senders on other machines are welcome
}

// Counts are the events since the listener was made.
type Counts struct {
	Vhosts  map[string][number]uint64 // by vhost, then by Event
	Dropped map[string]uint64         // by Reasons
}

// Listener listens for mod_metrics. Its counters go on when it moves to another address. It is safe for concurrent use.
type Listener struct {
	vhosts                              atomic.Pointer[map[string]*counters]
	malformed, oversized, foreign       atomic.Uint64
	unknownVhost, kernel, kernelEarlier atomic.Uint64

	mu      sync.Mutex
	target  Target
	conn    *net.UDPConn // nil: nobody listens
	stopped chan struct{}
}

type counters [number]atomic.Uint64

// Reasons are why a datagram was not counted: kernel means that they came faster than they were read.
func Reasons() []string {
	return []string{"malformed", "oversized", "foreign", "unknown_vhost", "kernel"}
}

// Point makes the listener listen to the target from now on, if it does not yet. Whether that works is told by Counts, which
// tries again.
func (l *Listener) Point(t Target) {
	l.mu.Lock()
	defer l.mu.Unlock()
	known := map[string]*counters{}
	if old := l.vhosts.Load(); old != nil {
		maps.Copy(known, *old) // a vhost that comes back goes on where it was
	}
	for _, vhost := range t.Vhosts {
		if known[vhost] == nil {
			known[vhost] = new(counters)
		}
		if native, err := idna.Lookup.ToUnicode(vhost); err == nil {
			known[native] = known[vhost] // mod_metrics writes it as ejabberd does, we in ASCII
		}
	}
	l.vhosts.Store(&known)
	if l.conn != nil && (l.target.Address != t.Address || l.target.Remote != t.Remote) {
		l.close()
	}
	l.target = t
	_ = l.listen()
}

// Close stops listening.
func (l *Listener) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.close()
	l.target = Target{}
}

// Counts are the counters of the target's vhosts. It fails while nobody can listen.
func (l *Listener) Counts() (Counts, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.target.Address.IsValid() {
		return Counts{}, ErrIdle
	}
	if err := l.listen(); err != nil {
		return Counts{}, err
	}
	counts := Counts{Vhosts: map[string][number]uint64{}, Dropped: map[string]uint64{
		"malformed": l.malformed.Load(), "oversized": l.oversized.Load(), "foreign": l.foreign.Load(),
		"unknown_vhost": l.unknownVhost.Load(), "kernel": l.kernel.Load(),
	}}
	known := *l.vhosts.Load()
	for _, vhost := range l.target.Vhosts {
		var n [number]uint64
		for event := range n {
			n[event] = known[vhost][event].Load()
		}
		counts.Vhosts[vhost] = n
	}
	return counts, nil
}

// listen opens the socket unless it is open.
func (l *Listener) listen() error {
	if l.conn != nil {
		select {
		case <-l.stopped: // reading failed
			l.close()
		default:
			return nil
		}
	}
	if !l.target.Address.IsValid() {
		return nil
	}
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		controlled := raw.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1)
		})
		return errors.Join(controlled, err)
	}}
	conn, err := config.ListenPacket(context.Background(), "udp", l.target.Address.String())
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("another program holds UDP port %d, where mod_metrics sends: stop it, or give mod_metrics another port in ejabberd.yml", l.target.Address.Port())
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return errors.New("the address for events is not this host's: name one that is with --events.listen-address")
	case err != nil:
		return fmt.Errorf("listen for events: %w", err)
	}
	l.conn = conn.(*net.UDPConn) // udp gives no other
	_ = l.conn.SetReadBuffer(1 << 20)
	l.stopped = make(chan struct{})
	l.kernelEarlier.Store(l.kernel.Load())
	go l.read(l.conn, l.target, l.stopped)
	return nil
}

func (l *Listener) close() {
	if l.conn != nil {
		_ = l.conn.Close()
		<-l.stopped
		l.conn = nil
	}
}

// quiet makes x/net believe that this is TCP, by a method that it does not call: it then leaves out the senders' addresses,
// each of which it would allocate. A socket bound to loopback has no senders from elsewhere.
type quiet struct{ *net.UDPConn }

// SetLinger is never called.
func (quiet) SetLinger(int) error { return errors.ErrUnsupported }

// buffers are those that every batch is read into.
func buffers() []ipv4.Message {
	messages := make([]ipv4.Message, batch)
	for i := range messages {
		messages[i].Buffers = [][]byte{make([]byte, maxDatagram)}
		messages[i].OOB = make([]byte, unix.CmsgSpace(4))
	}
	return messages
}

// batch is how many datagrams are read at once.
const batch = 64

// read counts datagrams until the socket is closed or fails.
func (l *Listener) read(socket *net.UDPConn, target Target, stopped chan<- struct{}) {
	defer close(stopped)
	messages := buffers()
	conn := ipv4.NewPacketConn(socket)
	if target.Address.Addr().IsLoopback() {
		conn = ipv4.NewPacketConn(quiet{socket})
	}
	for {
		n, err := conn.ReadBatch(messages, 0)
		if err != nil {
			return
		}
		for i := range messages[:n] {
			l.count(&messages[i], target.Remote)
		}
	}
}

// count counts one datagram, or why it does not count.
func (l *Listener) count(m *ipv4.Message, remote bool) {
	l.overflow(m.OOB[:m.NN])
	sender, named := m.Addr.(*net.UDPAddr)
	switch {
	case named && !remote && !sender.IP.IsLoopback():
		l.foreign.Add(1)
		return
	case m.Flags&unix.MSG_TRUNC != 0:
		l.oversized.Add(1)
		return
	}
	vhost, event, ok := parse(m.Buffers[0][:m.N])
	if !ok {
		l.malformed.Add(1)
		return
	}
	counters, known := (*l.vhosts.Load())[string(vhost)]
	if !known {
		l.unknownVhost.Add(1)
		return
	}
	counters[event].Add(1)
}
