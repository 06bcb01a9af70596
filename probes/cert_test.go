// SPDX-License-Identifier: Apache-2.0

package probes_test

import (
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/service"
	. "github.com/chapril/ejabberd_exporter/internal/xmpp/xmpptest"
	"github.com/chapril/ejabberd_exporter/probes"
)

func TestCertificates(t *testing.T) {
	t.Parallel()
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
			map[string]string{"certs_distinct": "1", "names_uncovered": "0", "tls_legacy": "0"},
			60,
		},
		"different": {
			ClientServer(domain, one), PeerServer(domain, other), nil, probes.Critical, "handshake/certificate", "CRITICAL : 2 different certificates are served for example.org\n",
			map[string]string{"certs_distinct": "2", "names_uncovered": "0"},
			50,
		},
		"different, allowed": {
			ClientServer(domain, one), PeerServer(domain, other),
			[]string{"allow-different=true"},
			probes.Warning, "", "WARNING : 2 different certificates",
			map[string]string{"certs_distinct": "2"},
			50,
		},
		"expired": {
			ClientServer(domain, one), PeerServer(domain, ca.config(t, lasting(-5))), nil, probes.Critical, "handshake/certificate", "handshake: certificate expired ",
			map[string]string{"certs_distinct": "2", "names_uncovered": "0"},
			-5,
		},
		"wrong name": {
			ClientServer(domain, one), PeerServer(domain, wrong), nil, probes.Critical, "handshake/certificate", "certificate is for example.net, not for example.org",
			map[string]string{"names_uncovered": "1"},
			60,
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

// TestComponents: a wildcard covers exactly one label, and a component may have a certificate of its own.
func TestComponents(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	star := ca.config(t, service.CertOptions{Names: []string{domain, "*." + domain}})
	peer := Serve(t, "127.0.0.1:0", PeerServer(domain, star))
	settings := []string{"hostname=127.0.0.1", "ca-file=" + ca.file, "ports=" + strconv.Itoa(int(peer.Addr.Port())) + "/xmpp-server"}

	r, err := run(t, probes.Cert(), append(settings, "component=muc,echo.example.org")...)
	if err != nil || r.Worst() != probes.OK || !strings.Contains(texts(r), " for muc.example.org: ") || !strings.Contains(texts(r), " for echo.example.org: ") {
		t.Errorf("%v\n%s", err, texts(r))
	}
	wantFigures(t, probes.Cert(), r, map[string]string{"certs_distinct": "1", "names_uncovered": "0"})

	r, err = run(t, probes.Cert(), append(settings, "component=a.muc.example.org", "component=muc")...)
	want := " for a.muc.example.org: handshake: certificate is for example.org, *.example.org, not for a.muc.example.org"
	if err != nil || r.Worst() != probes.Critical || !strings.Contains(texts(r), want) {
		t.Errorf("%v\n%s", err, texts(r))
	}
	wantFigures(t, probes.Cert(), r, map[string]string{"certs_distinct": "1", "names_uncovered": "1"})

	r, err = run(t, probes.Cert(), "hostname=127.0.0.1", "ports=5222,5223", "component=muc")
	if err == nil || !strings.HasPrefix(err.Error(), "--component needs a port for servers in --ports") || len(r.Notes) > 0 {
		t.Errorf("components on ports for clients: %v\n%s", err, texts(r))
	}
}

// TestFile: the certificate on disk is the one that is served, and no key is ever read.
func TestFile(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	config := ca.config(t, lasting(60))
	peer := Serve(t, "127.0.0.1:0", PeerServer(domain, config))
	settings := []string{"hostname=127.0.0.1", "ca-file=" + ca.file, "ports=" + strconv.Itoa(int(peer.Addr.Port())) + "/xmpp-server"}
	served := filepath.Join(t.TempDir(), "served.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: config.Certificates[0].Certificate[0]})
	if err := os.WriteFile(served, block, 0o600); err != nil {
		t.Fatal(err)
	}
	other, key := showable(t, ca.CA, domain)
	for _, c := range []struct {
		name, file, text string
		state            probes.State
		refused          string
	}{
		{"served", served, "TLS 1.3", probes.OK, ""},
		{"renewed, not reloaded", other, "handshake: the server does not serve the certificate on disk: reload it", probes.Critical, ""},
		{"key", key, "", probes.OK, "--file: it holds a private key; name a file with the certificate alone"},
		{"missing", "/nonexistent/secret.pem", "", probes.OK, "--file: no such file or directory"},
		{"nothing in it", "cert_test.go", "", probes.OK, "--file: no PEM certificate in it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := run(t, probes.Cert(), append(settings, "file="+c.file)...)
			if r.Worst() != c.state || !strings.Contains(texts(r), c.text) {
				t.Errorf("got\n%s", texts(r))
			}
			if got := fmt.Sprint(err); c.refused == "" && err != nil || c.refused != "" && got != c.refused {
				t.Errorf("got %v, want %q", err, c.refused)
			}
		})
	}
}
