// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/service"
)

// TestCertificates follows a certificate that is renewed on disk and reloaded later, as certbot without a deploy hook leaves it.
func TestCertificates(t *testing.T) {
	p := &patient{Service: service.ForTest(t, service.Options{NoSQL: true, Component: true})}
	p.flags = append(p.flags, "--ejabberd.config="+p.Ejabberd.ConfigPath)
	for _, d := range collector.All {
		if d.Name != collector.Certificates.Name {
			p.flags = append(p.flags, "--no-collector."+d.Name)
		}
	}
	var names []string
	for _, vhost := range p.Domains {
		names = append(names, vhost, "*."+vhost)
	}
	chain, key := p.Ejabberd.Config.XMPPCert, filepath.Join(p.Dir, "key.pem")
	// Where files with keys are all there is, and several, nobody can tell which is which.
	page := p.once(t)
	absent(t, page, "ejabberd_certificate_matches_file")
	if strings.Contains(page, `source="file"}`) {
		t.Error("a file that holds a key was read")
	}

	if _, checked, _ := program(t, append(p.flags, "--check")...); !strings.Contains(checked, "certfiles names files with private keys that the exporter could read (2)") {
		t.Errorf("--check must say what is not read:\n%s", checked)
	}

	ports, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	p.edit(t, func(yml map[string]any) {
		yml["listen"] = append(yml["listen"].([]any), map[string]any{"port": ports[0], "ip": "127.0.0.1", "module": "ejabberd_http", "tls": true, "use_proxy_protocol": true})
	})

	first := time.Now().AddDate(0, 0, 20).Truncate(time.Second)
	p.renew(t, chain, key, time.Now(), service.CertOptions{Names: names, NotAfter: first})
	p.edit(t, func(yml map[string]any) { yml["certfiles"] = []any{chain, key} })
	wantCertificates(t, p.once(t), p.Domains, first, first, 1)

	second := time.Now().AddDate(0, 0, 80).Truncate(time.Second)
	p.renew(t, chain, key, time.Now().Add(time.Minute), service.CertOptions{Names: names, NotAfter: second})
	wantCertificates(t, p.once(t), p.Domains, first, second, 0)

	if err := p.Ejabberd.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantCertificates(t, p.once(t), p.Domains, second, second, 1)

	log, err := os.ReadFile(p.Ejabberd.LogPath())
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, "[warning]") && strings.Contains(line, "TLS failed") || strings.Contains(line, "[error]") {
			t.Errorf("looking must not frighten the administrator: %s", line)
		}
	}
}

// once runs the exporter on the patient; all must be well.
func (p *patient) once(t *testing.T) (page string) {
	t.Helper()
	exit, page, log := once(t, p.flags...)
	if exit != 0 {
		t.Errorf("exit %d:\n%s", exit, log)
	}
	lint(t, page)
	noSecrets(t, page, log)
	return page
}

// renew writes a certificate and, in a file of its own, its key. ejabberd passes over a file that is not newer, to the second, than
// what it has.
func (p *patient) renew(t *testing.T, chain, key string, written time.Time, options service.CertOptions) {
	t.Helper()
	if err := p.WriteCertificate(key, options); err != nil { // of the right owner and mode
		t.Fatal(err)
	}
	text, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(text, []byte("-----BEGIN PRIVATE KEY"))
	for path, part := range map[string][]byte{chain: text[:at], key: text[at:]} {
		if err := os.WriteFile(path, part, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, written); err != nil {
			t.Fatal(err)
		}
	}
}

// wantCertificates wants what is served and what lies on disk to expire at these times, wherever a name is asked for.
func wantCertificates(t *testing.T, page string, vhosts []string, served, file time.Time, matches float64) {
	t.Helper()
	truth := map[string]float64{}
	add := func(source, name string) {
		labels := fmt.Sprintf(`{name="%s",source="%s"}`, name, source)
		until := served
		if source == "file" {
			until = file
		} else {
			truth["ejabberd_certificate_matches_file"+labels] = matches
		}
		truth["ejabberd_certificate_not_after_timestamp_seconds"+labels] = float64(until.Unix())
	}
	for _, source := range []string{"file", "c2s", "c2s_tls", "s2s", "https"} {
		for _, vhost := range vhosts {
			add(source, vhost)
		}
	}
	for _, component := range []string{"conference." + vhosts[0], "echo." + vhosts[0], "upload." + vhosts[1]} {
		add("file", component)
		add("s2s", component)
	}
	want(t, page, truth)
}
