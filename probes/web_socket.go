// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"errors"
	"fmt"

	"github.com/chapril/ejabberd_exporter/internal/web"
	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

const (
	nsFraming   = "urn:ietf:params:xml:ns:xmpp-framing"
	nsStreams   = "http://etherx.jabber.org/streams"
	subprotocol = "xmpp"
)

// openWebSocket opens a stream as RFC 7395 wants it, up to the features.
func (b *browsing) openWebSocket(ctx context.Context, c *browser) {
	var conn *web.Socket
	if !c.phase(Stream, func() (err error) {
		conn, err = c.upgrade(ctx)
		return err
	}) {
		return
	}
	if !c.phase(Stream, func() error {
		open := fmt.Sprintf("<open xmlns='%s' to='%s' version='1.0'/>", nsFraming, xmpp.Escape(spelled(b.domain)))
		if err := conn.Send(ctx, open); err != nil {
			return webError(err)
		}
		return expect(ctx, conn, nsFraming, "open")
	}) {
		return
	}
	if !c.phase(Features, func() error { return expect(ctx, conn, nsStreams, "features") }) {
		return
	}
	c.said = "WebSocket stream opened"
	if conn.Send(ctx, "<close xmlns='"+nsFraming+"'/>") == nil {
		_ = expect(ctx, conn, nsFraming, "close")
	}
}

// upgrade asks for a WebSocket that speaks XMPP.
func (c *browser) upgrade(ctx context.Context) (*web.Socket, error) {
	conn, answer, err := c.conn.Upgrade(ctx, c.url.Host, c.url.RequestURI(), subprotocol)
	switch {
	case err != nil:
		return nil, webError(err)
	case conn == nil:
		return nil, &Failure{Reason: Protocol, Err: fmt.Errorf("WebSocket: the server %s", fetched{Answer: answer}.status())}
	case conn.Subprotocol != subprotocol:
		return nil, &Failure{Reason: Protocol, Err: errors.New("WebSocket: the server does not answer with subprotocol xmpp")}
	}
	return conn, nil
}

// expect reads the next frame, which is one element.
func expect(ctx context.Context, conn *web.Socket, space, local string) error {
	text, err := conn.Receive(ctx)
	if err != nil {
		return webError(err)
	}
	e, err := xmpp.Parse(text)
	if ended, ok := errors.AsType[*xmpp.StreamError](err); ok {
		return ended
	}
	switch {
	case err != nil:
		return &Failure{Reason: Protocol, Err: fmt.Errorf("WebSocket: no element where <%s> belongs", local)}
	case e.Name.Space == space && e.Name.Local == local:
		return nil
	case e.Name.Space == nsFraming && e.Name.Local == "close":
		return &Failure{Reason: Closed, Err: errors.New("WebSocket: the server closes the stream")}
	}
	return &Failure{Reason: Protocol, Err: fmt.Errorf("WebSocket: <%s> where <%s> belongs", xmpp.Clean(e.Name.Local), local)}
}
