// SPDX-License-Identifier: Apache-2.0

package events

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const login = "chapril.test/localhost.sm_register_connection:c/1795453193:1"

func TestCounts(t *testing.T) {
	l := listener(t, target(t))
	send := sender(t, l)
	send(login)
	send(login)
	send("libre.test/localhost.user_receive_packet:c/1795453193:1")
	send("canary.test/localhost.user_receive_packet:c/1795453193:1")
	send("what is this?")
	send(login + strings.Repeat("1", maxDatagram))
	until(t, l, func(c Counts) bool { return total(c) == 6 })
	c, _ := l.Counts()
	if c.Vhosts["chapril.test"] != [number]uint64{Login: 2} || c.Vhosts["libre.test"] != [number]uint64{UserReceives: 1} || len(c.Vhosts) != 2 {
		t.Errorf("events %v", c.Vhosts)
	}
	if got := fmt.Sprint(c.Dropped); got != "map[foreign:0 kernel:0 malformed:1 oversized:1 unknown_vhost:1]" {
		t.Errorf("dropped %s", got)
	}
}

// TestVhostInUnicode: ejabberd keeps the names of vhosts in Unicode, the page has them in ASCII.
func TestVhostInUnicode(t *testing.T) {
	at := target(t)
	at.Vhosts = []string{"xn--bcher-kva.test"}
	l := listener(t, at)
	send := sender(t, l)
	send(strings.Replace(login, "chapril.test", "bücher.test", 1))
	until(t, l, func(c Counts) bool { return c.Vhosts["xn--bcher-kva.test"][Login] == 1 && len(c.Vhosts) == 1 })
}

func TestForeignSendersAreRefusedUnlessAllowed(t *testing.T) {
	for _, c := range []struct {
		sender           string
		remote           bool
		counted, foreign uint64
	}{
		{"192.0.2.7", false, 0, 1},
		{"2001:db8::7", false, 0, 1},
		{"192.0.2.7", true, 1, 0},
		{"127.0.0.9", false, 1, 0},
		{"::1", false, 1, 0},
	} {
		l := new(Listener)
		known := map[string]*counters{"chapril.test": new(counters)}
		l.vhosts.Store(&known)
		l.count(datagram{data: []byte(login), sender: netip.MustParseAddr(c.sender)}, c.remote)
		if counted := known["chapril.test"][Login].Load(); counted != c.counted || l.foreign.Load() != c.foreign {
			t.Errorf("%+v: counted %d, foreign %d", c, counted, l.foreign.Load())
		}
	}
}

func TestBoundToEverythingSendersAreLookedAt(t *testing.T) {
	for _, everything := range []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		at := target(t)
		at.Address = netip.AddrPortFrom(everything, at.Address.Port())
		l := listener(t, at)
		send := sender(t, l) // an IPv4 address, which an IPv6 socket writes in another way
		send(login)
		until(t, l, func(c Counts) bool { return c.Vhosts["chapril.test"][Login] == 1 })
	}
}

func TestIdleUntilPointed(t *testing.T) {
	if _, err := new(Listener).Counts(); !errors.Is(err, ErrIdle) {
		t.Errorf("%v, want idle", err)
	}
}

func TestTakenPortIsTriedAgain(t *testing.T) {
	at := target(t)
	taken, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at.Address))
	if err != nil {
		t.Fatal(err)
	}
	l := listener(t, at)
	if _, err := l.Counts(); err == nil || !strings.Contains(err.Error(), "another program holds UDP port") {
		t.Errorf("%v does not say that the port is taken", err)
	}
	taken.Close()
	if _, err := l.Counts(); err != nil {
		t.Errorf("the port is free, but: %v", err)
	}
}

func TestCountersGoOnAtAnotherAddress(t *testing.T) {
	l := listener(t, target(t))
	sender(t, l)(login)
	until(t, l, func(c Counts) bool { return c.Vhosts["chapril.test"][Login] == 1 })
	at := target(t)
	at.Vhosts = []string{"new.test", "chapril.test"}
	l.Point(at)
	sender(t, l)(login)
	until(t, l, func(c Counts) bool { return c.Vhosts["chapril.test"][Login] == 2 })
	if c, _ := l.Counts(); len(c.Vhosts) != 2 || c.Vhosts["new.test"] != [number]uint64{} {
		t.Errorf("events %v", c.Vhosts)
	}
}

// TestKernelDrops floods a socket that has room for next to nothing. What was counted, and what the kernel says it dropped, is
// all.
func TestKernelDrops(t *testing.T) {
	l := listener(t, target(t))
	if err := unix.SetsockoptInt(l.from.socket, unix.SOL_SOCKET, unix.SO_RCVBUF, 1); err != nil {
		t.Fatal(err)
	}
	send := sender(t, l)
	sent := uint64(0)
	until(t, l, func(c Counts) bool {
		if c.Dropped["kernel"] == 0 {
			for range 100 {
				send(login)
				sent++
			}
			return false
		}
		if total(c) == sent {
			return true
		}
		send(login) // the kernel tells with the next datagram
		sent++
		return false
	})
}

// TestAFloodCanBeLeft: who never has to wait is stopped too.
func TestAFloodCanBeLeft(t *testing.T) {
	l := listener(t, target(t))
	l.from.stop()
	<-l.stopped
	if n, err := l.from.read(); !errors.Is(err, errStopped) {
		t.Errorf("%d datagrams, %v", n, err)
	}
}

// TestAPanicIsTold: a datagram that nobody thought of ends the counting, not the exporter; numbers that may lack events are not told any
// more.
func TestAPanicIsTold(t *testing.T) {
	l := listener(t, target(t))
	l.vhosts.Store(&map[string]*counters{"chapril.test": nil}) // whoever counts panics
	sender(t, l)(login)
	<-l.stopped
	for range 2 {
		if _, err := l.Counts(); err == nil || !strings.HasPrefix(err.Error(), "panic at events.") {
			t.Errorf("got %v", err)
		}
	}
}

func TestNoDatagramIsAllocated(t *testing.T) {
	read := reader(t)
	if n := testing.AllocsPerRun(100, read); n > 0 {
		t.Errorf("%v allocations for %d datagrams", n, batch)
	}
}

func BenchmarkRead(b *testing.B) {
	read := reader(b)
	b.ReportAllocs()
	for b.Loop() {
		read()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/batch, "ns/datagram")
}

// reader sends, reads and counts one batch at each call.
func reader(t testing.TB) func() {
	socket, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(target(t).Address))
	if err != nil {
		t.Fatal(err)
	}
	client, err := net.Dial("udp", socket.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	l := new(Listener)
	l.vhosts.Store(&map[string]*counters{"chapril.test": new(counters)})
	from, err := newReceiver(socket, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(from.close)
	datagram := []byte(login)
	return func() {
		for range batch {
			if _, err := client.Write(datagram); err != nil {
				t.Error(err)
			}
		}
		for left := batch; left > 0; {
			n, err := from.read()
			if err != nil {
				t.Error(err)
				return
			}
			for i := range n {
				l.count(from.at(i), false)
			}
			left -= n
		}
	}
}

// target is a free port of loopback.
func target(t testing.TB) Target {
	t.Helper()
	free, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer free.Close()
	return Target{Address: free.LocalAddr().(*net.UDPAddr).AddrPort(), Vhosts: []string{"chapril.test", "libre.test"}}
}

func listener(t *testing.T, at Target) *Listener {
	t.Helper()
	l := new(Listener)
	t.Cleanup(l.Close)
	l.Point(at)
	return l
}

// sender sends to where the listener listens.
func sender(t *testing.T, l *Listener) func(string) {
	t.Helper()
	client, err := net.Dial("udp", fmt.Sprintf("127.0.0.1:%d", l.target.Address.Port()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return func(datagram string) {
		if _, err := client.Write([]byte(datagram)); err != nil {
			t.Fatal(err)
		}
	}
}

func until(t *testing.T, l *Listener, done func(Counts) bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); ; runtime.Gosched() {
		counts, err := l.Counts()
		if err != nil {
			t.Fatal(err)
		}
		if done(counts) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("never came true: %+v", counts)
		}
	}
}

func total(c Counts) (n uint64) {
	for _, events := range c.Vhosts {
		for _, count := range events {
			n += count
		}
	}
	for _, count := range c.Dropped {
		n += count
	}
	return n
}
