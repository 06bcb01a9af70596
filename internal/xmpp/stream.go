// SPDX-License-Identifier: Apache-2.0

// Package xmpp is just enough XMPP to probe a server: streams, features, STARTTLS, IQ. It imports the standard library only.
//
// The peer is never trusted: what it sends is bounded in bytes and depth, what it says is cleaned before it becomes an error
// text, and no call outlives its context, however slowly the peer answers.
package xmpp

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// Namespaces of streams.
const (
	Client    = "jabber:client"
	Server    = "jabber:server"
	Component = "jabber:component:accept"

	// Dialback is the namespace of what servers prove who they are with (XEP-0220).
	Dialback = "jabber:server:dialback"

	nsStream       = "http://etherx.jabber.org/streams"
	nsStreamErrors = "urn:ietf:params:xml:ns:xmpp-streams"
)

// Header is what stands in a stream's opening tag.
type Header struct {
	Namespace string // Client, Server or Component
	To, From  string // From may be empty
	ID        string // of an answer
	Version   string // of an answer, "1.0"
	Dialback  bool   // the answer declares the namespace of server dialback
}

// Stream is an XMPP stream over a connection. One goroutine may send while another receives; everything else is for one
// goroutine at a time.
type Stream struct {
	conn   net.Conn // the raw connection, then the TLS one
	raw    *metered
	in     *reader
	header Header // as we sent it
	answer Header
	tls    *TLS
	ids    atomic.Int64
}

// NewStream takes over a connection.
func NewStream(conn net.Conn) *Stream {
	raw := &metered{Conn: conn}
	return &Stream{conn: raw, raw: raw, in: newReader(raw, maxClear)}
}

// Open opens the stream, or opens it anew after TLS or authentication, and returns the peer's opening tag.
func (s *Stream) Open(ctx context.Context, h Header) (Header, error) {
	if err := s.Send(ctx, openingTag(h)); err != nil {
		return Header{}, err
	}
	if h.Namespace == Component {
		s.in.total = unlimited // a component speaks in clear all its life
	}
	s.in.restart()
	s.header = h
	defer s.reading(ctx)()
	answer, err := s.in.open()
	if err != nil {
		return Header{}, s.failed(ctx, err)
	}
	if answer.Namespace != h.Namespace {
		return Header{}, fmt.Errorf("%w: its namespace is %q instead of %s", ErrMalformed, Clean(answer.Namespace), h.Namespace)
	}
	s.answer = answer
	return answer, nil
}

// Reopen opens the stream anew with the same header.
func (s *Stream) Reopen(ctx context.Context) (Header, error) { return s.Open(ctx, s.header) }

// Send writes XML as it is.
func (s *Stream) Send(ctx context.Context, xml string) error {
	defer s.guard(ctx, s.conn.SetWriteDeadline)()
	_, err := s.conn.Write([]byte(xml))
	return s.failed(ctx, err)
}

// Receive reads the next element below the stream: a stanza, features, an answer of SASL. A stream error becomes a
// *StreamError, the end of the stream ErrClosed.
func (s *Stream) Receive(ctx context.Context) (*Element, error) {
	defer s.reading(ctx)()
	e, err := s.in.next()
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	if e.Name.Space == nsStream && e.Name.Local == "error" {
		return nil, streamError(e)
	}
	return e, nil
}

// Close ends the stream politely: it waits for the peer's closing tag, but not for long.
func (s *Stream) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	err := s.Send(ctx, "</stream:stream>")
	for err == nil {
		_, err = s.Receive(ctx)
	}
	return s.Abort()
}

// farewell is how long Close waits for the peer's closing tag.
const farewell = 500 * time.Millisecond

// Abort closes the connection without a word.
func (s *Stream) Abort() error { return s.conn.Close() }

// TLS is what is known about the encryption, also where the handshake failed for its certificate; nil before.
func (s *Stream) TLS() *TLS { return s.tls }

// ConnectionState is that of the TLS connection, for channel binding; nil in clear.
func (s *Stream) ConnectionState() *tls.ConnectionState {
	conn, ok := s.conn.(*tls.Conn)
	if !ok {
		return nil
	}
	state := conn.ConnectionState()
	return &state
}

// Answered tells whether the peer has sent anything at all.
func (s *Stream) Answered() bool { return s.raw.received.Load() }

func (s *Stream) reading(ctx context.Context) (release func()) {
	return s.guard(ctx, s.conn.SetReadDeadline)
}

// guard makes a blocking call end with its context: connections know nothing of contexts, only of deadlines.
func (s *Stream) guard(ctx context.Context, setDeadline func(time.Time) error) (release func()) {
	deadline, _ := ctx.Deadline() // the zero time is no deadline
	_ = setDeadline(deadline)     // fails on a closed connection only: the call itself will say so
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(interrupted)
		_ = setDeadline(time.Unix(1, 0))
	})
	return func() {
		if !stop() {
			<-interrupted // or it would hit the next call
		}
	}
}

// metered notes whether anything arrived.
type metered struct {
	net.Conn
	received atomic.Bool
}

func (m *metered) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p)
	if n > 0 {
		m.received.Store(true)
	}
	return n, err
}
