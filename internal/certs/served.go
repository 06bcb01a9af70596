// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/net/idna"

	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

// Source is where a certificate was seen.
type Source string

// The sources.
const (
	File   Source = "file"
	C2S    Source = "c2s"     // STARTTLS of clients
	C2STLS Source = "c2s_tls" // direct TLS of clients
	S2S    Source = "s2s"     // of other servers
	HTTPS  Source = "https"
)

// patience is how long ejabberd may take for one handshake.
const patience = 2 * time.Second

// SourceOf tells what clients of a listener see; false where it serves no certificate.
func SourceOf(l ejabberdconf.Listener) (Source, bool) {
	if l.Port == 0 || l.Transport != "tcp" {
		return "", false
	}
	switch {
	case l.Module == "ejabberd_c2s" && l.TLS:
		return C2STLS, true
	case l.Module == "ejabberd_c2s" && l.StartTLS:
		return C2S, true
	case l.Module == "ejabberd_s2s_in" && (l.TLS || l.StartTLS):
		return S2S, true
	case l.Module == "ejabberd_http" && l.TLS:
		return HTTPS, true
	}
	return "", false
}

// ErrNoAnswer says that a listener gives no answer at all, so that there is no use in asking for another name.
var ErrNoAnswer = errors.New("no answer")

// Served asks a listener, from this host, for the certificate of a name.
func Served(ctx context.Context, l ejabberdconf.Listener, name string) (*x509.Certificate, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := dial(ctx, l)
	if err != nil {
		return nil, failure(l, err)
	}
	defer conn.Close()
	if l.StartTLS && !l.TLS {
		if err := startTLS(ctx, xmpp.NewStream(conn), l, name); err != nil {
			return nil, failure(l, err)
		}
	}
	// Whether to trust it is for probes to say. A handshake that we end would be a warning in ejabberd.log, each time.
	config := &tls.Config{ServerName: name, MinVersion: tls.VersionTLS12, InsecureSkipVerify: true} //nolint:gosec // nothing is sent
	secured := tls.Client(conn, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, failure(l, err)
	}
	defer secured.Close()
	return secured.ConnectionState().PeerCertificates[0], nil
}

// failure says on which port, and what to do.
func failure(l ejabberdconf.Listener, err error) error {
	err = xmpp.Network(err)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w on port %d: %w: check that ejabberd runs", ErrNoAnswer, l.Port, err)
	case errors.Is(err, xmpp.ErrTimeout):
		return fmt.Errorf("%w on port %d: %w: ejabberd hangs or is overloaded", ErrNoAnswer, l.Port, err)
	}
	return fmt.Errorf("port %d: %w", l.Port, err)
}

// dial connects to the address that the listener is bound to; one on all addresses is reached on a loopback one.
func dial(ctx context.Context, l ejabberdconf.Listener) (conn net.Conn, err error) {
	hosts := []string{l.IP}
	if ip, err := netip.ParseAddr(l.IP); err == nil && ip.IsUnspecified() {
		hosts = []string{"127.0.0.1"}
		if ip.Is6() {
			hosts = []string{"::1", "127.0.0.1"} // not every host has the first
		}
	}
	var dialer net.Dialer
	for _, host := range hosts {
		if conn, err = dialer.DialContext(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(l.Port))); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// startTLS says for which host, since servers are served by that and not by SNI: in Unicode, as XMPP has it. ejabberd knows no host
// by its name in the DNS.
func startTLS(ctx context.Context, stream *xmpp.Stream, l ejabberdconf.Listener, name string) error {
	if unicode, err := idna.Punycode.ToUnicode(name); err == nil {
		name = unicode
	}
	header := xmpp.Header{Namespace: xmpp.Client, To: name}
	if l.Module == "ejabberd_s2s_in" {
		header.Namespace = xmpp.Server
	}
	if _, err := stream.Open(ctx, header); err != nil {
		return err
	}
	features, err := stream.Features(ctx)
	if err != nil {
		return err
	}
	if !features.StartTLS {
		return errors.New("STARTTLS is not offered, though ejabberd.yml says so")
	}
	return stream.StartTLS(ctx)
}
