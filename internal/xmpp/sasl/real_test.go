// SPDX-License-Identifier: Apache-2.0

package sasl_test

import (
	"crypto/tls"
	"errors"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/service"
	"github.com/chapril/ejabberd_exporter/internal/xmpp"
	"github.com/chapril/ejabberd_exporter/internal/xmpp/sasl"
)

// TestRealServer logs in to a real ejabberd, which binds to the channel of TLS 1.2 and cannot bind to that of TLS 1.3.
func TestRealServer(t *testing.T) {
	s := service.ForTest(t, service.Options{NoSQL: true})
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			ctx := t.Context()
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:"+strconv.Itoa(s.Ejabberd.Config.Ports.C2STLS))
			if err != nil {
				t.Fatal(err)
			}
			stream := xmpp.NewStream(conn)
			defer stream.Close(ctx)
			config := &tls.Config{ServerName: s.Domains[0], RootCAs: s.CA.Pool(), MinVersion: version, MaxVersion: version}
			if err := stream.Handshake(ctx, config); err != nil {
				t.Fatal(err)
			}
			if _, err := stream.Open(ctx, xmpp.Header{Namespace: xmpp.Client, To: s.Domains[0]}); err != nil {
				t.Fatal(err)
			}
			features, err := stream.Features(ctx)
			if err != nil {
				t.Fatal(err)
			}
			jid, err := sasl.Login(ctx, stream, features, s.Admin.User, s.Admin.Password, "")
			if err != nil || !strings.HasPrefix(jid, s.Admin.JID()+"/") {
				t.Errorf("logged in as %q: %v", jid, err)
			}
		})
	}
}

// TestRealSASL2 logs in to a real Prosody by SASL2, which Debian's ejabberd does not offer.
func TestRealSASL2(t *testing.T) {
	s := service.ForTest(t, service.Options{NoSQL: true})
	certificate, err := s.CA.Issue(service.CertOptions{Names: []string{"modern.test"}})
	if err != nil {
		t.Fatal(err)
	}
	prosody, err := service.StartProsody(t.Context(), filepath.Join(s.Dir, "modern"), "modern.test", certificate, s.CAFile, s.Resolver.Port, service.SASL2...)
	if err != nil {
		t.Fatal(err)
	}
	defer prosody.Stop()
	ctx := t.Context()
	open := func() (*xmpp.Stream, *xmpp.Features) {
		t.Helper()
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:"+strconv.Itoa(prosody.C2STLS))
		if err != nil {
			t.Fatal(err)
		}
		stream := xmpp.NewStream(conn)
		t.Cleanup(func() { _ = stream.Abort() })
		if err := stream.Handshake(ctx, &tls.Config{ServerName: prosody.Domain, RootCAs: s.CA.Pool(), MinVersion: tls.VersionTLS12}); err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Open(ctx, xmpp.Header{Namespace: xmpp.Client, To: prosody.Domain}); err != nil {
			t.Fatal(err)
		}
		features, err := stream.Features(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return stream, features
	}
	account := prosody.Account
	stream, features := open()
	used, err := sasl.Authenticate(ctx, stream, features, account.User, account.Password)
	if err != nil || !strings.HasPrefix(used, "SASL2 SCRAM-SHA-") {
		t.Fatalf("logged in by %q: %v; offered are %q by SASL2", used, err, features.SASL2)
	}
	// The stream goes on as it is. To bind is not tried: that is in the module that mod_sasl2 stands in for here.
	if _, err = stream.Features(ctx); err != nil {
		t.Fatalf("after the login: %v", err)
	}
	var refused *xmpp.AuthError
	stream, features = open()
	if _, err := sasl.Authenticate(ctx, stream, features, account.User, "wrong"); !errors.As(err, &refused) || refused.Condition != "not-authorized" {
		t.Errorf("a wrong password: %v", err)
	}
}
