// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

const password = "secret-" + service.Canary

// scene is a whole service, the exporter as an operator starts it, and Prometheus that scrapes and probes.
type scene struct {
	*service.Service
	bin     string
	address string // of the exporter
	server
}

func startScene(t *testing.T) *scene {
	t.Helper()
	service.Require(t)
	ports, err := service.FreePorts(2)
	if err != nil {
		t.Fatal(err)
	}
	options := service.Everything()
	options.ExtraModules = "  mod_metrics:\n    port: " + strconv.Itoa(ports[0])
	s := &scene{bin: buildExporter(t), address: "127.0.0.1:" + strconv.Itoa(ports[1]), Service: service.ForTest(t, options)}
	s.startExporter(t)
	running, err := s.StartPrometheus(t.Context(), s.scrapeConfig())
	if err != nil {
		t.Fatal(err)
	}
	s.server = server{url: running.URL, variables: everything()}
	return s
}

func buildExporter(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "ejabberd_exporter")
	build := exec.CommandContext(t.Context(), "go", "-C", "..", "build", "-o", bin, "./cmd/ejabberd_exporter")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", build, err, said)
	}
	return bin
}

func (s *scene) startExporter(t *testing.T) {
	t.Helper()
	optional := []string{"--collector.orphans", "--collector.upload_orphans"}
	if err := s.Database.Grant(t.Context(), s.bin, password, optional...); err != nil {
		t.Fatal(err)
	}
	if err := s.Database.Exec(t.Context(), "ANALYZE"); err != nil {
		t.Fatal(err)
	}
	modules := filepath.Join(t.TempDir(), "probe.yml")
	if err := os.WriteFile(modules, []byte(s.modules(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	exporter := exec.CommandContext(t.Context(), s.bin, append([]string{
		"--ejabberd.config=" + s.Ejabberd.ConfigPath, "--web.listen-address=" + s.address, "--probe.resolver=" + s.Resolver.Addr(),
		"--probe.ca-file=" + s.CAFile, "--probe.config=" + modules,
	}, optional...)...)
	exporter.Env = append(os.Environ(), "PGPASSWORD="+password)
	exporter.Stdout, exporter.Stderr = &log, &log
	exporter.Cancel = func() error { return exporter.Process.Signal(syscall.SIGTERM) }
	exporter.WaitDelay = 20 * time.Second
	if err := exporter.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = exporter.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = exporter.Wait()
		if t.Failed() {
			t.Logf("the exporter's log:\n%s", &log)
		}
	})
	until(t, "the exporter is ready", func() bool {
		response, err := http.Get("http://" + s.address + "/-/ready") //nolint:forbidigo // a test that polls
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

// modules are those of examples/probe.yml, for accounts that are here.
func (s *scene) modules(t *testing.T) string {
	t.Helper()
	domain := s.Domains[0]
	for _, user := range []string{"probe", "probe-upload"} {
		if err := s.Ejabberd.Register(t.Context(), service.Account{User: user + "-" + service.Canary, Domain: domain, Password: password}); err != nil {
			t.Fatal(err)
		}
	}
	account := func(user string) string {
		return fmt.Sprintf("    jid: %s-%s@%s\n    password: %s\n", user, service.Canary, domain, password)
	}
	return "modules:\n  login:\n" + account("probe") + "    ping: [" + s.Prosody.Domain + "]\n  echo:\n" + account("probe") +
		"  upload:\n" + account("probe-upload") + "  register:\n    expect: captcha\n  federation:\n" + s.door(t)
}

// door is where the module federation is dialled back.
func (s *scene) door(t *testing.T) string {
	t.Helper()
	ports, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	s.Resolver.SetSRV("_xmpp-server._tcp.probe.test", "localhost", ports[0])
	var listen []string
	for _, address := range service.Loopback() {
		listen = append(listen, strconv.Quote(net.JoinHostPort(address, strconv.Itoa(ports[0]))))
	}
	return "    probe-domain: probe.test\n    listen: [" + strings.Join(listen, ", ") + "]\n"
}

// scrapeConfig is examples/prometheus.yml, much faster and with all modules.
func (s *scene) scrapeConfig() string {
	var jobs strings.Builder
	for _, module := range []string{"c2s", "s2s", "cert", "dns"} {
		fmt.Fprintf(&jobs, "      - {targets: [%s], labels: {module: %s}}\n", strings.Join(s.Domains, ", "), module)
	}
	for _, module := range []string{"login", "echo", "upload", "register", "federation"} {
		fmt.Fprintf(&jobs, "      - {targets: [%s], labels: {module: %s}}\n", s.Domains[0], module)
	}
	return fmt.Sprintf(`global: {scrape_interval: 2s, scrape_timeout: 2s}
scrape_configs:
  - job_name: ejabberd
    static_configs: [{targets: [%[1]q]}]
  - job_name: xmpp
    metrics_path: /probe
    static_configs:
%[2]s    relabel_configs:
      - {source_labels: [module], target_label: __param_module}
      - {source_labels: [__address__], target_label: __param_target}
      - {source_labels: [__param_target], target_label: instance}
      - {target_label: __address__, replacement: %[1]q}
`, s.address, jobs.String())
}

// until polls a real server.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited a minute in vain: %s", what)
		}
	}
}
