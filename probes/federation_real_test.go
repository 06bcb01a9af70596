// SPDX-License-Identifier: Apache-2.0

package probes_test

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
	"github.com/chapril/ejabberd_exporter/probes"
)

// us is the domain that the probe is in these tests.
const us = "probe.test"

// home gives that domain a place on this machine, and the settings with which the probe listens there.
func home(t *testing.T, s *service.Service) []string {
	t.Helper()
	ports, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	s.Resolver.SetSRV("_xmpp-server._tcp."+us, "localhost", ports[0])
	settings := []string{"probe-domain=" + us, "resolver=" + s.Resolver.Addr(), "ca-file=" + s.CAFile}
	for _, address := range service.Loopback() {
		settings = append(settings, "listen="+net.JoinHostPort(address, strconv.Itoa(ports[0])))
	}
	return settings
}

// federates is what each direction says where all is well.
const federates = `(?s)OK out: took our stream at .* in \d+ ms\nOK back: dialled back over ip[46] in \d+ ms\nOK ping: answered on a stream of the server's own, proved by EXTERNAL, in \d+ ms\n`

// TestRealFederation: both directions between the probe and a real ejabberd, and a real Prosody.
func TestRealFederation(t *testing.T) {
	t.Parallel()
	s := service.ForTest(t, service.Options{NoSQL: true, Peer: true})
	settings := home(t, s)
	ports, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	s.Resolver.SetSRV("_xmpp-server._tcp.lost.test", "localhost", ports[0])
	cert, key := showable(t, s.CA, us)
	good := []string{"cert=" + cert, "key=" + key}
	cert, key = showable(t, newAuthority(t).CA, us)
	untrusted := []string{"cert=" + cert, "key=" + key}
	p := probes.Federation()
	try := func(name, domain string, more []string, state probes.State, failure, text string) {
		t.Helper()
		r, err := runWithin(t, 20*time.Second, p, domain, append(settings, more...)...)
		if err != nil || r.Worst() != state || failures(r) != failure || !regexp.MustCompile(text).MatchString(texts(r)) {
			t.Errorf("%s: %v, %s, %s\n%s", name, err, failures(r), r.Summary, texts(r))
		}
		if state == probes.OK && !regexp.MustCompile(`^federates with probe\.test both ways in \d+ ms, \d endpoints?, worst certificate 89 days, TLS 1\.3, `).MatchString(r.Summary) {
			t.Errorf("%s: %s", name, r.Summary)
		}
		for _, direction := range []string{"out", "back", "ping"} {
			if took, known := figure(t, p, r, direction); state == probes.OK && (!known || took <= 0) {
				t.Errorf("%s: %s %v, %v", name, direction, took, known)
			}
		}
	}

	try("ejabberd", s.Domains[0], nil, probes.OK, "", federates)
	try("another host of it, once more", s.Domains[1], nil, probes.OK, "", federates)
	try("a component", "conference."+s.Domains[0], nil, probes.OK, "", federates)
	try("with a certificate", s.Domains[0], good, probes.OK, "", federates)
	try("with one that it does not trust", s.Domains[0], untrusted, probes.OK, "", federates)
	log, err := os.ReadFile(s.Ejabberd.LogPath())
	if err != nil {
		t.Fatal(err)
	}
	if line := regexp.MustCompile(`.*\[(warning|error)\].*` + us + `.*`).Find(log); line != nil {
		t.Errorf("ejabberd complains about a probe that found all well: %s", line)
	}
	// The probe's domain leads nowhere, or where nobody listens. The server tells what happened.
	try("no such domain", s.Domains[0], []string{"probe-domain=nowhere.test"}, probes.Critical, "connect/unreachable",
		`^CRITICAL back: connect: the server answered remote-server-not-found \(DNS lookup failed: .*nobody dialled back to nowhere\.test: can the server resolve it, and reach --listen\?\n`)
	try("nobody listens", s.Domains[0], []string{"probe-domain=lost.test"}, probes.Critical, "connect/unreachable",
		`^CRITICAL back: connect: the server answered remote-server-not-found \(Connection failed: connection refused\), and nobody dialled back to lost\.test`)

	// While it is down, the server is made to talk to us. Then it does not try again for minutes, whatever becomes of us.
	client, err := service.Connect(t.Context(), service.Login{
		Account: s.Admin, Resource: "probe", Address: "127.0.0.1:" + strconv.Itoa(s.Ejabberd.Config.Ports.C2S),
	}, s.CA.Pool())
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Ping(t.Context(), us); err == nil {
		t.Error("nobody is there, and answers")
	}
	client.Close()
	r, err := runWithin(t, 4*time.Second, p, s.Domains[0], settings...)
	want := `^CRITICAL ping: ping: no answer: the server opened no stream of its own to us \(after a failure, servers try again only minutes later\)\n(?s:.*)OK back: `
	if err != nil || !regexp.MustCompile(want).MatchString(texts(r)) || failures(r) != "ping/timeout" {
		t.Errorf("%v, %s\n%s", err, failures(r), texts(r))
	}
	if _, known := figure(t, p, r, "ping"); known {
		t.Error("a ping without an answer has a time")
	}

	// Prosody with s2s_secure_auth.
	try("no certificate", s.Prosody.Domain, nil, probes.Critical, "features/certificate",
		`^CRITICAL out: features: the server talks only to servers that show a certificate of a trusted authority: name one with --cert and --key\n`)
	try("an untrusted certificate", s.Prosody.Domain, untrusted, probes.Critical, "features/stream_error",
		`^CRITICAL out: features: stream error not-authorized \(Your server's certificate is not trusted\)\n`)
	try("Prosody", s.Prosody.Domain, good, probes.OK, "", federates)
	reconfigure(t, s.Prosody, "s2s_secure_auth = true", "s2s_secure_auth = false")
	try("Prosody that trusts dialback", s.Prosody.Domain, nil, probes.OK, "", federates)
	reconfigure(t, s.Prosody, `"dialback", `, "")
	try("Prosody without dialback", s.Prosody.Domain, good, probes.OK, "", `(?s)OK back: opened a stream to us over ip[46] in \d+ ms\nOK ping: answered on a stream of the server's own, proved by EXTERNAL, in `)
	try("neither", s.Prosody.Domain, nil, probes.Critical, "features/stream_error",
		`^CRITICAL out: features: stream error undefined-condition \(No stream features to offer\)\n`)
	s.Prosody.Stop()
	try("nobody there", s.Prosody.Domain, good, probes.Critical, "connect/refused", `^CRITICAL out: connect: connection refused\n`)
	if err := s.Prosody.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// reconfigure starts a server anew with another configuration.
func reconfigure(t *testing.T, p *service.Prosody, old, replacement string) {
	t.Helper()
	path := filepath.Join(p.Dir, "prosody.cfg.lua")
	text, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(text, []byte(old)) {
		t.Fatalf("no %s: %v", old, err)
	}
	p.Stop()
	if err := os.WriteFile(path, bytes.Replace(text, []byte(old), []byte(replacement), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestCertificatesOnly: an ejabberd without mod_s2s_dialback.
func TestCertificatesOnly(t *testing.T) {
	t.Parallel()
	s := service.ForTest(t, service.Options{NoSQL: true})
	settings := home(t, s)
	cert, key := showable(t, s.CA, us)
	text, err := os.ReadFile(s.Ejabberd.ConfigPath)
	if err != nil {
		t.Fatal(err)
	}
	s.Ejabberd.Stop()
	if err := os.WriteFile(s.Ejabberd.ConfigPath, bytes.Replace(text, []byte("  mod_s2s_dialback: {}\n"), nil, 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Ejabberd.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := runWithin(t, 20*time.Second, probes.S2S(), s.Domains[0], "resolver="+s.Resolver.Addr(), "ca-file="+s.CAFile)
	if err != nil || r.Worst() != probes.OK {
		t.Errorf("%v\n%s", err, texts(r))
	}
	wantFigures(t, probes.S2S(), r, map[string]string{"dialback": "0", "external": "U"})
	r, err = runWithin(t, 20*time.Second, probes.Federation(), s.Domains[0], settings...)
	if err != nil || failures(r) != "features/certificate" || !regexp.MustCompile(`^CRITICAL out: features: dialback is not offered, and EXTERNAL takes a certificate`).MatchString(texts(r)) {
		t.Errorf("%v\n%s", err, texts(r))
	}
	r, err = runWithin(t, 20*time.Second, probes.Federation(), s.Domains[0], append(settings, "cert="+cert, "key="+key)...)
	if err != nil || r.Worst() != probes.OK || !regexp.MustCompile(`OK back: opened a stream to us over ip[46] in `).MatchString(texts(r)) {
		t.Errorf("%v\n%s", err, texts(r))
	}
}

// TestFederationAtOnce: runs of one exporter share the place where they are dialled back, and those of other processes wait for
// it, whether they ask the same server or others.
func TestFederationAtOnce(t *testing.T) {
	t.Parallel()
	s := service.ForTest(t, service.Options{NoSQL: true})
	settings := home(t, s)
	exporter, other := probes.Federation(), probes.Federation()
	var running sync.WaitGroup
	for _, p := range []probes.Probe{exporter, exporter, other, other} {
		for _, domain := range []string{s.Domains[0], s.Domains[1], "conference." + s.Domains[0]} {
			running.Go(func() {
				r, err := runWithin(t, 20*time.Second, p, domain, settings...)
				if err != nil || r.Worst() != probes.OK {
					t.Errorf("%s: %v\n%s", domain, err, texts(r))
				}
			})
		}
	}
	running.Wait()
}
