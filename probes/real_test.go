// SPDX-License-Identifier: Apache-2.0

package probes_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/service"
	"github.com/chapril/ejabberd_exporter/probes"
)

// TestRealServers: the probes on a real ejabberd and, as its peer, a real Prosody.
func TestRealServers(t *testing.T) {
	t.Parallel()
	s := service.ForTest(t, service.Options{NoSQL: true, Peer: true})
	cert, key := showable(t, s.CA, "probe.test")
	families := len(service.Loopback())
	for _, c := range []struct {
		name      string
		probe     probes.Probe
		domain    string
		settings  []string
		state     probes.State
		endpoints int // in each family
		figures   map[string]string
		text      string // some Note contains it
	}{
		{
			"clients", probes.C2S(), s.Domains[0], nil, probes.OK, 2,
			map[string]string{"endpoints_failed": "0", "retries": "0"},
			"SCRAM-SHA-1",
		},
		{"clients, other vhost", probes.C2S(), s.Domains[1], nil, probes.OK, 2, nil, "TLS 1.3"},
		{
			"PLAIN not wanted", probes.C2S(), s.Domains[0],
			[]string{"forbid-mech=PLAIN"},
			probes.Critical, 2, nil,
			"features: PLAIN is offered; TLS 1.3, ",
		},
		{
			"foreign domain", probes.C2S(), "nosuch.test",
			[]string{"hostname=127.0.0.1", "port=" + strconv.Itoa(s.Ejabberd.Config.Ports.C2S)},
			probes.Critical, 0,
			map[string]string{"endpoints": "1", "endpoints_failed": "1", "time": "U", "cert_days": "U"},
			"stream: stream error host-unknown",
		},
		{
			"a port of servers", probes.C2S(), s.Domains[0],
			[]string{"hostname=127.0.0.1", "port=" + strconv.Itoa(s.Ejabberd.Config.Ports.S2S)},
			probes.Critical, 0, nil, "stream: ",
		},
		{
			"direct TLS expected", probes.C2S(), s.Domains[0],
			[]string{"hostname=127.0.0.1", "direct-tls=true", "port=" + strconv.Itoa(s.Ejabberd.Config.Ports.C2S)},
			probes.Critical, 0, nil, "handshake: ",
		},
		{
			"servers", probes.S2S(), s.Domains[0], nil, probes.OK, 1, map[string]string{"dialback": "1", "external": "U"}, "dialback",
		},
		{
			"servers, with a certificate", probes.S2S(), s.Domains[0],
			[]string{"from=probe.test", "client-cert=" + cert, "client-key=" + key, "require=external"},
			probes.OK, 1,
			map[string]string{"external": "1"},
			"external",
		},
		{
			"component", probes.S2S(), "conference." + s.Domains[0], nil, probes.OK, 1, map[string]string{"dialback": "1"}, "dialback",
		},
		{
			"Prosody for clients", probes.C2S(), s.Prosody.Domain, nil, probes.OK, 2, nil, "SCRAM-SHA-256",
		},
		{
			"Prosody that trusts certificates only", probes.S2S(), s.Prosody.Domain, nil, probes.OK, 1,
			map[string]string{"dialback": "U", "external": "U"},
			"talks only to servers that show a certificate",
		},
		{
			"Prosody, with a certificate", probes.S2S(), s.Prosody.Domain,
			[]string{"from=probe.test", "client-cert=" + cert, "client-key=" + key},
			probes.OK, 1,
			map[string]string{"external": "1"},
			"external",
		},
		{
			"certificates", probes.Cert(), s.Domains[0],
			[]string{"component=conference", "component=upload"},
			probes.OK, 0,
			map[string]string{"certs_distinct": "1", "names_uncovered": "0", "tls_legacy": "0"},
			" for conference." + s.Domains[0],
		},
		{
			"another certificate on disk", probes.Cert(), s.Domains[0],
			[]string{"file=" + cert},
			probes.Critical, 0,
			map[string]string{"certs_distinct": "1"},
			"handshake: the server does not serve the certificate on disk: reload it",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			settings := append([]string{"resolver=" + s.Resolver.Addr(), "ca-file=" + s.CAFile}, c.settings...)
			r, err := runOn(t, c.probe, c.domain, settings...)
			if err != nil || r.Worst() != c.state || !strings.Contains(texts(r), c.text) {
				t.Errorf("%v, %s\n%s", err, r.Summary, texts(r))
			}
			wantFigures(t, c.probe, r, c.figures)
			if c.endpoints > 0 {
				wantFigures(t, c.probe, r, map[string]string{"endpoints": strconv.Itoa(c.endpoints * families)})
			}
		})
	}
}
