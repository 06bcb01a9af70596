// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"fmt"
	"net"

	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

// Component is an external component (XEP-0114) that sends messages back and answers pings.
type Component struct {
	Host string

	stream *xmpp.Stream
	cancel context.CancelFunc
	ended  chan struct{}
}

// StartComponent connects host to the component listener at address.
func StartComponent(ctx context.Context, address, host, secret string) (*Component, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect a component: %w", err)
	}
	stream := xmpp.NewStream(conn)
	if err := stream.Join(ctx, host, secret); err != nil {
		_ = stream.Abort()
		return nil, fmt.Errorf("connect a component: %w", err)
	}
	running, cancel := context.WithCancel(context.Background()) //nolint:contextcheck // it outlives ctx, until Stop
	c := &Component{Host: host, stream: stream, cancel: cancel, ended: make(chan struct{})}
	go c.answer(running)
	return c, nil
}

func (c *Component) answer(ctx context.Context) {
	defer close(c.ended)
	for {
		e, err := c.stream.Receive(ctx)
		if err != nil {
			return
		}
		if reply := echo(e); reply != "" {
			if err := c.stream.Send(ctx, reply); err != nil {
				return
			}
		}
	}
}

// echo is the answer to a stanza, or nothing.
func echo(e *xmpp.Element) string {
	address := fmt.Sprintf("from='%s' to='%s' id='%s'",
		xmpp.Escape(e.Attribute("to")), xmpp.Escape(e.Attribute("from")), xmpp.Escape(e.Attribute("id")))
	body := e.Child(xmpp.Component, "body")
	switch kind := e.Attribute("type"); {
	case e.Name.Local == "message" && kind != "error" && body != nil:
		return "<message type='chat' " + address + "><body>" + xmpp.Escape(body.Text) + "</body>" + hints(e) + "</message>"
	case e.Name.Local == "iq" && kind == "get" && e.Child("urn:xmpp:ping", "ping") != nil:
		return "<iq type='result' " + address + "/>"
	case e.Name.Local == "iq" && (kind == "get" || kind == "set"):
		return "<iq type='error' " + address + "><error type='cancel'>" +
			"<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
	}
	return ""
}

// hints are those of a message that say where not to keep it (XEP-0334): what comes back is no more worth keeping.
func hints(e *xmpp.Element) (all string) {
	for _, c := range e.Children {
		if c.Name.Space == "urn:xmpp:hints" {
			all += "<" + c.Name.Local + " xmlns='urn:xmpp:hints'/>"
		}
	}
	return all
}

// Stop disconnects the component.
func (c *Component) Stop() {
	c.cancel()
	<-c.ended
	_ = c.stream.Abort()
}
