// SPDX-License-Identifier: Apache-2.0

package probes_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/service"
	. "github.com/chapril/ejabberd_exporter/internal/xmpp/xmpptest"
	"github.com/chapril/ejabberd_exporter/probes"
)

func TestCertificates(t *testing.T) {
	ca := newAuthority(t)
	one, other := ca.config(t, lasting(60)), ca.config(t, lasting(50))
	wrong := ca.config(t, service.CertOptions{Names: []string{"example.net"}})
	p := probes.Cert()
	for name, c := range map[string]struct {
		clients, peers Script
		settings       []string
		state          probes.State
		failure, text  string
		figures        map[string]string
		days           float64 // cert_days_min, rounded down
	}{
		"the same": {
			ClientServer(domain, one), PeerServer(domain, one), nil, probes.OK, "", "TLS 1.3, certificate 60 days",
			map[string]string{"certs_distinct": "1", "names_uncovered": "0", "tls_legacy": "U"}, 60,
		},
		"different": {
			ClientServer(domain, one), PeerServer(domain, other), nil, probes.Critical, "handshake/certificate", "CRITICAL : 2 different certificates are served for example.org\n",
			map[string]string{"certs_distinct": "2", "names_uncovered": "0"}, 50,
		},
		"different, allowed": {
			ClientServer(domain, one), PeerServer(domain, other), []string{"allow-different=true"}, probes.Warning, "", "WARNING : 2 different certificates",
			map[string]string{"certs_distinct": "2"}, 50,
		},
		"expired": {
			ClientServer(domain, one), PeerServer(domain, ca.config(t, lasting(-5))), nil, probes.Critical, "handshake/certificate", "handshake: certificate expired ",
			map[string]string{"certs_distinct": "2", "names_uncovered": "0"}, -5,
		},
		"wrong name": {
			ClientServer(domain, one), PeerServer(domain, wrong), nil, probes.Critical, "handshake/certificate", "certificate is for example.net, not for example.org",
			map[string]string{"names_uncovered": "1"}, 60,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clients, peers := Serve(t, "127.0.0.1:0", c.clients), Serve(t, "127.0.0.1:0", c.peers)
			ports := "ports=" + strconv.Itoa(int(clients.Addr.Port())) + "/xmpp-client," + strconv.Itoa(int(peers.Addr.Port())) + "/xmpp-server"
			r, err := run(t, p, append(c.settings, "hostname=127.0.0.1", "ca-file="+ca.file, ports)...)
			if err != nil || r.Worst() != c.state || failures(r) != c.failure || !strings.Contains(texts(r), c.text) {
				t.Errorf("%v, %s\n%s", err, failures(r), texts(r))
			}
			wantFigures(t, p, r, c.figures)
			if days, ok := figure(t, p, r, "cert_days_min"); !ok || days < c.days || days > c.days+0.1 {
				t.Errorf("cert_days_min %v, %v", days, ok)
			}
		})
	}
}
