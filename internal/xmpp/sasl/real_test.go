// SPDX-License-Identifier: Apache-2.0

package sasl_test

import (
	"crypto/tls"
	"net"
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
