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

	mu                   sync.Mutex
	served, open, atOnce int
}

// Served is how many connections were accepted.
func (p *Peer) Served() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.served
}

// AtOnce is how many connections were open at the same time, at most.
func (p *Peer) AtOnce() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.atOnce
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
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			script := scripts[min(p.accepted(), len(scripts))-1]
			running.Go(func() {
				defer p.closed()
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

func (p *Peer) accepted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.served++
	p.open++
	p.atOnce = max(p.atOnce, p.open)
	return p.served
}

func (p *Peer) closed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open--
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
