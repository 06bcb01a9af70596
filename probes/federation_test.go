// SPDX-License-Identifier: Apache-2.0

package probes_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
	"github.com/chapril/ejabberd_exporter/internal/xmpp"
	. "github.com/chapril/ejabberd_exporter/internal/xmpp/xmpptest"
	"github.com/chapril/ejabberd_exporter/probes"
)

// scripted is a probed server by script, and where the probe is dialled back.
type scripted struct {
	t       *testing.T
	ca      authority
	address string
}

func newScripted(t *testing.T) scripted {
	t.Helper()
	ports, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	return scripted{t, newAuthority(t), net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[0]))}
}

// run runs the probe on a server that takes its stream and then does what the steps say.
func (s scripted) run(features string, steps ...Step) (*probes.Report, error) {
	header := Header("jabber:server", domain)
	if features == "" { // servers without it say nothing of it in their header either
		header = strings.Replace(header, " xmlns:db='jabber:server:dialback'", "", 1)
	}
	config := s.ca.config(s.t, lasting(60))
	visit := PeerServer(domain, config)
	peer := Serve(s.t, "127.0.0.1:0", visit, Join(Open(header, Features(StartTLSRequired)), Upgrade(config), Open(header, Features(features)), steps))
	return runWithin(s.t, 3*time.Second, probes.Federation(), domain, s.settings(peer.Addr)...)
}

func (s scripted) settings(to netip.AddrPort) []string {
	cert, key := showable(s.t, s.ca.CA, us)
	return at(to, "probe-domain="+us, "listen="+s.address, "ca-file="+s.ca.file, "cert="+cert, "key="+key)
}

// dialBack opens a stream to the probe, as far as it comes.
func (s scripted) dialBack(header xmpp.Header, roots authority) (*xmpp.Stream, error) {
	conn, err := new(net.Dialer).DialContext(s.t.Context(), "tcp", s.address)
	if err != nil {
		return nil, err
	}
	stream := xmpp.NewStream(conn)
	ctx := s.t.Context()
	if _, err = stream.Open(ctx, header); err == nil {
		_, err = stream.Features(ctx)
	}
	if err == nil {
		err = stream.StartTLS(ctx)
	}
	if err == nil {
		err = stream.Handshake(ctx, &tls.Config{ServerName: us, RootCAs: roots.Pool(), MinVersion: tls.VersionTLS12})
	}
	if err == nil {
		_, err = stream.Reopen(ctx)
	}
	if err == nil {
		_, err = stream.Features(ctx)
	}
	return stream, err
}

var (
	fromServer = xmpp.Header{Namespace: xmpp.Server, To: us, From: domain}
	key        = Join(Script{Expect("<db:result "), Expect("</db:result>")})
)

func verdict(kind, inside string) Step {
	return Send("<db:result from='" + domain + "' to='" + us + "' type='" + kind + "'>" + inside + "</db:result>")
}

func dialbackError(condition string) Step {
	return verdict("error", "<error xmlns='jabber:server' type='cancel'><"+condition+" xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>")
}

// TestFederationSituations: whatever happens, the probe says in which direction.
func TestFederationSituations(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		features      string
		steps         func(scripted) Script
		failure, text string
		back          string // figure
	}{
		"no dialback": {"", func(scripted) Script { return nil }, "features/mechanism", "CRITICAL out: features: neither dialback nor EXTERNAL is offered", "U"},
		"EXTERNAL refused": {
			Mechanisms("EXTERNAL"),
			func(scripted) Script { return Script{Expect("</auth>"), Send(NotAuthorized)} },
			"auth/refused", "CRITICAL out: auth: login refused: not-authorized\n", "U",
		},
		"invalid": {
			Dialback, func(scripted) Script { return Join(key, Script{verdict("invalid", "")}) }, "connect/refused",
			"CRITICAL back: connect: the server says that our key is invalid: something else may answer for --probe-domain, and nobody dialled back to probe.test", "U",
		},
		"item-not-found": {
			Dialback, func(scripted) Script { return Join(key, Script{dialbackError("item-not-found")}) }, "connect/refused",
			"CRITICAL back: connect: the server answered item-not-found, and nobody dialled back to probe.test", "U",
		},
		"remote-server-timeout": {
			Dialback, func(scripted) Script { return Join(key, Script{dialbackError("remote-server-timeout")}) }, "connect/timeout",
			"CRITICAL back: connect: the server answered remote-server-timeout, and nobody", "U",
		},
		"silence": {
			Dialback, func(scripted) Script { return Join(key, Script{BlackHole()}) }, "connect/timeout",
			"CRITICAL back: connect: the server did not say in time whether it believes us, and nobody dialled back", "U",
		},
		"closed": {Dialback, func(scripted) Script { return key }, "auth/closed", "CRITICAL back: auth: the peer closed the connection\n", "U"},
		"stream error": {
			Dialback, func(scripted) Script { return Join(key, Script{Send(StreamError("policy-violation", "no"))}) }, "auth/stream_error",
			"CRITICAL back: auth: stream error policy-violation (no)\n", "U",
		},
		"does not trust our certificate": {
			Dialback, func(s scripted) Script {
				return Join(key, Script{Do(func() {
					if stream, err := s.dialBack(fromServer, newAuthority(s.t)); err == nil {
						s.t.Error("an unknown authority is trusted")
						_ = stream.Abort()
					}
				}), dialbackError("remote-server-timeout")})
			},
			"handshake/tls_alert", "CRITICAL back: handshake: when the server dialled back over ip4: remote error: tls: ", "U",
		},
		"goes on without TLS": {
			Dialback, func(s scripted) Script {
				return Join(key, Script{Do(func() { s.clear() }), dialbackError("remote-server-timeout")})
			},
			"starttls/starttls_missing", "CRITICAL back: starttls: when the server dialled back over ip4: the server goes on without TLS on the stream that it opened to us\n", "U",
		},
		"believes without asking, and does not come": {
			Dialback, func(scripted) Script { return Join(key, Script{verdict("valid", ""), BlackHole()}) }, "ping/timeout",
			"CRITICAL ping: ping: no answer: the server opened no stream of its own to us", "known",
		},
		"answers the wrong way": {
			Dialback, func(scripted) Script {
				return Join(key, Script{verdict("valid", ""), Echo("id='", "'", "<iq type='result' from='"+domain+"' to='"+us+"' id='%s'/>"), BlackHole()})
			},
			"ping/protocol", "CRITICAL ping: ping: the server answered on the stream that we opened, which says nothing of the way back\n", "known",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScripted(t)
			r, err := s.run(c.features, c.steps(s)...)
			if err != nil || failures(r) != c.failure || !strings.Contains(texts(r), c.text) {
				t.Errorf("%v, %s\n%s", err, failures(r), texts(r))
			}
			if _, known := figure(t, probes.Federation(), r, "back"); known != (c.back == "known") {
				t.Errorf("back is known: %v", known)
			}
		})
	}
}

// clear opens a stream and asks for no TLS.
func (s scripted) clear() {
	conn, err := new(net.Dialer).DialContext(s.t.Context(), "tcp", s.address)
	if err != nil {
		s.t.Error(err)
		return
	}
	stream := xmpp.NewStream(conn)
	defer func() { _ = stream.Abort() }()
	ctx := s.t.Context()
	if _, err := stream.Open(ctx, fromServer); err != nil {
		s.t.Error(err)
	}
	_ = stream.Send(ctx, "<db:result from='"+domain+"' to='"+us+"'>key</db:result>")
	for err == nil {
		_, err = stream.Receive(ctx)
	}
}

// TestFederationWithoutWay: names that lead nowhere are the way out.
func TestFederationWithoutWay(t *testing.T) {
	t.Parallel()
	names := zone(t)
	r, err := run(t, probes.Federation(), "probe-domain="+us, "resolver="+names.Addr())
	if err != nil || failures(r) != "resolve/dns" || !strings.HasPrefix(texts(r), "CRITICAL out: resolve: no address\nCRITICAL "+domain+": resolve: no address\n") {
		t.Errorf("%v, %s\n%s", err, failures(r), texts(r))
	}
}

// TestStrangersAtTheDoor: the port is open to the world for a moment. Only the probed server gets anything there.
func TestStrangersAtTheDoor(t *testing.T) {
	t.Parallel()
	s := newScripted(t)
	ctx := t.Context()
	steps := Script{Do(func() {
		for _, h := range []xmpp.Header{
			{Namespace: xmpp.Server, To: "other.test", From: domain},
			{Namespace: xmpp.Server, To: us, From: "other.test"},
			{Namespace: xmpp.Server, To: us},
			{Namespace: xmpp.Client, To: us},
		} {
			stream, err := s.dialBack(h, s.ca)
			if stream != nil {
				_ = stream.Abort()
			}
			refused, ok := errors.AsType[*xmpp.StreamError](err)
			if h.Namespace == xmpp.Server && (!ok || refused.Condition != "host-unknown") || err == nil {
				t.Errorf("from %q to %q: %v", h.From, h.To, err)
			}
		}
		for _, garbage := range []string{"GET / HTTP/1.1\r\n\r\n", "<stream", "\x16\x03\x01\x00\x00", strings.Repeat(" ", 300<<10)} {
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.address)
			if err != nil {
				t.Error(err)
				continue
			}
			_, _ = io.WriteString(conn, garbage)
			_ = conn.(*net.TCPConn).CloseWrite()
			if answer, _ := io.ReadAll(conn); len(answer) > 0 {
				t.Errorf("garbage is answered with %q", answer)
			}
			_ = conn.Close()
		}
		// Who says that it is the probed server, but does not know the key.
		stream, err := s.dialBack(fromServer, s.ca)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = stream.Abort() }()
		_ = stream.Send(ctx, "<db:verify from='"+domain+"' to='"+us+"' id='9015376048307457639'>guessed</db:verify>")
		if e, err := stream.Receive(ctx); err != nil || e.Name.Local != "verify" || e.Attribute("type") != "invalid" {
			t.Errorf("a guessed key: %v, %v", e, err)
		}
		_ = stream.Send(ctx, "<db:verify from='other.test' to='"+us+"' id='9015376048307457639'>guessed</db:verify>")
		if e, err := stream.Receive(ctx); err == nil {
			t.Errorf("another domain on the same stream: %v", e)
		}
	}), verdict("invalid", "")}
	r, err := s.run(Dialback, append(key, steps...)...)
	if err != nil || !strings.Contains(texts(r), "CRITICAL back: auth: the server says that our key is invalid") {
		t.Errorf("%v\n%s", err, texts(r))
	}
	if _, err := net.Dial("tcp", s.address); err == nil {
		t.Error("the port stays open after the probe")
	}
}

// TestCrowd: many connections at a time are turned away, and leave the probe as it is.
func TestCrowd(t *testing.T) {
	t.Parallel()
	s := newScripted(t)
	r, err := s.run(Dialback, append(key, Do(func() {
		closed := 0
		for range 40 {
			conn, err := net.Dial("tcp", s.address)
			if err != nil {
				t.Error(err)
				continue
			}
			defer conn.Close()
			_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			if _, err := conn.Read(make([]byte, 1)); errors.Is(err, io.EOF) {
				closed++
			}
		}
		if closed < 20 {
			t.Errorf("%d of 40 connections were turned away", closed)
		}
	}), dialbackError("item-not-found"))...)
	if err != nil || failures(r) != "connect/refused" {
		t.Errorf("%v\n%s", err, texts(r))
	}
}

// TestFederationSettings: mistakes of whoever asks are no verdict about the service.
func TestFederationSettings(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s := newScripted(t)
	cert, keyFile := showable(t, s.ca.CA, us)
	for _, c := range []struct {
		settings []string
		want     string
	}{
		{nil, "--probe-domain is missing: a domain whose SRV record leads to --listen on this machine"},
		{[]string{"probe-domain=a b"}, "--probe-domain is no domain name"},
		{[]string{"probe-domain=Example.ORG."}, "--probe-domain must not be a domain that the probed server serves: a server does not talk to itself this way"},
		{[]string{"probe-domain=probe.example.org"}, "--probe-domain must not be a domain that the probed server serves: a server does not talk to itself this way"},
		{[]string{"probe-domain=" + us, "cert=" + cert}, "--cert and --key belong together"},
		{[]string{"probe-domain=" + us, "cert=/nonexistent/secret", "key=" + keyFile}, "--cert, --key: no such file or directory"},
	} {
		r, err := run(t, probes.Federation(), c.settings...)
		if err == nil || err.Error() != c.want || len(r.Notes) > 0 {
			t.Errorf("%v: %v\n%s", c.settings, err, texts(r))
		}
	}
	config := s.ca.config(t, lasting(60))
	header := Header("jabber:server", domain)
	for address, want := range map[string]string{
		taken.Addr().String(): "--listen: the address is in use: another check, or a server; give each check an address of its own, or run them one after the other",
		"192.0.2.1:5269":      "--listen: cannot assign requested address",
		"nonsense":            "--listen: ",
	} {
		peer := Serve(t, "127.0.0.1:0", PeerServer(domain, config), Join(Open(header, Features(StartTLSRequired)), Upgrade(config), Open(header, Features(Dialback)), Goodbye()))
		s.address = address
		r, err := runWithin(t, 2*time.Second, probes.Federation(), domain, s.settings(peer.Addr)...)
		if err == nil || !strings.HasPrefix(err.Error(), want) || r.Worst() != probes.OK {
			t.Errorf("%s: %v\n%s", address, err, texts(r))
		}
	}
}
