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
	"golang.org/x/sys/unix"

	"github.com/chapril/ejabberd_exporter/internal/guard"
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
	from    *receiver // nil: nobody listens
	stopped chan struct{}
	bug     error // a panic of read, which writes it before stopped is closed: since then the counters may lack events
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
	if l.from != nil && (l.target.Address != t.Address || l.target.Remote != t.Remote) {
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
	if l.from != nil {
		select {
		case <-l.stopped: // reading failed
			l.close()
		default:
			return nil
		}
	}
	if l.bug != nil {
		return l.bug
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
	socket := conn.(*net.UDPConn) // udp gives no other
	_ = socket.SetReadBuffer(1 << 20)
	if l.from, err = newReceiver(socket, !l.target.Address.Addr().IsLoopback()); err != nil { // loopback has no senders from elsewhere
		l.from = nil
		return fmt.Errorf("listen for events: %w", err)
	}
	l.stopped = make(chan struct{})
	l.kernelEarlier.Store(l.kernel.Load())
	go l.read(l.from, l.target.Remote, l.stopped)
	return nil
}

func (l *Listener) close() {
	if l.from != nil {
		l.from.stop()
		<-l.stopped
		l.from.close()
		l.from = nil
	}
}

// read counts datagrams until it is stopped, the socket fails or counting panics.
func (l *Listener) read(from *receiver, remote bool, stopped chan<- struct{}) {
	defer close(stopped)
	l.bug = guard.Run(func() error { l.countAll(from, remote); return nil })
}

func (l *Listener) countAll(from *receiver, remote bool) {
	for from.wait() == nil {
		for n := batch; n == batch; { // fewer were the last
			var err error
			if n, err = from.read(); err != nil {
				return
			}
			for i := range n {
				l.count(from.at(i), remote)
			}
		}
	}
}

// count counts one datagram, or why it does not count.
func (l *Listener) count(d datagram, remote bool) {
	l.overflow(d.control)
	switch {
	case d.sender.IsValid() && !remote && !d.sender.IsLoopback():
		l.foreign.Add(1)
		return
	case d.flags&unix.MSG_TRUNC != 0:
		l.oversized.Add(1)
		return
	}
	vhost, event, ok := parse(d.data)
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
