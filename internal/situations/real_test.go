// SPDX-License-Identifier: Apache-2.0

package situations

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// realTheme is the chapter that is played on the real service.
const realTheme = "A real ejabberd"

// onEjabberd is what can be brought about on a real ejabberd.
func onEjabberd() []situation {
	healthy := func(*stage) {}
	// configured replaces parts of ejabberd.yml.
	configured := func(fromTo ...string) func(*stage) { return func(s *stage) { s.configure(fromTo...) } }
	ofClients := func(s *stage) { s.lead(s.real.Ejabberd.Config.Ports.C2S) }
	elsewhere := func(lead func(*stage)) func(*stage) {
		return func(s *stage) {
			s.domain = "nosuch.test"
			lead(s)
		}
	}
	return []situation{
		{"a healthy service", healthy, []verdict{
			{"c2s s2s cert", "", ok, "", "endpoints, worst certificate 89 days, TLS 1.3"},
			{"dns", "", ok, "", "1 host"},
			{"login", "", ok, "", "logged in by SCRAM-SHA-"},
			{"echo", "", ok, "", "3 of 3 messages came back from echo.chapril.test"},
			{"register", "", ok, "", "registration is open with a captcha"},
			{"upload", "", ok, "", "1024 bytes uploaded in "},
			{"federation", "", ok, "", "federates with probe.test both ways in "},
			{"turn", "", ok, "", "2 endpoints"},
			{"web", "--register-web captcha", ok, "", "endpoints, worst certificate 89 days"},
		}},
		{"a domain that it does not serve", elsewhere(ofClients), []verdict{
			{"c2s register", "", critical, "stream/stream_error", "stream: stream error host-unknown"},
		}},
		{"a domain that it does not serve, for servers", elsewhere(func(s *stage) { s.lead(s.real.Ejabberd.Config.Ports.S2S) }), []verdict{
			{"s2s", "", critical, "stream/stream_error", "stream: stream error host-unknown"},
		}},
		{"the port for servers instead of that for clients", func(s *stage) { s.lead(s.real.Ejabberd.Config.Ports.S2S) }, []verdict{
			{"c2s", "", critical, "stream/protocol", "its namespace is \"jabber:server\" instead of jabber:client"},
		}},
		{"the port with direct TLS instead of that with STARTTLS", func(s *stage) { s.lead(s.real.Ejabberd.Config.Ports.C2STLS) }, []verdict{
			{"c2s", "", critical, "stream/closed", "stream: the peer closed the connection"},
		}},
		{"the port with STARTTLS instead of that with direct TLS", ofClients, []verdict{
			{"c2s", "--direct-tls", critical, "handshake/protocol", "first record does not look like a TLS handshake"},
		}},
		{"a wrong password", func(s *stage) { s.secret = "wrong" }, []verdict{
			{"login", "", critical, "auth/refused", "auth: login refused: not-authorized"},
		}},
		{"a peer that does not exist", healthy, []verdict{
			{"login", "--ping nosuch.test", critical, "ping/unreachable", "nosuch.test: ping: the server answered remote-server-not-found"},
		}},
		{"an echo that nobody sends", healthy, []verdict{
			{"echo", "--peer nobody.chapril.test", critical, "message/unreachable", "3 of 3 messages did not come back from nobody.chapril.test"},
		}},
		{"captcha_cmd fails", configured("/captcha\"\ncaptcha_url", "/no-such-program\"\ncaptcha_url"), []verdict{
			{"register", "", critical, "get/refused", "get: the server answered internal-server-error"},
		}},
		{"registration without a captcha", configured("captcha_protected: true", "captcha_protected: false"), []verdict{
			{"register", "", critical, "get/protocol", "get: registration is open without a captcha instead of open with a captcha"},
		}},
		{"registration that access_rules deny: the form is offered all the same", configured("  register:\n    allow: all", "  register:\n    deny: all"), []verdict{
			{"register", "", ok, "", "registration is open with a captcha"},
		}},
		{"no mod_register", configured("      /register: mod_register_web\n", "",
			"  mod_register:\n    captcha_protected: true\n    access: register\n  mod_register_web: {}\n", ""), []verdict{
			{"register", "", critical, "get/protocol", "get: registration is closed instead of open with a captcha"},
			{"register", "--expect closed", ok, "", "registration is closed"},
		}},
		{"a limit for files that is too small", configured("    access: local\n  mod_http_upload_quota", "    access: local\n    max_size: 100\n  mod_http_upload_quota"), []verdict{
			{"upload", "", critical, "slot/refused", "slot: "},
		}},
		{"uploads for nobody", configured("    access: local\n  mod_http_upload_quota", "    access: none\n  mod_http_upload_quota"), []verdict{
			{"upload", "", critical, "slot/refused", "slot: "},
		}},
		{"uploads lead to where nobody listens", func(s *stage) {
			s.configure("put_url: \"https://@HOST@:"+strconv.Itoa(s.real.Ejabberd.Config.Ports.HTTPS), "put_url: \"https://@HOST@:1")
		}, []verdict{
			{"upload", "", critical, "connect/refused", "connect: connection refused"},
		}},
		{"an expired certificate", func(s *stage) { s.serveCertificate(lasting(-2)) }, []verdict{
			{"c2s s2s cert", "", critical, "handshake/certificate", "handshake: certificate expired 2.0 days ago"},
		}},
		{"a certificate that ends in 5 days", func(s *stage) { s.serveCertificate(lasting(5)) }, []verdict{
			{"c2s s2s cert", "", critical, "", "certificate: 5 days left, wanted 9:"},
		}},
		{"it hangs", func(s *stage) { s.signal(syscall.SIGSTOP) }, []verdict{
			{"c2s cert login register", "-t 1", critical, "handshake/timeout stream/timeout", "no answer in time"},
			{"s2s federation", "-t 1", critical, "stream/timeout", "stream: no answer in time"},
			{"web", "-t 1", critical, "handshake/timeout", "handshake: no answer in time"},
			{"turn", "-t 1", critical, "ping/timeout", "ping: no answer in time"},
		}},
		{"it is down", func(s *stage) {
			s.real.Ejabberd.Kill()
			s.Cleanup(func() {
				ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
				defer cancel()
				if err := s.real.Ejabberd.Start(ctx); err != nil {
					s.Error(err)
				}
			})
		}, []verdict{
			{"c2s s2s cert login register federation web", "", critical, "connect/refused", "connect: connection refused"},
		}},
	}
}

// TestRealSituations plays what can be brought about on a real service, one after the other.
func TestRealSituations(t *testing.T) {
	t.Parallel()
	r := service.ForTest(t, service.Options{NoSQL: true, Component: true})
	for _, situation := range onEjabberd() {
		t.Run(situation.name, func(t *testing.T) {
			played := realStage(t, r)
			situation.play(played)
			for _, v := range situation.verdicts {
				for plugin := range strings.FieldsSeq(v.plugins) {
					t.Run(plugin+" "+v.flags, func(t *testing.T) {
						s := *played
						s.T, s.plugin = t, plugin
						alone.Lock()
						defer alone.Unlock()
						wrong, _ := v.try(&s, func(*stage) {})
						if len(wrong) > 0 { // a server that was just reloaded may need a moment
							t.Logf("once more: %s", strings.Join(wrong, "\n"))
							wrong, _ = v.try(&s, func(*stage) {})
						}
						for _, w := range wrong {
							t.Error(w)
						}
					})
				}
			}
		})
	}
}

// realStage is the real service as a stage.
func realStage(t *testing.T, r *service.Service) *stage {
	return &stage{
		T: t, real: r, ca: r.CA, caFile: r.CAFile, domain: r.Domains[0], resolver: r.Resolver.Addr(),
		jid: r.Admin.JID(), secret: r.Admin.Password,
	}
}

// configure replaces parts of ejabberd.yml, for as long as the situation lasts.
func (s *stage) configure(fromTo ...string) {
	s.Helper()
	path := s.real.Ejabberd.ConfigPath
	before, err := os.ReadFile(path)
	if err != nil {
		s.Fatal(err)
	}
	for i := 0; i < len(fromTo); i += 2 {
		if !strings.Contains(string(before), fromTo[i]) {
			s.Fatalf("ejabberd.yml does not have %q", fromTo[i])
		}
	}
	s.Cleanup(func() { s.write(path, string(before)) })
	s.write(path, strings.NewReplacer(fromTo...).Replace(string(before)))
}

// write writes a file that ejabberd reads, and has it read.
func (s *stage) write(path, text string) {
	s.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.Fatal(err)
	}
	s.reload()
}

func (s *stage) reload() {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.real.Ejabberd.Reload(ctx); err != nil {
		s.Fatal(err)
	}
}

// serveCertificate has ejabberd serve another certificate, for as long as the situation lasts.
func (s *stage) serveCertificate(options service.CertOptions) {
	s.Helper()
	path := s.real.Ejabberd.Config.XMPPCert
	before, err := os.ReadFile(path)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { s.write(path, string(before)) })
	for _, d := range s.real.Domains {
		options.Names = append(options.Names, d, "*."+d)
	}
	if err := s.real.WriteCertificate(path, options); err != nil {
		s.Fatal(err)
	}
	for range 20 { // it goes by the time of the file, in seconds
		s.reload()
		if end := s.servedUntil(); end.Equal(options.NotAfter.Truncate(time.Second)) {
			return
		}
		now := time.Now()
		if err := os.Chtimes(path, now, now); err != nil {
			s.Fatal(err)
		}
	}
	s.Fatal("ejabberd does not serve the new certificate")
}

// servedUntil is the end of the certificate that ejabberd serves.
func (s *stage) servedUntil() time.Time {
	s.Helper()
	dialer := tls.Dialer{Config: &tls.Config{ServerName: s.domain, InsecureSkipVerify: true}}
	conn, err := dialer.DialContext(s.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.real.Ejabberd.Config.Ports.C2STLS)))
	if err != nil {
		s.Fatal(err)
	}
	defer conn.Close()
	return conn.(*tls.Conn).ConnectionState().PeerCertificates[0].NotAfter
}

// signal stops the Erlang VM, for as long as the situation lasts.
func (s *stage) signal(signal syscall.Signal) {
	s.Helper()
	s.Cleanup(func() {
		if err := s.real.Ejabberd.Signal(syscall.SIGCONT); err != nil {
			s.Error(err)
		}
	})
	if err := s.real.Ejabberd.Signal(signal); err != nil {
		s.Fatal(err)
	}
}
