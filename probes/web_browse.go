// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"

	"github.com/chapril/ejabberd_exporter/internal/web"
	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

const (
	maxRedirects = 3
	maxLinks     = 4 // of each sort in host-meta
)

// browsing is the run of a probe that visits web servers.
type browsing struct {
	*engine
	domain   string
	settings webSettings

	mu    sync.Mutex
	links map[string][]*url.URL // by service: what host-meta names
}

// browser is a visit by HTTP/1.1 over TLS. It speaks to its one address, whatever the URL's host resolves to.
type browser struct {
	*visit
	config *tls.Config
	conn   *web.Conn // nil after an answer that was the last one
	used   bool      // the connection has answered before: the server may have closed it by now
}

// look goes to one endpoint and does there what its service is about.
func (b *browsing) look(ctx context.Context, at endpoint) *visit {
	c := &browser{visit: newVisit(at)}
	c.config = b.tls(c.visit)
	defer c.close()
	if !c.open(ctx) {
		if at.name == webRegister.name && b.settings.register == registerAbsent && c.failure.Phase == Connect {
			c.failure, c.said = nil, "no web server, so no registration"
		}
		return c.visit
	}
	switch at.name {
	case hostMeta.name:
		b.readHostMeta(ctx, c)
	case bosh.name:
		b.openBOSH(ctx, c)
	case webSocket.name:
		b.openWebSocket(ctx, c)
	case webRegister.name:
		b.readRegistration(ctx, c)
	}
	return c.visit
}

// open connects and makes the TLS handshake.
func (c *browser) open(ctx context.Context) bool {
	var raw net.Conn
	return c.phase(Connect, func() (err error) {
		raw, err = dial(ctx, "tcp", c.address())
		return network(err)
	}) && c.phase(Handshake, func() error {
		conn := tls.Client(raw, c.config)
		if err := conn.HandshakeContext(ctx); err != nil {
			_ = raw.Close()
			if bad, ok := errors.AsType[*xmpp.CertificateError](err); ok {
				return bad
			}
			return network(err)
		}
		c.conn, c.answered = web.New(conn), true
		return nil
	})
}

func (c *browser) close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn, c.used = nil, false
	}
}

// tls asks for the host of the URL, and notes what it learns about its certificate.
func (b *browsing) tls(v *visit) *tls.Config {
	config := &tls.Config{ServerName: v.url.Hostname(), RootCAs: b.roots, MinVersion: uint16(b.tlsMin)}
	judge := config.Clone()
	config.InsecureSkipVerify = true // we verify ourselves, to know everything about a bad certificate
	config.VerifyConnection = func(state tls.ConnectionState) error {
		facts := xmpp.Inspect(state, judge)
		v.tls = &facts
		return facts.Err()
	}
	return config
}

// fetched is the answer to a request, and where it came from in the end.
type fetched struct {
	*web.Answer
	from *url.URL
}

// get fetches a page. It follows redirects on the same host and port alone: another one says nothing about this one.
func (c *browser) get(ctx context.Context, u *url.URL) (fetched, error) {
	for range maxRedirects {
		got, err := c.fetch(ctx, web.Request{Method: "GET"}, u)
		if err != nil {
			return got, err
		}
		next, err := u.Parse(got.Header.Get("Location"))
		if !got.redirects() || err != nil || next.Scheme != u.Scheme || next.Host != u.Host {
			return got, nil
		}
		u = next
	}
	return c.fetch(ctx, web.Request{Method: "GET"}, u)
}

// fetch makes one request, over a new connection where the server closed the last one. Its phase is that of its caller.
func (c *browser) fetch(ctx context.Context, r web.Request, u *url.URL) (fetched, error) {
	if c.conn == nil && !c.open(ctx) {
		return fetched{}, c.failure
	}
	r.Host, r.Path = u.Host, u.RequestURI()
	got, err := c.conn.Do(ctx, r)
	if c.used && err != nil && errors.Is(network(err), xmpp.ErrClosed) {
		c.close()
		return c.fetch(ctx, r, u)
	}
	if err != nil {
		return fetched{}, webError(err)
	}
	c.used = true
	if got.Last {
		c.close()
	}
	return fetched{got, u}, nil
}

func (f fetched) redirects() bool {
	return f.Status >= 300 && f.Status < 400 && f.Header.Get("Location") != ""
}

// status says in words what the server answered instead of 200.
func (f fetched) status() string {
	text := fmt.Sprintf("answers %d", f.Status)
	if f.redirects() {
		text += ", a redirect to another place, which is not followed"
	}
	return text
}

// webError finds the reason for what went wrong with HTTP or WebSocket.
func webError(err error) error {
	switch {
	case errors.Is(err, web.ErrMalformed), errors.Is(err, web.ErrTooLarge), errors.Is(err, web.ErrNoSocket):
		return &Failure{Reason: Protocol, Err: err}
	case errors.Is(err, web.ErrClosed):
		return &Failure{Reason: Closed, Err: err}
	}
	return network(err)
}
