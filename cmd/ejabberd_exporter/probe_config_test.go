// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/nagios"
	"github.com/chapril/ejabberd_exporter/internal/service"
	"github.com/chapril/ejabberd_exporter/internal/xmpp/sasl"
	"github.com/chapril/ejabberd_exporter/probes"
)

const wrongPassword = "wrong-" + service.Canary

// probeModules is a probe configuration in which the account of module login has a password.
func probeModules(s *service.Service, password string) string {
	return fmt.Sprintf(`modules:
  login: {jid: %[1]s, password: %[2]s}
  login-good:
    probe: login
    jid: %[1]s
    password: %[3]s
    ping: [%[4]s]
    abuse-contact: true
    block-list: [%[4]s/none]
  c2s: {require-mech: SCRAM-SHA-1}
`, s.Admin.JID(), password, s.Admin.Password, s.Domains[1])
}

// TestProbeConfiguration: modules with an account, on a real ejabberd with its mod_fail2ban. A wrong password bans nobody.
func TestProbeConfiguration(t *testing.T) {
	s := service.ForTest(t, service.Options{NoSQL: true})
	makeDocroots(t, s)
	domain := s.Domains[0]
	config := file(t, "probe.yml", probeModules(s, wrongPassword))
	d := serve(t, "--ejabberd.config="+s.Ejabberd.ConfigPath, "--probe.config="+config,
		"--probe.resolver="+s.Resolver.Addr(), "--probe.ca-file="+s.CAFile, "--log.level=debug")
	probe := func(query string) (status int, page string) {
		status, page = d.get(t, "/probe?"+query, 10*time.Second)
		noSecrets(t, page)
		return status, page
	}
	logins := func(what string) int {
		text, err := os.ReadFile(s.Ejabberd.LogPath())
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(text), what+" c2s ")
	}

	for range 100 {
		if status, page := probe("module=login&target=" + domain); status != http.StatusOK || !strings.Contains(page, "probe_success 0\n") ||
			!strings.Contains(page, `probe_xmpp_failure_info{phase="auth",reason="refused"} 1`) {
			t.Fatalf("status %d\n%s", status, page)
		}
	}
	eventually(t, 5*time.Second, "line about the refusal", func() bool { return logins("Failed") > 0 })
	if n := logins("Failed"); n != 1 {
		t.Errorf("a wrong password was tried %d times", n)
	}
	if _, page := probe("module=login&debug=true&target=" + domain); !strings.Contains(page, "auth: login refused: not-authorized") || !strings.Contains(page, "not tried again before ") {
		t.Errorf("debug says\n%s", page)
	}
	before := logins("Accepted")
	for range 5 {
		if _, page := probe("module=login-good&target=" + domain); !strings.Contains(page, "probe_success 1\n") || !strings.Contains(page, fmt.Sprintf("probe_xmpp_ping_success{peer=%q} 1", s.Domains[1])) {
			t.Fatalf("the address is banned, or the login fails:\n%s", page)
		}
	}
	if _, page := probe("module=login-good&target=" + domain); !strings.Contains(page, "probe_xmpp_abuse_contact 1\n") || strings.Contains(page, "probe_xmpp_block_listed") {
		t.Errorf("abuse contact, and a block list that does not exist:\n%s", page)
	}
	if n := logins("Accepted") - before; n != 1 {
		t.Errorf("five probes within 30 s logged in %d times", n)
	}
	if _, page := probe("module=c2s&target=" + domain); !strings.Contains(page, "probe_success 1\n") {
		t.Errorf("module c2s:\n%s", page)
	}
	for query, want := range map[string]string{
		"module=login-good&target=" + s.Domains[1]:                  "the account of this module is of another domain",
		"module=login-good&ping=peer.test&target=" + domain:         "login-good takes module, target, debug\n",
		"module=login-good&any-family=1&target=" + domain:           "login-good takes module, target, debug\n",
		"module=login-good&password=hello&target=" + domain:         "login-good takes module, target, debug\n",
		"module=echo&target=" + domain:                              "--probe.config",
		"module=c2s&ca-file=/etc/hostname&target=" + domain:         "unknown parameter",
		"module=c2s&require-mech=SCRAM&hostname=x&target=" + domain: "unknown parameter",
	} {
		if status, page := probe(query); status != http.StatusBadRequest || !strings.Contains(page, want) {
			t.Errorf("%s: status %d: %s", query, status, page)
		}
	}

	reload := func() (status int, text string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.URL+"/-/reload", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := (&http.Client{Timeout: 5 * time.Second}).Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		noSecrets(t, string(body))
		return answer.StatusCode, string(body)
	}
	write := func(text string, mode os.FileMode) {
		if err := os.WriteFile(config, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(config, mode); err != nil {
			t.Fatal(err)
		}
	}
	if status, text := reload(); status != http.StatusOK {
		t.Fatalf("reload: %d %s", status, text)
	}
	probe("module=login&target=" + domain)
	if n := logins("Failed"); n != 1 {
		t.Errorf("a reload of the same file made %d failed logins", n)
	}
	write(probeModules(s, s.Admin.Password), 0o604)
	if status, text := reload(); status != http.StatusInternalServerError || !strings.Contains(text, "chmod o-rwx") {
		t.Errorf("a file that others may read: %d %s", status, text)
	}
	write("modules: {login: {jid: "+s.Admin.JID()+", pasword: "+s.Admin.Password+"}}", 0o600)
	if status, text := reload(); status != http.StatusInternalServerError || !strings.Contains(text, "line 1: unknown setting; login has: hostname, ") {
		t.Errorf("a typing error: %d %s", status, text)
	}
	write(probeModules(s, s.Admin.Password), 0o600)
	if status, text := reload(); status != http.StatusOK {
		t.Errorf("reload: %d %s", status, text)
	}
	if _, page := probe("module=login&target=" + domain); !strings.Contains(page, "probe_success 1\n") {
		t.Errorf("the right password is not used:\n%s", page)
	}
	write("modules: {}", 0o600)
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, 5*time.Second, "reload on SIGHUP", func() bool {
		status, _ := probe("module=login&target=" + domain)
		return status == http.StatusBadRequest
	})
	noSecrets(t, d.log.String())

	// What all that care is for.
	args := []string{
		"--domain=" + domain, "--jid=" + s.Admin.JID(), "--password-file=" + file(t, "password", wrongPassword),
		"--resolver=" + s.Resolver.Addr(), "--ca-file=" + s.CAFile,
	}
	var out strings.Builder
	for range 22 {
		out.Reset()
		nagios.Run(probes.Login(sasl.Authenticate), args, &out)
	}
	if !strings.HasPrefix(out.String(), "XMPP_LOGIN CRITICAL - ") || !strings.Contains(out.String(), "banned: the server refuses the address of this machine") {
		t.Errorf("22 failed logins:\n%s", out.String())
	}
	noSecrets(t, out.String())
}
