// SPDX-License-Identifier: Apache-2.0

// Package container_test builds the image of the Dockerfile and runs it beside the real service.
package container_test

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

const (
	repository = "../.."
	image      = "localhost/ejabberd_exporter:test"
	name       = "ejabberd_exporter"
	// mostBytes is what the exporter's image may weigh.
	mostBytes = 25 << 20
)

// config is what podman says of an image.
type config struct {
	Size        int64
	User        string
	Labels      map[string]string
	Config      struct{ Entrypoint, Env []string }
	Healthcheck struct{ Test []string }
}

// TestImage: what is in it, how it is run, what it does beside a real service, and how it ends.
func TestImage(t *testing.T) {
	e := newEngine(t)
	e.standIn(t)
	args := append(mounts(t), "--build-arg=VERSION=1.2.3-test", "--build-arg=REVISION=abc")
	e.build(t, image, repository, args...)
	e.build(t, image+"-plugins", repository, append(args, "--target=plugins")...)

	var all []config
	if err := json.Unmarshal([]byte(e.podman(t, "image", "inspect", image)), &all); err != nil || len(all) != 1 {
		t.Fatal(err)
	}
	is := all[0]
	t.Logf("image: %.1f MB", float64(is.Size)/1e6)
	if is.Size > mostBytes {
		t.Errorf("%d bytes, want %d at most", is.Size, mostBytes)
	}
	if is.User != "65534:65534" {
		t.Errorf("runs as %q", is.User)
	}
	if want := []string{"CMD", "/bin/ejabberd_exporter", "--healthcheck"}; !reflect.DeepEqual(is.Healthcheck.Test, want) {
		t.Errorf("health check %q", is.Healthcheck.Test)
	}
	for label, want := range map[string]string{"version": "1.2.3-test", "revision": "abc", "licenses": "Apache-2.0", "title": "ejabberd_exporter"} {
		if got := is.Labels["org.opencontainers.image."+label]; got != want {
			t.Errorf("label %s is %q, want %q", label, got, want)
		}
	}
	const authorities = "/etc/ssl/certs/ca-certificates.crt"
	if files := e.content(t, image); !slices.Equal(files, []string{"/bin/ejabberd_exporter", authorities}) {
		t.Errorf("the image holds %q", files)
	}
	plugins := e.content(t, image+"-plugins")
	sources, err := filepath.Glob(repository + "/cmd/check_*")
	if err != nil {
		t.Fatal(err)
	}
	if len(plugins) != len(sources)+1 { // and the authorities
		t.Errorf("the image of the plugins holds %q", plugins)
	}
	said, err := e.run(t, "--rm", "--network=none", "--entrypoint=/bin/check_xmpp_c2s", image+"-plugins", "--version")
	if !strings.Contains(said, "1.2.3-test") || err == nil { // 3, as the contract of the plugins has it
		t.Errorf("the plugin in its image says %q, %v", said, err)
	}

	s := service.ForTest(t, service.Options{NamesByAPI: true})
	t.Run("beside the service", func(t *testing.T) { e.besideService(t, s) })
}

// besideService runs the image as the Dockerfile advises, in the network of this machine, where the service is on loopback.
func (e engine) besideService(t *testing.T, s *service.Service) {
	ports, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[0]))
	t.Cleanup(func() { _, _ = e.try(t, "rm", "--force", "--time=0", name) })
	_, err = e.run(t, "--detach", "--name="+name, "--network=host",
		"--env=EJABBERD_EXPORTER_WEB_LISTEN_ADDRESS="+address, "--volume="+s.CAFile+":/ca.pem:ro", image,
		"--ejabberd.url="+s.Ejabberd.APIURL(), "--probe.resolver="+s.Resolver.Addr(), "--probe.ca-file=/ca.pem")
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "healthy", func() error { _, err := e.try(t, "healthcheck", "run", name); return err })

	want := map[string]string{"Uid:": "65534 65534 65534 65534", "CapEff:": "0000000000000000", "NoNewPrivs:": "1", "Seccomp:": "2"}
	status, err := os.ReadFile("/proc/" + e.podman(t, "inspect", "--format={{.State.Pid}}", name) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		if value, ok := want[fields[0]]; ok && strings.Join(fields[1:], " ") != value {
			t.Errorf("the process has %s", strings.TrimSpace(line))
		}
	}
	page := get(t, "http://"+address+"/metrics")
	for _, series := range []string{"ejabberd_up 1\n", `ejabberd_sessions{vhost="` + s.Domains[0] + `"} 0` + "\n", `ejabberd_exporter_build_info{`} {
		if !strings.Contains(page, series) {
			t.Errorf("the page lacks %s", series)
		}
	}
	for _, module := range []string{"c2s", "s2s", "cert"} {
		if page := get(t, "http://"+address+"/probe?module="+module+"&target="+s.Domains[0]); !strings.Contains(page, "probe_success 1\n") {
			t.Errorf("%s:\n%s", module, get(t, "http://"+address+"/probe?debug=true&module="+module+"&target="+s.Domains[0]))
		}
	}
	if said, err := e.try(t, "exec", name, "/bin/sh", "-c", "true"); err == nil {
		t.Errorf("there is a shell in it: %s", said)
	}
	// What podman itself puts there: the account's line, and the file that is mounted.
	for line := range strings.Lines(e.podman(t, "diff", name)) {
		if !slices.Contains([]string{"C /etc", "A /etc/passwd", "A /etc/group", "A /ca.pem"}, strings.TrimSpace(line)) {
			t.Errorf("something was written: %s", line)
		}
	}
	e.podman(t, "stop", "--time=20", name)
	if exit := e.podman(t, "inspect", "--format={{.State.ExitCode}}", name); exit != "0" {
		t.Errorf("exit %s after SIGTERM:\n%s", exit, e.podman(t, "logs", name))
	}
}

func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	err := fmt.Errorf("not tried")
	for range 300 {
		if err = try(); err == nil {
			return
		}
		<-tick.C
	}
	t.Fatalf("never %s: %v", what, err)
}
