// SPDX-License-Identifier: Apache-2.0

package probes_test

import (
	"crypto/tls"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
	. "github.com/chapril/ejabberd_exporter/internal/xmpp/xmpptest"
	"github.com/chapril/ejabberd_exporter/probes"
)

// TestHealthyService: STARTTLS and direct TLS by SRV, in both families.
func TestHealthyService(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	hellos := make(chan *tls.ClientHelloInfo, 2)
	config := ca.config(t, lasting(69))
	direct := config.Clone()
	direct.NextProtos = []string{"xmpp-client"}
	direct.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) { hellos <- h; return nil, nil }
	open, encrypted := serveAll(t, ClientServer(domain, config)), serveAll(t, DirectTLS(domain, direct))
	families := len(service.Loopback())
	names := zone(t, service.Loopback()...)
	srv(names, "xmpp-client", open)
	srv(names, "xmpps-client", encrypted)

	p := probes.C2S()
	r, err := run(t, p, "resolver="+names.Addr(), "ca-file="+ca.file)
	if err != nil || r.Worst() != probes.OK {
		t.Fatalf("%v\n%s", err, texts(r))
	}
	endpoints := strconv.Itoa(2 * families)
	if !regexp.MustCompile(`^` + endpoints + ` endpoints, worst certificate 69 days, TLS 1\.3, \d+ ms$`).MatchString(r.Summary) {
		t.Errorf("summary %q", r.Summary)
	}
	for _, want := range []string{port(open) + " ip4", port(open) + " ip6", port(encrypted) + " ip4", port(encrypted) + " ip6"} {
		if strings.HasSuffix(want, "ip6") && families == 1 {
			continue
		}
		line := regexp.MustCompile(`(?m)^OK ` + want + `: TLS 1\.3, certificate 69 days, SCRAM-SHA-256 SCRAM-SHA-1 PLAIN, \d+ ms$`)
		if !line.MatchString(texts(r)) {
			t.Errorf("nothing like %s in\n%s", line, texts(r))
		}
	}
	wantFigures(t, p, r, map[string]string{"endpoints": endpoints, "endpoints_failed": "0", "retries": "0"})
	sum := 0.0
	for _, phase := range []string{"resolve", "connect", "stream", "starttls", "handshake", "features"} {
		took, ok := figure(t, p, r, phase)
		if !ok || took <= 0 {
			t.Errorf("phase %s took %v, %v", phase, took, ok)
		}
		sum += took
	}
	if total, ok := figure(t, p, r, "time"); !ok || total <= 0 || total > sum {
		t.Errorf("time %v, phases %v", total, sum)
	}
	if days, ok := figure(t, p, r, "cert_days"); !ok || days < 69 || days > 69.1 {
		t.Errorf("cert_days %v, %v", days, ok)
	}
	if whole, ok := p.Figures[slices.IndexFunc(p.Figures, func(f probes.Figure) bool { return f.Label == "cert_days" })].Whole(r.Set); !ok || whole != 90 {
		t.Errorf("lifetime %v, %v", whole, ok)
	}
	for range families {
		if h := <-hellos; h.ServerName != domain || !slices.Equal(h.SupportedProtos, []string{"xmpp-client"}) {
			t.Errorf("SNI %q, ALPN %q", h.ServerName, h.SupportedProtos)
		}
	}
	text := r.Set.Text()
	for _, line := range []string{
		`probe_xmpp_endpoint_success{srv="xmpps-client",target="xmpp.example.org",port="`,
		`probe_xmpp_srv_records{srv="xmpp-client"} 1`,
		`probe_xmpp_tls_version_info{version="1.3"} 1`,
		`probe_xmpp_starttls_required 1`,
		`probe_xmpp_plain_before_tls 0`,
		`probe_xmpp_sasl_mechanism_offered{mechanism="SCRAM-SHA-256"} 1`,
		`probe_xmpp_sasl_mechanism_offered{mechanism="SCRAM-SHA-512"} 0`,
		`check="chain"} 1`,
		`probe_ssl_earliest_cert_expiry `,
	} {
		if !strings.Contains(text, line) {
			t.Errorf("no %s in\n%s", line, text)
		}
	}
	for _, not := range []string{"failure_info", "127.0.0.1", "::1"} {
		if strings.Contains(text, not) {
			t.Errorf("%s in\n%s", not, text)
		}
	}
}

// TestSituations: one endpoint, one situation, and what is said about it.
func TestSituations(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	good := ca.config(t, lasting(60))
	header := Header("jabber:client", domain)
	plain := Mechanisms("PLAIN")
	script := func(config *tls.Config, before string, after ...string) Script {
		return Join(Open(header, before), Upgrade(config), Open(header, Features(after...)), Goodbye())
	}
	required := Features(StartTLSRequired)
	scram := Mechanisms("SCRAM-SHA-1")
	modern := "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-1</mechanism><mechanism>SCRAM-SHA-256-PLUS</mechanism></authentication>" +
		"<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/><channel-binding type='tls-server-end-point'/></sasl-channel-binding>"
	for name, c := range map[string]struct {
		script   Script
		settings []string
		state    probes.State
		failure  string // phase/reason of probe_xmpp_failure_info
		text     string // pattern of the Note
		reached  string // the last phase that has a figure
	}{
		"expired": {
			ClientServer(domain, ca.config(t, lasting(-3))), nil, probes.Critical, "handshake/certificate",
			`handshake: certificate expired 3\.\d days ago, on \d{4}-\d\d-\d\d`, "",
		},
		"wrong name": {
			ClientServer(domain, ca.config(t, service.CertOptions{Names: []string{"other.example"}})), nil, probes.Critical, "handshake/certificate",
			`handshake: certificate is for other\.example, not for example\.org`, "",
		},
		"self-signed": {
			ClientServer(domain, ca.config(t, service.CertOptions{SelfSigned: true})), nil, probes.Critical, "handshake/certificate",
			`handshake: certificate is self-signed`, "",
		},
		"host-unknown": {
			Open(header, StreamError("host-unknown", "")), nil, probes.Critical, "stream/stream_error", `stream: stream error host-unknown`, "",
		},
		"system-shutdown, hostile text": {
			Open(header, StreamError("system-shutdown", "bye | now\n\x7f OK")), nil, probes.Critical, "stream/stream_error",
			`stream: stream error system-shutdown \(bye now OK\)`, "",
		},
		"host-unknown after TLS": {
			Join(Open(header, required), Upgrade(good), Open(header, StreamError("host-unknown", ""))), nil, probes.Critical, "features/stream_error",
			`features: stream error host-unknown`, "",
		},
		"PLAIN before TLS": {
			script(good, Features(StartTLSRequired, plain), scram), nil, probes.Critical, "stream/mechanism",
			`stream: PLAIN is offered before TLS: passwords travel in clear; TLS 1\.3, certificate 60 days, SCRAM-SHA-1, \d+ ms`, "",
		},
		"PLAIN before TLS, no TLS": {
			Open(header, Features(plain)), []string{"starttls=off"}, probes.Critical, "stream/mechanism", `stream: PLAIN is offered before TLS.*`, "",
		},
		"LOGIN before TLS": {
			script(good, Features(StartTLSRequired, Mechanisms("LOGIN")), scram), nil, probes.Critical, "stream/mechanism", `stream: LOGIN is offered before TLS.*`, "",
		},
		"in clear, as wanted": {
			Join(Open(header, Features(scram)), Goodbye()), []string{"starttls=off"}, probes.OK, "", `SCRAM-SHA-1, \d+ ms`, "stream",
		},
		"mechanism missing in clear": {
			Open(header, Features(scram)),
			[]string{"starttls=off", "require-mech=SCRAM-SHA-256"},
			probes.Critical, "features/mechanism",
			`features: SCRAM-SHA-256 is not offered; .*`, "",
		},
		"PLAIN by SASL2 before TLS": {
			script(good, Features(StartTLSRequired, "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>PLAIN</mechanism></authentication>"), scram), nil,
			probes.Critical, "stream/mechanism", `stream: PLAIN is offered before TLS.*`, "",
		},
		"no STARTTLS": {
			Open(header, Features(scram)), nil, probes.Critical, "starttls/starttls_missing", `starttls: STARTTLS is not offered`, "",
		},
		"STARTTLS optional": {
			script(good, Features(StartTLSOptional), scram), nil, probes.Critical, "starttls/starttls_missing",
			`starttls: STARTTLS is offered but not required .*`, "",
		},
		"STARTTLS optional, allowed": {
			script(good, Features(StartTLSOptional), scram), []string{"starttls=offered"}, probes.OK, "", `TLS 1\.3, .*`, "features",
		},
		"STARTTLS refused": {
			Join(Open(header, required), Script{Expect("<starttls"), Send("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>")}), nil,
			probes.Critical, "starttls/starttls_missing", `starttls: the peer refused STARTTLS`, "",
		},
		"alert": {
			ClientServer(domain, &tls.Config{MinVersion: tls.VersionTLS12}), nil, probes.Critical, "handshake/tls_alert",
			`handshake: remote error: tls: .*`, "",
		},
		"TLS too old": {
			ClientServer(domain, &tls.Config{Certificates: good.Certificates, MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12}),
			[]string{"tls-min=1.3"},
			probes.Critical, "handshake/tls_alert", `handshake: .*protocol version.*`, "",
		},
		"no TLS after STARTTLS": {
			Join(Open(header, required), Script{Expect("<starttls"), Send(Proceed), Expect("\x16\x03"), Send("hello?")}), nil,
			probes.Critical, "handshake/protocol", `handshake: tls: first record does not look like a TLS handshake`, "",
		},
		"no mechanism": {
			script(good, required), nil, probes.Critical, "features/mechanism", `features: no SASL mechanism is offered: nobody can log in.*`, "",
		},
		"mechanism missing": {
			script(good, required, scram),
			[]string{"require-mech=scram-sha-256"},
			probes.Critical, "features/mechanism",
			`features: SCRAM-SHA-256 is not offered.*`, "",
		},
		"mechanisms by SASL2, channel binding": {
			script(good, required, scram+modern),
			[]string{"require-mech=SCRAM-SHA-256-PLUS", "require-binding=tls-exporter"},
			probes.OK, "",
			`TLS 1\.3, certificate 60 days, SCRAM-SHA-1 SCRAM-SHA-256-PLUS, SASL2, binding tls-exporter tls-server-end-point, \d+ ms`, "features",
		},
		"mechanism by SASL2, forbidden": {
			script(good, required, scram+modern),
			[]string{"forbid-mech=SCRAM-SHA-256-PLUS"},
			probes.Critical, "features/mechanism",
			`features: SCRAM-SHA-256-PLUS is offered; .*`, "",
		},
		"channel binding missing": {
			script(good, required, scram+modern),
			[]string{"require-binding=tls-unique"},
			probes.Critical, "features/mechanism",
			`features: channel binding tls-unique is not offered; .*`, "",
		},
		"no channel binding at all": {
			script(good, required, scram),
			[]string{"require-binding=tls-exporter"},
			probes.Critical, "features/mechanism",
			`features: channel binding tls-exporter is not offered; .*`, "",
		},
		"mechanism forbidden": {
			script(good, required, scram, plain), []string{"forbid-mech=PLAIN"}, probes.Critical, "features/mechanism", `features: PLAIN is offered.*`, "",
		},
		"closed": {Script{Expect(">")}, nil, probes.Critical, "stream/closed", `stream: the peer closed the connection`, ""},
		"not XMPP": {
			Script{Send("220 mail.example.org ESMTP\r\n"), BlackHole()},
			nil, probes.Critical, "stream/protocol",
			`stream: not an XMPP stream: the peer does not speak XML`, "",
		},
		"slow, in fragments": {
			Join(Script{Expect("<stream:stream"), Expect(">"), Fragments(header+required, time.Millisecond)}, Upgrade(good),
				Script{Expect("<stream:stream"), Expect(">"), Fragments(header+Features(scram), time.Millisecond)}, Goodbye()),
			nil, probes.OK, "", `TLS 1\.3, certificate 60 days, SCRAM-SHA-1, \d+ ms`, "features",
		},
		"150 ms latency": {
			Join(Script{Latency(150 * time.Millisecond)}, ClientServer(domain, good)), nil, probes.OK, "", `TLS 1\.3, .* ms`, "features",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			peer := Serve(t, "127.0.0.1:0", c.script)
			p := probes.C2S()
			r, err := run(t, p, at(peer.Addr, append(c.settings, "ca-file="+ca.file)...)...)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Notes) != 1 || r.Worst() != c.state || !regexp.MustCompile("^"+c.text+"$").MatchString(r.Notes[0].Text) {
				t.Errorf("got\n%swant %s: %s", texts(r), c.state, c.text)
			}
			failed := "1"
			if c.failure == "" {
				failed = "0"
			}
			wantFigures(t, p, r, map[string]string{"endpoints": "1", "endpoints_failed": failed})
			if got := strings.Contains(r.Set.Text(), `probe_xmpp_channel_binding_offered{type="tls-exporter"} 1`); got != strings.Contains(c.text, "binding tls-exporter tls-server") && c.state == probes.OK {
				t.Errorf("channel binding is told: %v", got)
			}
			if got := failures(r); got != c.failure {
				t.Errorf("failure %q, want %q", got, c.failure)
			}
			for _, phase := range []string{"stream", "starttls", "handshake", "features"} {
				if _, ok := figure(t, p, r, phase); ok != (c.reached == "features" || c.reached == phase) {
					t.Errorf("%s has a figure: %v", phase, ok)
				}
			}
			if _, ok := figure(t, p, r, "time"); ok != (c.state == probes.OK) {
				t.Errorf("time has a figure: %v", ok)
			}
		})
	}
}

// failures are the phases and reasons that failed: "connect/refused stream/timeout".
func failures(r *probes.Report) string {
	var all []string
	for _, s := range r.Set.All() {
		if s.Metric.Name == "probe_xmpp_failure_info" {
			all = append(all, strings.Join(s.Labels, "/"))
		}
	}
	return strings.Join(all, " ")
}
