// SPDX-License-Identifier: Apache-2.0

package xmpp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
	"github.com/chapril/ejabberd_exporter/internal/xmpp"
	. "github.com/chapril/ejabberd_exporter/internal/xmpp/xmpptest"
)

const domain = "example.org"

var clientHeader = xmpp.Header{Namespace: xmpp.Client, To: domain}

func dial(t *testing.T, script Script) *xmpp.Stream {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", Serve(t, "127.0.0.1:0", script).Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	s := xmpp.NewStream(conn)
	t.Cleanup(func() { _ = s.Abort() })
	return s
}

// soon is a context for what takes no time at all.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// authority makes an authority, and the TLS configuration of a server with one of its certificates.
func authority(t *testing.T, options service.CertOptions) (*service.CA, *tls.Config) {
	t.Helper()
	ca, err := service.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(options)
	if err != nil {
		t.Fatal(err)
	}
	return ca, With(cert.TLS)
}

func TestStartTLS(t *testing.T) {
	ca, config := authority(t, service.CertOptions{Names: []string{domain}})
	s := dial(t, ClientServer(domain, config))
	ctx := soon(t)
	if s.Answered() {
		t.Error("answered before anything was asked")
	}
	answer, err := s.Open(ctx, clientHeader)
	if err != nil || answer.From != domain || answer.Version != "1.0" || answer.ID == "" {
		t.Fatalf("opening tag %+v, %v", answer, err)
	}
	before, err := s.Features(ctx)
	if err != nil || !before.StartTLS || !before.StartTLSRequired || len(before.Mechanisms) > 0 {
		t.Fatalf("features before TLS %+v, %v", before, err)
	}
	if err := s.StartTLS(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Handshake(ctx, &tls.Config{ServerName: domain, RootCAs: ca.Pool(), MinVersion: tls.VersionTLS12}); err != nil {
		t.Fatal(err)
	}
	if s.TLS().Version != tls.VersionTLS13 || s.ConnectionState() == nil {
		t.Errorf("TLS %+v", s.TLS())
	}
	if _, err := s.Reopen(ctx); err != nil {
		t.Fatal(err)
	}
	after, err := s.Features(ctx)
	if err != nil || !after.Offers("SCRAM-SHA-256") || !after.Offers("PLAIN") || after.Offers("EXTERNAL") {
		t.Fatalf("features after TLS %+v, %v", after, err)
	}
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
}

// Whatever a peer sends first, the error says what it was.
func TestHostilePeers(t *testing.T) {
	header := Header(xmpp.Client, domain)
	deep := strings.Repeat("<a>", 40)
	for name, c := range map[string]struct {
		send Step
		is   error
		text string
	}{
		"host-unknown":         {Send(header + StreamError("host-unknown", "")), nil, "stream error host-unknown"},
		"text of the peer":     {Send(header + StreamError("see-other-host", "a|b\n\tc\u202e")), nil, "stream error see-other-host (a b c)"},
		"closed":               {Send(""), xmpp.ErrClosed, "the peer closed the connection"},
		"closed in the middle": {Send(header + "<stream:feat"), xmpp.ErrClosed, "the peer closed the connection"},
		"stream ended":         {Send(header + "</stream:stream>"), xmpp.ErrClosed, "the peer closed the stream"},
		"not XML":              {Send("SSH-2.0-OpenSSH_9.2\r\n"), xmpp.ErrMalformed, "not an XMPP stream: the peer does not speak XML"},
		"TLS":                  {Send("\x15\x03\x01\x00\x02\x02\x46"), xmpp.ErrMalformed, "not an XMPP stream: the peer speaks TLS at once, this is a direct TLS port"},
		"other XML":            {Send("<html>"), xmpp.ErrMalformed, "not an XMPP stream: it begins with <html>"},
		"other namespace":      {Send(Header(xmpp.Server, domain)), xmpp.ErrMalformed, `not an XMPP stream: its namespace is "jabber:server" instead of jabber:client`},
		"old version":          {Send(strings.Replace(header, "version='1.0' xml", "xml", 1)), xmpp.ErrMalformed, "not an XMPP stream: no version, so no features will come"},
		"no features":          {Send(header + "<iq/>"), xmpp.ErrMalformed, "not an XMPP stream: <iq> instead of features"},
		"doctype":              {Send("<!DOCTYPE a [<!ENTITY b 'c'>]>" + header), xmpp.ErrMalformed, "not an XMPP stream: document type definition"},
		"comment":              {Send(header + "<!-- a -->"), xmpp.ErrMalformed, "not an XMPP stream: comment"},
		"instruction":          {Send(header + "<?php a ?>"), xmpp.ErrMalformed, "not an XMPP stream: processing instruction"},
		"entity":               {Send(header + "<a>&b;</a>"), xmpp.ErrMalformed, "not an XMPP stream: invalid character entity &b;"},
		"not UTF-8":            {Send(header + "<a>\xff\xfe</a>"), xmpp.ErrMalformed, "not an XMPP stream: invalid UTF-8"},
		"text between":         {Send(header + "hello<a/>"), xmpp.ErrMalformed, "not an XMPP stream: text between elements"},
		"deep":                 {Send(header + deep), xmpp.ErrMalformed, "not an XMPP stream: more than 32 elements inside each other"},
		"endless headers":      {Endless(header), xmpp.ErrMalformed, "not an XMPP stream: processing instruction"},
		"endless text":         {Endless(" "), xmpp.ErrMalformed, "not an XMPP stream: more than 64 KiB before TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			s := dial(t, Script{Expect("<stream:stream"), Expect(">"), c.send})
			_, err := s.Open(soon(t), clientHeader)
			if err == nil {
				_, err = s.Features(soon(t))
			}
			if err == nil || err.Error() != c.text {
				t.Errorf("got %v, want %s", err, c.text)
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%v is not %v", err, c.is)
			}
		})
	}
}

// One byte per packet is slow and healthy.
func TestFragments(t *testing.T) {
	answer := Header(xmpp.Client, domain) + Features(StartTLSOptional, Mechanisms("SCRAM-SHA-1"))
	s := dial(t, Script{Expect(">"), Fragments(answer, 0)})
	if _, err := s.Open(soon(t), clientHeader); err != nil {
		t.Fatal(err)
	}
	f, err := s.Features(soon(t))
	if err != nil || !f.StartTLS || f.StartTLSRequired || !f.Offers("SCRAM-SHA-1") {
		t.Errorf("features %+v, %v", f, err)
	}
}

// A silent peer costs no more than the context allows, whether it has a deadline or is cancelled.
func TestContext(t *testing.T) {
	t.Run("deadline", func(t *testing.T) {
		s := dial(t, Script{BlackHole()})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := s.Open(ctx, clientHeader); !errors.Is(err, xmpp.ErrTimeout) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("deadline in TLS", func(t *testing.T) {
		s := dial(t, Script{BlackHole()})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := s.Handshake(ctx, &tls.Config{ServerName: domain}); !errors.Is(err, xmpp.ErrTimeout) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		s := dial(t, Script{Expect(">"), Send(Header(xmpp.Client, domain)), BlackHole()})
		if _, err := s.Open(soon(t), clientHeader); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		if _, err := s.Features(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// TestLate: what came too late for one question is still there for the next, also behind whitespace.
func TestLate(t *testing.T) {
	s := dial(t, Script{Expect(">"), Send(Header(xmpp.Client, domain) + "\n "), Expect("<more/>"), Send(" <a/>"), BlackHole()})
	if _, err := s.Open(soon(t), clientHeader); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, err := s.Receive(ctx); !errors.Is(err, xmpp.ErrTimeout) {
			t.Errorf("got %v", err)
		}
		cancel()
	}
	if err := s.Send(soon(t), "<more/>"); err != nil {
		t.Fatal(err)
	}
	if e, err := s.Receive(soon(t)); err != nil || e.Name.Local != "a" {
		t.Errorf("got %v, %v", e, err)
	}
}

func TestStartTLSInjection(t *testing.T) {
	s := dial(t, Join(
		Open(Header(xmpp.Client, domain), Features(StartTLSRequired)),
		Script{Expect("<starttls"), Expect(">"), Send(Proceed + "<iq type='get'/>"), BlackHole()},
	))
	ctx := soon(t)
	if _, err := s.Open(ctx, clientHeader); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Features(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.StartTLS(ctx); !errors.Is(err, xmpp.ErrMalformed) {
		t.Errorf("got %v", err)
	}
}
