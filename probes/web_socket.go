// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/coder/websocket"

	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

const (
	nsFraming   = "urn:ietf:params:xml:ns:xmpp-framing"
	nsStreams   = "http://etherx.jabber.org/streams"
	subprotocol = "xmpp"
)

// openWebSocket opens a stream as RFC 7395 wants it, up to the features.
func (b *browsing) openWebSocket(ctx context.Context, c *browser) {
	var conn *websocket.Conn
	if !c.phase(Stream, func() (err error) {
		conn, err = c.upgrade(ctx)
		return err
	}) {
		return
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(maxBody)
	if !c.phase(Stream, func() error {
		open := fmt.Sprintf("<open xmlns='%s' to='%s' version='1.0'/>", nsFraming, xmpp.Escape(b.domain))
		if err := conn.Write(ctx, websocket.MessageText, []byte(open)); err != nil {
			return socketError(err)
		}
		return expect(ctx, conn, nsFraming, "open")
	}) {
		return
	}
	if !c.phase(Features, func() error { return expect(ctx, conn, nsStreams, "features") }) {
		return
	}
	c.said = "WebSocket stream opened"
	if conn.Write(ctx, websocket.MessageText, []byte("<close xmlns='"+nsFraming+"'/>")) == nil {
		_ = expect(ctx, conn, nsFraming, "close")
	}
}

// upgrade asks for a WebSocket that speaks XMPP.
func (c *browser) upgrade(ctx context.Context) (*websocket.Conn, error) {
	conn, answer, err := websocket.Dial(ctx, c.url.String(), &websocket.DialOptions{HTTPClient: c.Client, Subprotocols: []string{subprotocol}})
	switch {
	case err == nil && conn.Subprotocol() == subprotocol:
		return conn, nil
	case err == nil:
		_ = conn.CloseNow()
		return nil, &Failure{Reason: Protocol, Err: errors.New("WebSocket: the server does not answer with subprotocol xmpp")}
	case answer != nil && answer.StatusCode != 101:
		return nil, &Failure{Reason: Protocol, Err: fmt.Errorf("WebSocket: the server %s", fetched{Response: answer}.status())}
	case answer != nil:
		return nil, &Failure{Reason: Protocol, Err: errors.New("WebSocket: the upgrade is not as RFC 6455 wants it")}
	}
	return nil, webError(err)
}

// expect reads the next frame, which is one element.
func expect(ctx context.Context, conn *websocket.Conn, space, local string) error {
	kind, text, err := conn.Read(ctx)
	if err != nil {
		return socketError(err)
	}
	e, err := xmpp.Parse(text)
	if ended, ok := errors.AsType[*xmpp.StreamError](err); ok {
		return ended
	}
	switch {
	case err != nil || kind != websocket.MessageText:
		return &Failure{Reason: Protocol, Err: fmt.Errorf("WebSocket: no element where <%s> belongs", local)}
	case e.Name.Space == space && e.Name.Local == local:
		return nil
	case e.Name.Space == nsFraming && e.Name.Local == "close":
		return &Failure{Reason: Closed, Err: errors.New("WebSocket: the server closes the stream")}
	}
	return &Failure{Reason: Protocol, Err: fmt.Errorf("WebSocket: <%s> where <%s> belongs", xmpp.Clean(e.Name.Local), local)}
}

// socketError types an error of a WebSocket that was open.
func socketError(err error) error {
	if errors.Is(err, websocket.ErrMessageTooBig) {
		return &Failure{Reason: Protocol, Err: fmt.Errorf("WebSocket: a frame is larger than %d KiB", maxBody>>10)}
	}
	if websocket.CloseStatus(err) != -1 || errors.Is(err, io.EOF) {
		return &Failure{Reason: Closed, Err: errors.New("WebSocket: the server closes the connection")}
	}
	return webError(err)
}
