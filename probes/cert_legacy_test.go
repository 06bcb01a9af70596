// SPDX-License-Identifier: Apache-2.0

package probes_test

import (
	"bytes"
	"crypto/tls"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
	. "github.com/chapril/ejabberd_exporter/internal/xmpp/xmpptest"
	"github.com/chapril/ejabberd_exporter/probes"
)

// upgraded is a server for clients up to the agreement on TLS, and then does what the steps say.
func upgraded(steps ...Step) Script {
	return Join(Open(Header("jabber:client", domain), Features(StartTLSRequired)), Script{Expect("<starttls"), Expect(">"), Send(Proceed)}, steps)
}

// TestLegacyTLS: refused is what only the server's own word about the version says; accepted is what a handshake shows; the rest is
// not known, and is said to be so.
func TestLegacyTLS(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	good := ca.config(t, lasting(60))
	from := func(version uint16) *tls.Config {
		config := good.Clone()
		config.MinVersion = version
		return config
	}
	// Whoever wants a cipher that the oldest versions do not have ends their handshakes for that.
	picky := from(tls.VersionTLS10)
	picky.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}
	for name, c := range map[string]struct {
		old      []Script // for the second and third connection
		settings []string
		state    probes.State
		figure   string
		series   string
		text     string
	}{
		"refused":  {[]Script{upgraded(Handshake(good))}, nil, probes.OK, "0", `{version="1.0"} 0 {version="1.1"} 0`, ""},
		"accepted": {[]Script{upgraded(Handshake(from(tls.VersionTLS10)))}, nil, probes.Warning, "1", `{version="1.0"} 1 {version="1.1"} 1`, "ip4: accepts TLS 1.0, accepts TLS 1.1\n"},
		"only 1.1": {[]Script{upgraded(Handshake(from(tls.VersionTLS11)))}, nil, probes.Warning, "1", `{version="1.0"} 0 {version="1.1"} 1`, "WARNING 127.0.0.1"},
		"allowed":  {[]Script{upgraded(Handshake(from(tls.VersionTLS10)))}, []string{"tls-min=1.0"}, probes.OK, "1", `{version="1.0"} 1 {version="1.1"} 1`, "accepts TLS 1.0, accepts TLS 1.1\n"},
		"hangs up on the version": {
			[]Script{upgraded(Expect("\x16")), upgraded(Reset()), upgraded(Handshake(good))}, nil, probes.OK, "0", `{version="1.0"} 0 {version="1.1"} 0`, "",
		},
		"a reset":    {[]Script{upgraded(Reset())}, nil, probes.OK, "U", "", "may accept TLS 1.0 (handshake: connection reset by peer), may accept TLS 1.1 (handshake: "},
		"closed":     {[]Script{upgraded()}, nil, probes.OK, "U", "", "may accept TLS 1.0 (handshake: "},
		"no cipher":  {[]Script{upgraded(Handshake(picky))}, nil, probes.OK, "U", "", "may accept TLS 1.0 (handshake: remote error: tls: handshake failure)"},
		"garbage":    {[]Script{upgraded(Expect("\x16"), Send("HTTP/1.1 400 Bad Request\r\n\r\n"))}, nil, probes.OK, "U", "", "may accept TLS 1.0 (handshake: "},
		"one silent": {[]Script{upgraded(BlackHole()), upgraded(Handshake(good))}, nil, probes.OK, "U", `{version="1.1"} 0`, "OK 127.0.0.1:"},
		"XMPP alone": {[]Script{Open(Header("jabber:client", domain), StreamError("policy-violation", ""))}, nil, probes.OK, "U", "", "may accept TLS 1.0 (stream: stream error policy-violation)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			peer := Serve(t, "127.0.0.1:0", append([]Script{ClientServer(domain, good)}, c.old...)...)
			settings := append(c.settings, "hostname=127.0.0.1", "ca-file="+ca.file, "ports="+strconv.Itoa(int(peer.Addr.Port()))+"/xmpp-client")
			r, err := runWithin(t, 10*time.Second, probes.Cert(), domain, settings...)
			if err != nil || r.Worst() != c.state || !strings.Contains(texts(r), c.text) {
				t.Errorf("%v\n%s", err, texts(r))
			}
			wantFigures(t, probes.Cert(), r, map[string]string{"tls_legacy": c.figure, "certs_distinct": "1"})
			if got := legacySeries(r); got != c.series {
				t.Errorf("series %s, want %s", got, c.series)
			}
		})
	}
}

// legacySeries are the series of the metric, without its name.
func legacySeries(r *probes.Report) string {
	var found []string
	for line := range strings.Lines(r.Set.Text()) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "probe_xmpp_tls_legacy_accepted"); ok {
			found = append(found, rest)
		}
	}
	return strings.Join(found, " ")
}

// TestLegacyOffer: a refusal counts only because our own offer was one that a server could have taken.
func TestLegacyOffer(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	good := ca.config(t, lasting(60))
	var mu sync.Mutex
	var offers []string
	watching := good.Clone()
	watching.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		mu.Lock()
		defer mu.Unlock()
		var names []string
		for _, v := range hello.SupportedVersions {
			names = append(names, tls.VersionName(v))
		}
		offers = append(offers, strings.Join(names, " "))
		for _, old := range []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA} {
			if !slices.Contains(hello.CipherSuites, old) {
				t.Errorf("%s is not offered", tls.CipherSuiteName(old))
			}
		}
		return nil, nil
	}
	peer := Serve(t, "127.0.0.1:0", ClientServer(domain, good), upgraded(Handshake(watching)))
	r, err := run(t, probes.Cert(), "hostname=127.0.0.1", "ca-file="+ca.file, "ports="+strconv.Itoa(int(peer.Addr.Port()))+"/xmpp-client")
	if err != nil || r.Worst() != probes.OK {
		t.Errorf("%v\n%s", err, texts(r))
	}
	mu.Lock()
	defer mu.Unlock()
	if want := []string{"TLS 1.0", "TLS 1.1"}; !slices.Equal(offers, want) {
		t.Errorf("offered %q", offers)
	}
}

// TestRealLegacyTLS: an ejabberd as it should be, which hangs up on old versions, and one whose ports for clients take everything.
func TestRealLegacyTLS(t *testing.T) {
	t.Parallel()
	s := service.ForTest(t, service.Options{NoSQL: true})
	settings := []string{"resolver=" + s.Resolver.Addr(), "ca-file=" + s.CAFile}
	r, err := runWithin(t, 20*time.Second, probes.Cert(), s.Domains[0], settings...)
	if err != nil || r.Worst() != probes.OK || legacySeries(r) != `{version="1.0"} 0 {version="1.1"} 0` {
		t.Errorf("%v %s\n%s", err, legacySeries(r), texts(r))
	}
	wantFigures(t, probes.Cert(), r, map[string]string{"tls_legacy": "0"})

	text, err := os.ReadFile(s.Ejabberd.ConfigPath)
	if err != nil {
		t.Fatal(err)
	}
	s.Ejabberd.Stop()
	for _, line := range []string{"    - \"no_tlsv1\"\n", "    - \"no_tlsv1_1\"\n"} {
		text = bytes.Replace(text, []byte(line), nil, 1)
	}
	// OpenSSL 3 speaks old versions only at its lowest level of security.
	text = append(text, "\nc2s_ciphers: \"ALL:@SECLEVEL=0\"\n"...)
	if err := os.WriteFile(s.Ejabberd.ConfigPath, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Ejabberd.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err = runWithin(t, 20*time.Second, probes.Cert(), s.Domains[0], settings...)
	if err != nil || r.Worst() != probes.Warning || legacySeries(r) != `{version="1.0"} 1 {version="1.1"} 1` {
		t.Errorf("%v %s\n%s", err, legacySeries(r), texts(r))
	}
	for port, want := range map[int]bool{s.Ejabberd.Config.Ports.C2S: true, s.Ejabberd.Config.Ports.S2S: false} {
		line := "WARNING xmpp." + s.Domains[0] + ":" + strconv.Itoa(port) + " ip4: accepts TLS 1.0, accepts TLS 1.1\n"
		if strings.Contains(texts(r), line) != want {
			t.Errorf("port %d: want %v\n%s", port, want, texts(r))
		}
	}
	wantFigures(t, probes.Cert(), r, map[string]string{"tls_legacy": "1"})
}
