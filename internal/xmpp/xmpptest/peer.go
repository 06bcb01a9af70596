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
	ctx, cancel := context.WithCancel(context.Background())
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		t.Fatalf("scripted peer: %v", err)
	}
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
