// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

// What a web server may send.
const (
	maxBody      = 256 << 10
	maxHeaders   = 64 << 10
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
	*http.Client
}

// look goes to one endpoint and does there what its service is about.
func (b *browsing) look(ctx context.Context, at endpoint) *visit {
	v := newVisit(at)
	client, end := open(ctx, v, b.tls(v))
	defer end()
	if client == nil {
		if at.name == webRegister.name && b.settings.register == registerAbsent && v.failure.Phase == Connect {
			v.failure, v.said = nil, "no web server, so no registration"
		}
		return v
	}
	switch at.name {
	case hostMeta.name:
		b.readHostMeta(ctx, client)
	case bosh.name:
		b.openBOSH(ctx, client)
	case webSocket.name:
		b.openWebSocket(ctx, client)
	case webRegister.name:
		b.readRegistration(ctx, client)
	}
	return v
}

// open connects and makes the TLS handshake; nil where that failed.
func open(ctx context.Context, v *visit, config *tls.Config) (client *browser, end func()) {
	end = func() {}
	var raw net.Conn
	dial := func(ctx context.Context) (err error) {
		raw, err = new(net.Dialer).DialContext(ctx, "tcp", v.address())
		return network(err)
	}
	if !v.phase(Connect, func() error { return dial(ctx) }) {
		return nil, end
	}
	var conn net.Conn
	shake := func(ctx context.Context) error {
		secured := tls.Client(raw, config)
		if err := secured.HandshakeContext(ctx); err != nil {
			_ = raw.Close()
			if bad, ok := errors.AsType[*xmpp.CertificateError](err); ok {
				return bad
			}
			return network(err)
		}
		conn = secured
		return nil
	}
	if !v.phase(Handshake, func() error { return shake(ctx) }) {
		return nil, end
	}
	v.answered = true
	transport := &http.Transport{
		DisableCompression: true, MaxResponseHeaderBytes: maxHeaders, MaxConnsPerHost: 1,
		DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			if ready := conn; ready != nil {
				conn = nil
				return ready, nil
			}
			if err := dial(ctx); err != nil { // the server closed the first one after an answer
				return nil, err
			}
			err := shake(ctx)
			ready := conn
			conn = nil
			return ready, err
		},
	}
	client = &browser{v, &http.Client{Transport: transport, CheckRedirect: stayOnHost}}
	return client, func() {
		transport.CloseIdleConnections()
		if conn != nil {
			_ = conn.Close()
		}
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

// stayOnHost follows redirects on the same host and port alone: the answer of another one says nothing about this one.
func stayOnHost(next *http.Request, past []*http.Request) error {
	if len(past) > maxRedirects || next.Method != past[0].Method || next.URL.Scheme != "https" || next.URL.Host != past[0].URL.Host {
		return http.ErrUseLastResponse
	}
	return nil
}

// fetched is the answer to a request.
type fetched struct {
	*http.Response
	body []byte
}

// fetch makes a request and reads its answer, which is bounded in size.
func (c *browser) fetch(ctx context.Context, method string, u *url.URL, kind, body string) (fetched, error) {
	request, err := http.NewRequestWithContext(ctx, method, u.String(), strings.NewReader(body))
	if err != nil {
		return fetched{}, &Failure{Reason: Protocol, Err: errors.New("its URL cannot be asked for")}
	}
	request.Header.Set("User-Agent", "ejabberd_exporter")
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	answer, err := c.Do(request)
	if err != nil {
		return fetched{}, webError(err)
	}
	defer func() { _ = answer.Body.Close() }()
	got, err := io.ReadAll(io.LimitReader(answer.Body, maxBody+1))
	switch {
	case err != nil:
		return fetched{}, webError(err)
	case len(got) > maxBody:
		return fetched{}, &Failure{Reason: Protocol, Err: fmt.Errorf("the answer is larger than %d KiB", maxBody>>10)}
	}
	return fetched{answer, got}, nil
}

// status says in words what the server answered instead of 200.
func (f fetched) status() string {
	text := fmt.Sprintf("answers %d %s", f.StatusCode, http.StatusText(f.StatusCode))
	if f.StatusCode >= 300 && f.StatusCode < 400 && f.Header.Get("Location") != "" {
		text += " to another place, which is not followed"
	}
	return strings.TrimSpace(text)
}

// webError takes URL and addresses out of an error of net/http.
func webError(err error) error {
	if known, ok := errors.AsType[*Failure](err); ok {
		return known
	}
	typed := network(err)
	if outer, ok := errors.AsType[*url.Error](typed); ok { // what is left are complaints about the protocol
		return &Failure{Reason: Protocol, Err: errors.New(xmpp.Clean(outer.Err.Error()))}
	}
	return typed
}
