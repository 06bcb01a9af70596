// SPDX-License-Identifier: Apache-2.0

// Package xmpptest is the scripted peer of the tests: a server on loopback that does to each connection exactly what a script
// says, healthy or hostile.
package xmpptest

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Script is what a peer does to one connection, step by step. At its end the connection is closed.
type Script []Step

// Join puts scripts one after the other.
func Join(parts ...Script) Script {
	var all Script
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// Peer is a scripted server.
type Peer struct {
	Addr netip.AddrPort

	mu         sync.Mutex
	served     int
	overlapped bool
}

// Served is how many connections were accepted.
func (p *Peer) Served() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.served
}

// Overlapped tells whether a connection was opened while the one before it was still open.
func (p *Peer) Overlapped() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.overlapped
}

// Serve listens on address ("127.0.0.1:0", "[::1]:0") until the test ends. The first connection gets the first script, the
// second the second, and all further ones the last.
func Serve(t testing.TB, address string, scripts ...Script) *Peer {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	if err != nil {
		t.Fatalf("scripted peer: %v", err)
	}
	return serveOn(t, listener, scripts)
}

// ServeAll serves on one port of all hosts, and gives the port. Each host has the first script for its own first connection.
func ServeAll(t testing.TB, hosts []string, scripts ...Script) int {
	t.Helper()
	var last error
	for range 20 { // a port that is free on one host may be taken on another
		listeners, err := listenAll(hosts)
		if err != nil {
			last = err
			continue
		}
		for _, listener := range listeners {
			serveOn(t, listener, scripts)
		}
		return listeners[0].Addr().(*net.TCPAddr).Port
	}
	t.Fatalf("scripted peers: %v", last)
	return 0
}

// listenAll listens on one free port of all hosts.
func listenAll(hosts []string) (listeners []net.Listener, err error) {
	port := "0"
	for _, host := range hosts {
		listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", net.JoinHostPort(host, port))
		if err != nil {
			for _, open := range listeners {
				_ = open.Close()
			}
			return nil, err
		}
		listeners = append(listeners, listener)
		_, port, _ = net.SplitHostPort(listener.Addr().String())
	}
	return listeners, nil
}

func serveOn(t testing.TB, listener net.Listener, scripts []Script) *Peer {
	ctx, cancel := context.WithCancel(context.Background())
	p := &Peer{Addr: listener.Addr().(*net.TCPAddr).AddrPort()}
	var running sync.WaitGroup
	running.Go(func() {
		var ended chan struct{} // of the connection before
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			script := scripts[min(p.accepted(ended), len(scripts))-1]
			end := make(chan struct{})
			ended = end
			running.Go(func() {
				defer close(end)
				if err := serve(ctx, conn, script); err != nil && !errors.Is(err, net.ErrClosed) {
					t.Logf("scripted peer %s: %v", p.Addr, err)
				}
			})
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = listener.Close()
		running.Wait()
	})
	return p
}

// accepted counts a connection. The one before may need a moment to notice that it was closed.
func (p *Peer) accepted(before <-chan struct{}) int {
	overlapped := false
	if before != nil {
		select {
		case <-before:
		case <-time.After(100 * time.Millisecond):
			overlapped = true
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.served++
	p.overlapped = p.overlapped || overlapped
	return p.served
}

func serve(ctx context.Context, conn net.Conn, script Script) error {
	c := &session{ctx: ctx, raw: conn, conn: conn}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	for _, step := range script {
		if err := step(c); err != nil {
			return err
		}
	}
	if c.conn != c.raw {
		return c.conn.Close() // says goodbye in TLS
	}
	return nil
}

// Unused returns an address with a free port that nobody listens on.
func Unused(t testing.TB, host string) netip.AddrPort {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatalf("free port: %v", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).AddrPort()
}

// Backlog returns an address whose backlog is full: the kernel takes no connection, and refuses none.
func Backlog(t testing.TB) netip.AddrPort {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err == nil {
		t.Cleanup(func() { _ = syscall.Close(fd) })
		err = errors.Join(syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), syscall.Listen(fd, 0))
	}
	if err != nil {
		t.Fatalf("full backlog: %v", err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatalf("full backlog: %v", err)
	}
	addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(name.(*syscall.SockaddrInet4).Port))
	for range 10 { // one fits into a backlog of 0; the first that gets no answer proves that it is full
		conn, err := (&net.Dialer{Timeout: 300 * time.Millisecond}).DialContext(t.Context(), "tcp", addr.String())
		if err != nil {
			return addr
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	t.Fatal("full backlog: the kernel takes one connection after the other")
	return addr
}
