// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// child starts the program as a process of its own.
func child(t *testing.T, args ...string) (program *exec.Cmd, address string) {
	t.Helper()
	ports, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	address = fmt.Sprintf("127.0.0.1:%d", ports[0])
	program = exec.CommandContext(t.Context(), "/proc/self/exe", append([]string{"--web.listen-address=" + address}, args...)...)
	program.Env = []string{actAsProgram + "=1"}
	program.Stderr = t.Output()
	program.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	return program, address
}

// TestPages: what is served beside the metrics.
func TestPages(t *testing.T) {
	t.Parallel()
	docroot := t.TempDir()
	ports, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	second := fmt.Sprintf("127.0.0.1:%d", ports[0])
	d := serve(t, "--ejabberd.config="+file(t, "ejabberd.yml", uploadsIn(docroot)+"sql_password: "+service.Canary+"\n"), "--web.listen-address="+second)
	for path, c := range map[string]struct {
		status int
		body   string
	}{
		"/":                                  {200, `<a href="metrics">`},
		"/?refresh=1":                        {400, "refresh is a number of seconds from 10 to 3600"},
		"/favicon.ico":                       {404, "not found"},
		"/-/healthy":                         {200, "ok"},
		"/-/ready":                           {200, "ok"},
		"/metrics":                           {200, "\ngo_goroutines "},
		"/metrics?collect[]=upload_limits":   {200, `collector="upload_limits"} 1`},
		"/metrics?collect[]=nothing":         {400, "unknown collector in collect[]; there are: "},
		"/nothing":                           {404, "not found"},
		"/statistics.json":                   {404, "not found"}, // unless --web.statistics asks for it
		"/probe?module=c2s&target=evil.test": {400, "target is not allowed"},
		"/debug/pprof/":                      {404, "not found"},
	} {
		status, body := d.get(t, path, scrapeTimeout)
		if status != c.status || !strings.Contains(body, c.body) {
			t.Errorf("%s: status %d, want %d with %q:\n%s", path, status, c.status, c.body, body)
		}
		if strings.Contains(body, service.Canary) || strings.Contains(body, docroot) {
			t.Errorf("%s shows what it must not:\n%s", path, body)
		}
	}
	_, page := d.get(t, "/metrics?collect[]=uploads&collect[]=upload_filesystem", scrapeTimeout)
	for line := range strings.Lines(page) {
		if strings.Contains(line, `collector="upload_limits"`) || strings.HasPrefix(line, "go_") {
			t.Errorf("this was not asked for: %s", line)
		}
	}
	want(t, page, map[string]float64{`ejabberd_upload_files{vhost="chapril.test"}`: 0})
	success(t, (&daemon{URL: "http://" + second, log: d.log}).scrape(t, scrapeTimeout))
	if exit, _, log := program(t, "--healthcheck", "--web.listen-address="+second); exit != 0 {
		t.Errorf("--healthcheck: exit %d: %s", exit, log)
	}
	if exit := d.stopped(t); exit != 0 {
		t.Errorf("exit %d", exit)
	}
	exit, _, log := program(t, "--healthcheck", "--web.listen-address="+second)
	if exit == 0 || !strings.Contains(log, "is not healthy") {
		t.Errorf("--healthcheck of nobody: exit %d: %s", exit, log)
	}
}

// TestTLSAndPasswords: --web.config.file does what exporter-toolkit promises, over a real connection.
func TestTLSAndPasswords(t *testing.T) {
	t.Parallel()
	ca, err := service.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := ca.Issue(service.CertOptions{Names: []string{"exporter.test"}})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	const hashOfPrometheusPassword = "$2a$04$11fuJEbGFeHPbaKXNC0k2urdQlsGfvsmptZDragPfG3ofSYIpd8Cm"
	for name, text := range map[string]string{
		"cert.pem": string(certificate.PEM),
		"web.yml":  "tls_server_config: {cert_file: cert.pem, key_file: cert.pem}\nbasic_auth_users: {prometheus: \"" + hashOfPrometheusPassword + "\"}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := launch(t, "--ejabberd.config="+file(t, "ejabberd.yml", uploadsIn(t.TempDir())), "--web.config.file="+filepath.Join(dir, "web.yml"))
	host := strings.TrimPrefix(d.URL, "http://")
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.Pool(), ServerName: "exporter.test"}, DisableKeepAlives: true}}
	get := func(user, password string) (status int, page string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+host+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		if user != "" {
			request.SetBasicAuth(user, password)
		}
		answer, err := client.Do(request)
		if err != nil {
			return 0, err.Error()
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(text)
	}
	eventually(t, 10*time.Second, "answer", func() bool { status, _ := get("", ""); return status != 0 })
	for _, c := range []struct {
		user, password string
		status         int
	}{{"", "", 401}, {"prometheus", "wrong", 401}, {"nobody", "prometheus-password", 401}, {"prometheus", "prometheus-password", 200}} {
		if status, page := get(c.user, c.password); status != c.status {
			t.Errorf("%s %s: status %d, want %d:\n%s", c.user, c.password, status, c.status, page)
		}
	}
	for version, good := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		dialer := tls.Dialer{Config: &tls.Config{RootCAs: ca.Pool(), ServerName: "exporter.test", MinVersion: tls.VersionTLS10, MaxVersion: version}}
		conn, err := dialer.DialContext(t.Context(), "tcp", host)
		if good != (err == nil) {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
	if status, _ := d.get(t, "/metrics", time.Second); status == http.StatusOK {
		t.Error("it serves without TLS too")
	}
	if exit, _, log := program(t, "--healthcheck", "--web.listen-address="+host); exit != 0 {
		t.Errorf("--healthcheck through TLS and password: exit %d: %s", exit, log)
	}
	noSecrets(t, d.log.String())
}
