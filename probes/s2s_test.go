// SPDX-License-Identifier: Apache-2.0

package probes_test

import (
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/service"
	. "github.com/chapril/ejabberd_exporter/internal/xmpp/xmpptest"
	"github.com/chapril/ejabberd_exporter/probes"
)

func TestPeers(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	config := ca.config(t, lasting(60))
	header := Header("jabber:server", domain)
	old := Join(Open(header, Features(StartTLSRequired)), Upgrade(config), Open(header, Features()), Goodbye())
	none := Join(Open(strings.Replace(header, " xmlns:db='jabber:server:dialback'", "", 1), Features(StartTLSRequired)), Upgrade(config),
		Open(strings.Replace(header, " xmlns:db='jabber:server:dialback'", "", 1), Features()), Goodbye())
	asked := Join(Script{Expect(" from='probe.example'"), Expect(">"), Send(header + Features(StartTLSRequired))}, Upgrade(config),
		Script{Expect(" from='probe.example'"), Expect(">"), Send(header + Features(Dialback))}, Goodbye())
	cert, key := showable(t, ca.CA, "probe.example")
	withCertificate := []string{"from=probe.example", "client-cert=" + cert, "client-key=" + key, "require=external"}
	for name, c := range map[string]struct {
		script            Script
		settings          []string
		state             probes.State
		failure, dialback string
		text              string // the Note contains it
	}{
		"healthy": {PeerServer(domain, config), nil, probes.OK, "", "1", "TLS 1.3, certificate 60 days, dialback, "},
		"not for clients": {
			PeerServer(domain, ca.config(t, service.CertOptions{ServerOnly: true})), nil, probes.OK, "", "1", "dialback (certificate for servers only), ",
		},
		"dialback, old way": {old, nil, probes.OK, "", "1", "dialback"},
		"no dialback":       {none, nil, probes.Critical, "features/mechanism", "0", "features: neither dialback nor EXTERNAL is offered"},
		"host-unknown":      {Open(header, StreamError("host-unknown", "")), nil, probes.Critical, "stream/stream_error", "U", "stream: stream error host-unknown"},
		"certificates only": {
			Join(Open(header, Features(StartTLSRequired)), Upgrade(config), Open(header, StreamError("not-authorized", ""))), nil,
			probes.OK, "", "U", "TLS 1.3, certificate 60 days, talks only to servers that show a certificate, ",
		},
		"not authorized before TLS": {Open(header, StreamError("not-authorized", "")), nil, probes.Critical, "stream/stream_error", "U", "not-authorized"},
		"external missing":          {PeerServer(domain, config), withCertificate, probes.Critical, "features/mechanism", "1", "features: external is not offered"},
		"a clients' port":           {Open(Header("jabber:client", domain)), nil, probes.Critical, "stream/protocol", "U", `its namespace is "jabber:client" instead of jabber:server`},
		"from another":              {asked, []string{"from=probe.example"}, probes.OK, "", "1", "dialback"},
		"direct TLS, no SRV":        {Join(Script{Handshake(config)}, Open(header, Features(Dialback)), Goodbye()), []string{"direct-tls=true"}, probes.OK, "", "1", "dialback"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			peer := Serve(t, "127.0.0.1:0", c.script)
			r, err := run(t, probes.S2S(), at(peer.Addr, append(c.settings, "ca-file="+ca.file)...)...)
			if err != nil || r.Worst() != c.state || failures(r) != c.failure || !strings.Contains(texts(r), c.text) {
				t.Errorf("%v, %s\n%s", err, failures(r), texts(r))
			}
			wantFigures(t, probes.S2S(), r, map[string]string{"dialback": c.dialback})
		})
	}
}

// TestFromServedDomain: a server refuses streams from itself, so such a question is a mistake of whoever asks: no verdict.
func TestFromServedDomain(t *testing.T) {
	for _, from := range []string{domain, "Example.org.", "muc." + domain} {
		r, err := run(t, probes.S2S(), "from="+from)
		if err == nil || len(r.Notes) > 0 || !strings.HasPrefix(err.Error(), "--from must not be a domain that the probed server serves") {
			t.Errorf("from %s: %v\n%s", from, err, texts(r))
		}
	}
}

// TestCertificateToShow: half of what it needs is a mistake of whoever asks.
func TestCertificateToShow(t *testing.T) {
	ca := newAuthority(t)
	cert, key := showable(t, ca.CA, "probe.example")
	const together = "--client-cert, --client-key and --from belong together"
	for _, c := range []struct {
		settings []string
		want     string
	}{
		{[]string{"client-cert=" + cert, "client-key=" + key}, together},
		{[]string{"client-cert=" + cert, "from=probe.example"}, together},
		{[]string{"client-key=" + key, "from=probe.example"}, together},
		{[]string{"require=external"}, "--require external needs --client-cert, --client-key and --from: it is offered to nobody else"},
		{[]string{"client-cert=/nonexistent/secret", "client-key=" + key, "from=probe.example"}, "--client-cert, --client-key: no such file or directory"},
	} {
		r, err := run(t, probes.S2S(), c.settings...)
		if err == nil || err.Error() != c.want || len(r.Notes) > 0 {
			t.Errorf("%v: %v\n%s", c.settings, err, texts(r))
		}
	}
}
