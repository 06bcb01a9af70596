// SPDX-License-Identifier: Apache-2.0

// Package stun is just enough STUN (RFC 8489) and TURN (RFC 8656) to probe a server: a binding, and an allocation that is
// given back at once, over UDP or TCP. It imports the standard library only.
//
// The peer is never trusted: what it sends is bounded, answers to other questions are passed over, and no call outlives its
// context.
package stun

import (
	"cmp"
	"context"
	"crypto/md5" //nolint:gosec // the key of RFC 8489, 9.2.2: not ours to choose
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"
)

// ErrMalformed says that what came is no answer as the RFC wants it; test with errors.Is.
var ErrMalformed = errors.New("not a STUN answer")

// Error is an error response.
type Error struct {
	Code   int    // 401: the credentials are wrong, 403, 437, 442, 486: quota reached, 508: no ports left …
	Reason string // what the server says, untrusted
}

func (e *Error) Error() string { return fmt.Sprintf("error %d %s", e.Code, e.Reason) }

// Client speaks with one server over a connection: one datagram a message, or, with a stream, one message after the other.
type Client struct {
	Conn   net.Conn
	Stream bool // TCP or TLS
}

// Binding asks for the address that the server sees us under.
func (c *Client) Binding(ctx context.Context) (netip.AddrPort, error) {
	a, err := c.ask(ctx, newRequest(methodBinding))
	if err != nil {
		return netip.AddrPort{}, err
	}
	if _, plain := a.attrs[attrXORMappedAddress]; !plain { // servers of RFC 3489
		return a.address(attrMappedAddress)
	}
	return a.address(attrXORMappedAddress)
}

// Allocate asks for a relayed UDP address with long-term credentials, and gives it back at once.
func (c *Client) Allocate(ctx context.Context, username, password string) (netip.AddrPort, error) {
	m := newRequest(methodAllocate)
	udp := []byte{17, 0, 0, 0}
	m.add(attrRequestedTransport, udp)
	first, err := c.ask(ctx, m)
	refused, ok := errors.AsType[*Error](err)
	switch {
	case err == nil:
		return netip.AddrPort{}, cmp.Or(c.release(ctx, nil), errors.New("the server relays for whoever asks, without credentials"))
	case !ok || refused.Code != 401:
		return netip.AddrPort{}, err
	}
	login := login{username: username, password: password}
	for range 3 { // a nonce may be stale at once
		login.realm, login.nonce = first.attrs[attrRealm], first.attrs[attrNonce]
		if login.realm == nil || login.nonce == nil {
			return netip.AddrPort{}, fmt.Errorf("%w: it asks for credentials and names no realm or nonce", ErrMalformed)
		}
		m = newRequest(methodAllocate)
		m.add(attrRequestedTransport, udp)
		first, err = c.ask(ctx, login.sign(m))
		if refused, ok = errors.AsType[*Error](err); !ok || refused.Code != 438 {
			break
		}
	}
	if err != nil {
		return netip.AddrPort{}, err
	}
	if !first.signed(login.key()) {
		return netip.AddrPort{}, fmt.Errorf("%w: the server does not prove that it knows the password", ErrMalformed)
	}
	relayed, err := first.address(attrXORRelayedAddress)
	return relayed, cmp.Or(c.release(ctx, &login), err)
}

// release gives an allocation back: it would bind a port for ten minutes. login is nil where the server wants none.
func (c *Client) release(ctx context.Context, login *login) error {
	for tries := 1; ; tries++ {
		m := newRequest(methodRefresh)
		m.add(attrLifetime, make([]byte, 4))
		if login != nil {
			m = login.sign(m)
		}
		a, err := c.ask(ctx, m)
		refused, ok := errors.AsType[*Error](err)
		switch {
		case err == nil, ok && refused.Code == 437: // gone already: the answer to the same question, asked before, was lost
			return nil
		case ok && refused.Code == 438 && tries == 1 && login != nil && a.attrs[attrNonce] != nil:
			login.nonce = a.attrs[attrNonce]
		default:
			return fmt.Errorf("give the allocation back: %w", err)
		}
	}
}

// login is a long-term credential as the server wants it.
type login struct {
	username, password string
	realm, nonce       []byte
}

func (l login) key() []byte {
	sum := md5.Sum([]byte(l.username + ":" + string(l.realm) + ":" + l.password))
	return sum[:]
}

func (l login) sign(m message) message {
	m.add(attrUsername, []byte(l.username))
	m.add(attrRealm, l.realm)
	m.add(attrNonce, l.nonce)
	m.sign(l.key())
	return m
}

// ask sends a request and waits for its answer. Over UDP it is sent again after 0.5 s, 1 s, 2 s … With an *Error there is
// an answer as well.
func (c *Client) ask(ctx context.Context, request message) (answer, error) {
	deadline, limited := ctx.Deadline()
	defer context.AfterFunc(ctx, func() { _ = c.Conn.SetDeadline(time.Unix(1, 0)) })()
	for wait := 500 * time.Millisecond; ; wait *= 2 {
		until := deadline
		if again := time.Now().Add(wait); !c.Stream && (!limited || again.Before(deadline)) {
			until = again
		}
		_ = c.Conn.SetDeadline(until)     // fails on a closed connection only: the call itself will say so
		if err := ctx.Err(); err != nil { // whoever cancels from now on sets a deadline after this one
			return answer{}, err
		}
		if _, err := c.Conn.Write(request); err != nil {
			return answer{}, err
		}
		a, err := c.await(request)
		if late, ok := errors.AsType[net.Error](err); !ok || !late.Timeout() || c.Stream || ctx.Err() != nil || until.Equal(deadline) {
			return a, err
		}
	}
}

// await reads until there is an answer to the request.
func (c *Client) await(request message) (answer, error) {
	for {
		raw, err := c.receive()
		if err != nil {
			return answer{}, err
		}
		a, ok, err := read(raw, request)
		switch {
		case !ok && c.Stream:
			return answer{}, fmt.Errorf("%w: it answers something else", ErrMalformed)
		case !ok:
			continue
		case err == nil && a.kind() == request.kind()|classError:
			err = a.failure()
		}
		return a, err
	}
}

// receive reads one message.
func (c *Client) receive() (message, error) {
	buffer := make(message, maxMessage)
	if !c.Stream {
		n, err := c.Conn.Read(buffer)
		return buffer[:n], err
	}
	if _, err := io.ReadFull(c.Conn, buffer[:headerSize]); err != nil {
		return nil, err
	}
	size := headerSize + int(binary.BigEndian.Uint16(buffer[2:]))
	if size > maxMessage || binary.BigEndian.Uint32(buffer[4:]) != cookie {
		return nil, fmt.Errorf("%w: the peer does not speak STUN", ErrMalformed)
	}
	_, err := io.ReadFull(c.Conn, buffer[headerSize:size])
	return buffer[:size], err
}

// failure reads an error response.
func (a answer) failure() error {
	value := a.attrs[attrErrorCode]
	if len(value) < 4 {
		return fmt.Errorf("%w: an error without a code", ErrMalformed)
	}
	return &Error{Code: int(value[2]&7)*100 + int(value[3]), Reason: string(value[4:])}
}
