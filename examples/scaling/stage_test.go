// SPDX-License-Identifier: Apache-2.0

package scaling_test

import (
	"bytes"
	"context"
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
	"text/template"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// size is how large the example is run.
type size struct {
	targets  int
	interval time.Duration
}

// dead of a hundred targets have nobody who listens.
const deadPercent = 1

func (s size) dead() int { return s.targets * deadPercent / 100 }

// stage is everything that runs: one ejabberd that serves all domains, two exporters, two shards of Prometheus, a global engine.
type stage struct {
	size
	dir       string
	names     *service.Resolver
	domains   []string
	exporters [2]string // host:port
	shards    [2]*service.Monitor
	global    engine
}

func newStage(t *testing.T, size size, start func(*testing.T, string) engine) *stage {
	t.Helper()
	service.Require(t)
	dir, err := os.MkdirTemp("", "xmpp-") // short: see internal/service
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := &stage{size: size, dir: dir}
	for i := range size.targets {
		s.domains = append(s.domains, fmt.Sprintf("d%04d.scaling.test", i))
	}
	s.startEjabberd(t)
	s.startExporters(t)
	s.global = start(t, dir)
	for i := range s.shards {
		s.startShard(t, i)
	}
	return s
}

// little is an ejabberd.yml for thousands of hosts: what a probe of clients' ports meets, and no more.
var little = template.Must(template.New("ejabberd.yml").Parse(`
hosts:
{{- range .Domains}}
  - {{.}}
{{- end}}
loglevel: warning
certfiles: ["{{.Cert}}"]
listen:
  - {port: {{.Ports.C2S}}, ip: "127.0.0.1", module: ejabberd_c2s, starttls_required: true, backlog: 1000}
  - {port: {{.Ports.API}}, ip: "127.0.0.1", module: ejabberd_http, request_handlers: {/api: mod_http_api}}
api_permissions:
  status: {who: {ip: 127.0.0.1/32}, what: [status]}
modules: {}
`))

// startEjabberd starts a real one for all domains, and points their names at it: those of the dead at a port where nobody listens.
func (s *stage) startEjabberd(t *testing.T) {
	ca, err := service.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := ca.Issue(service.CertOptions{Names: []string{"*.scaling.test"}})
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "ca.pem", string(ca.PEM))
	cert := s.write(t, "xmpp.pem", string(certificate.PEM))
	ports, err := service.FreePorts(3)
	if err != nil {
		t.Fatal(err)
	}
	config := service.Config{Domains: s.domains, UploadDir: filepath.Join(s.dir, "upload"), Ports: service.Ports{C2S: ports[0], API: ports[1]}}
	var text bytes.Buffer
	if err := little.Execute(&text, struct {
		service.Config
		Cert string
	}{config, cert}); err != nil {
		t.Fatal(err)
	}
	config.Text = text.String()
	if s.names, err = service.StartResolver(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.names.Stop)
	s.names.SetTTL(3600)
	for i, domain := range s.domains {
		port := ports[0]
		if i < s.dead() {
			port = ports[2]
		}
		s.names.SetHost("xmpp."+domain, "127.0.0.1")
		s.names.SetSRV("_xmpp-client._tcp."+domain, "xmpp."+domain, port)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	ejabberd, err := service.StartEjabberd(ctx, filepath.Join(s.dir, "ejabberd"), config, s.names.Port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ejabberd.Stop)
}

// startExporters starts two that may probe every domain of the example.
func (s *stage) startExporters(t *testing.T) {
	binary := buildExporter(t, s.dir)
	for i := range s.exporters {
		s.exporters[i] = freeAddress(t)
		launch(t, binary, "--web.listen-address="+s.exporters[i], "--ejabberd.config=", "--probe.target=*.scaling.test", "--probe.private",
			"--probe.resolver="+s.names.Addr(), "--probe.ca-file="+filepath.Join(s.dir, "ca.pem"))
		awaitOK(t, "http://"+s.exporters[i]+"/-/ready")
	}
}

// buildExporter builds the program as it is shipped.
func buildExporter(t *testing.T, dir string) string {
	t.Helper()
	binary := filepath.Join(dir, "ejabberd_exporter")
	build := exec.Command("go", "build", "-o", binary, "./cmd/ejabberd_exporter")
	build.Dir, build.Env = "../..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}

// startShard starts Prometheus with the example's configuration as it is, but for names, the pace and this server's number.
func (s *stage) startShard(t *testing.T, number int) {
	var targets strings.Builder
	targets.WriteString("- labels: {module: c2s}\n  targets:\n")
	for _, domain := range s.domains {
		targets.WriteString("    - " + domain + "\n")
	}
	dir := fmt.Sprintf("shard-%d/", number)
	s.write(t, dir+"targets/c2s.yml", targets.String())
	text, err := os.ReadFile("prometheus-shard.yml")
	if err != nil {
		t.Fatal(err)
	}
	config := strings.ReplaceAll(string(text), `"0" # mark`, fmt.Sprintf(`"%d" # mark`, number))
	config = strings.NewReplacer(
		"scrape_interval: 1m", "scrape_interval: "+s.interval.String(),
		"scrape_timeout: 20s", "scrape_timeout: "+min(s.interval, 20*time.Second).String(),
		"exporter-a.example.net:9334", s.exporters[0], "exporter-b.example.net:9334", s.exporters[1],
		"http://global.example.net:8428/api/v1/write", s.global.write,
	).Replace(config)
	path := s.write(t, dir+"prometheus.yml", config)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p, err := service.StartPrometheus(ctx, filepath.Join(s.dir, dir), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	s.shards[number] = p
}

func (s *stage) write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func freeAddress(t *testing.T) string {
	t.Helper()
	ports, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[0]))
}

// launch runs a program until the test ends. It must end in order then.
func launch(t *testing.T, program string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(program, args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil || t.Failed() {
			t.Errorf("%s ends with %v:\n%s", filepath.Base(program), err, &said)
		}
	})
	return cmd
}

func awaitOK(t *testing.T, url string) {
	t.Helper()
	eventually(t, 30*time.Second, url, func() error {
		answer, err := http.Get(url) //nolint:forbidigo // a test
		if err != nil {
			return err
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("%s", answer.Status)
		}
		return nil
	})
}

func eventually(t *testing.T, limit time.Duration, what string, try func() error) {
	t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	end := time.After(limit)
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("%s: not within %s: %v", what, limit, err)
		}
	}
}
