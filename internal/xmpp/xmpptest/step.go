// SPDX-License-Identifier: Apache-2.0

package xmpptest

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// Step is one thing that a peer does.
type Step func(*session) error

// session is one connection of a peer.
type session struct {
	ctx     context.Context
	raw     net.Conn
	conn    net.Conn // raw, or TLS over it
	unread  []byte
	latency time.Duration

	namespace string // that the other side asked for
}

// Send writes text in one piece.
func Send(text string) Step {
	return func(c *session) error {
		if err := c.pause(c.latency); err != nil {
			return err
		}
		_, err := io.WriteString(c.conn, text)
		return err
	}
}

// Fragments writes text byte by byte, each in a packet of its own, with a pause after each.
func Fragments(text string, pause time.Duration) Step {
	return func(c *session) error {
		for i := range len(text) {
			if _, err := io.WriteString(c.conn, text[i:i+1]); err != nil {
				return err
			}
			if err := c.pause(pause); err != nil {
				return err
			}
		}
		return nil
	}
}

// Endless writes text again and again until the other side has enough.
func Endless(text string) Step {
	return func(c *session) error {
		block := bytes.Repeat([]byte(text), 1+4096/len(text))
		for {
			if _, err := c.conn.Write(block); err != nil {
				return nil //nolint:nilerr // that is what we waited for
			}
		}
	}
}

// Flood writes text again and again until so many bytes are written, or the other side has enough.
func Flood(text string, size int) Step {
	return func(c *session) error {
		block := bytes.Repeat([]byte(text), 1+64<<10/len(text))
		for left := size; left > 0; left -= len(block) { // size is every connection's
			if _, err := c.conn.Write(block); err != nil {
				return nil //nolint:nilerr // that is what we waited for
			}
		}
		return nil
	}
}

// Expect reads until text has come.
func Expect(text string) Step {
	return func(c *session) error {
		_, err := c.until(text)
		return err
	}
}

// Handshake is the server's side of TLS.
func Handshake(config *tls.Config) Step {
	return func(c *session) error {
		conn := tls.Server(delayed{c.raw, c}, config)
		c.conn, c.unread = conn, nil
		return conn.HandshakeContext(c.ctx)
	}
}

// Latency delays all that is sent from now on.
func Latency(d time.Duration) Step {
	return func(c *session) error { c.latency = d; return nil }
}

// BlackHole reads and never answers.
func BlackHole() Step {
	return func(c *session) error {
		_, err := io.Copy(io.Discard, c.conn)
		return err
	}
}

// HangUp closes our side in the midst of things, and waits for the other to do so too: no data is left that would make a RST of it.
func HangUp() Step {
	return func(c *session) error {
		tcp, ok := c.raw.(*net.TCPConn)
		if !ok {
			return errors.New("no TCP connection")
		}
		if err := tcp.CloseWrite(); err != nil {
			return err
		}
		_, err := io.Copy(io.Discard, tcp)
		return err
	}
}

// Reset ends the connection with a RST.
func Reset() Step {
	return func(c *session) error {
		tcp, ok := c.raw.(*net.TCPConn)
		if !ok {
			return errors.New("no TCP connection")
		}
		if err := tcp.SetLinger(0); err != nil {
			return err
		}
		return tcp.Close()
	}
}

func (c *session) pause(d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-c.ctx.Done():
		return c.ctx.Err()
	}
}

// delayed is a connection under TLS on which the handshake is slow too.
type delayed struct {
	net.Conn
	c *session
}

func (d delayed) Write(p []byte) (int, error) {
	if err := d.c.pause(d.c.latency); err != nil {
		return 0, err
	}
	return d.Conn.Write(p)
}

// Do does something besides.
func Do(work func()) Step {
	return func(*session) error { work(); return nil }
}

// Echo reads what stands between two texts, and sends it as format says.
func Echo(before, after, format string) Step {
	return func(c *session) error {
		if _, err := c.until(before); err != nil {
			return err
		}
		text, err := c.until(after)
		if err != nil {
			return err
		}
		return Send(fmt.Sprintf(format, text))(c)
	}
}
