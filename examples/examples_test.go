// SPDX-License-Identifier: Apache-2.0

// Package examples_test holds the examples against the programs that read them.
package examples_test

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/remedy"
)

var update = flag.Bool("update", false, "write the examples that are made from code anew")

// TestMadeFromCode: what --check prints and what the examples show are the same lines.
func TestMadeFromCode(t *testing.T) {
	for path, want := range map[string]string{
		"ejabberd/api_permissions.yml": remedy.API(5281, "example.org"),
		"postgresql-role.sql":          remedy.Grants(collector.Columns(collector.ByDefault())),
		"systemd/uploads.conf":         remedy.Systemd("/var/lib/ejabberd/upload"),
	} {
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil {
			t.Error(err)
		} else if string(got) != want {
			t.Errorf("%s is not what --check prints; run: go test ./examples -update", path)
		}
	}
}

func TestPrometheusConfig(t *testing.T) {
	run(t, "promtool", "check", "config", "prometheus.yml")

	out, _ := run(t, "promtool", "check", "service-discovery", "--timeout=1s", "prometheus.yml", "xmpp")
	var targets []struct{ Labels map[string]string }
	if err := json.Unmarshal([]byte(out), &targets); err != nil {
		t.Fatal(err)
	}
	var asked []string
	for _, target := range targets {
		l := target.Labels
		asked = append(asked, l["__address__"]+l["__metrics_path__"]+"?module="+l["__param_module"]+"&target="+l["__param_target"]+
			" as "+l["instance"]+" "+l["module"])
	}
	slices.Sort(asked)
	want := []string{
		"127.0.0.1:9334/probe?module=c2s&target=example.org as example.org c2s",
		"127.0.0.1:9334/probe?module=cert&target=example.org as example.org cert",
		"127.0.0.1:9334/probe?module=s2s&target=example.org as example.org s2s",
	}
	if !slices.Equal(asked, want) {
		t.Errorf("Prometheus would ask\n%s\nwant\n%s", strings.Join(asked, "\n"), strings.Join(want, "\n"))
	}
}

// TestUnitIsHardened: exposure 1.5 at most, where most exporters' units have 9.2.
func TestUnitIsHardened(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("no systemd-analyze: apt-get install systemd")
	}
	const unit = "systemd/ejabberd-exporter.service"
	run(t, "systemd-analyze", "security", "--offline=true", "--threshold=15", unit)

	// verify wants programs that exist.
	text, err := os.ReadFile(unit)
	if err != nil {
		t.Fatal(err)
	}
	installed := filepath.Join(t.TempDir(), filepath.Base(unit))
	text = []byte(strings.ReplaceAll(string(text), "/usr/bin/ejabberd_exporter", "/bin/true"))
	if err := os.WriteFile(installed, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, complaints := run(t, "systemd-analyze", "verify", "--man=no", installed); complaints != "" {
		t.Error(complaints)
	}
}

// TestUnitHasNoPrivilege: what systemd's score would forgive one by one.
func TestUnitHasNoPrivilege(t *testing.T) {
	text, err := os.ReadFile("systemd/ejabberd-exporter.service")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), "="); found && !strings.HasPrefix(name, "#") {
			have[name] = value
		}
	}
	for name, want := range map[string]string{
		"DynamicUser": "yes", "User": "ejabberd_exporter", "CapabilityBoundingSet": "", "NoNewPrivileges": "yes", "ProtectSystem": "strict",
	} {
		if value, there := have[name]; !there || value != want {
			t.Errorf("%s=%s, want %q", name, value, want)
		}
	}
	for _, name := range []string{"AmbientCapabilities", "Group", "SupplementaryGroups", "ReadWritePaths", "StateDirectory"} {
		if value, there := have[name]; there {
			t.Errorf("%s=%s: that is for an administrator to add", name, value)
		}
	}
}

// TestFlags: what the examples call exists.
func TestFlags(t *testing.T) {
	help, _ := run(t, "go", "run", "../cmd/ejabberd_exporter", "--help")
	known := map[string]bool{}
	for _, name := range flagOrVariable.FindAllString(strings.ReplaceAll(help, "--[no-]", "--"), -1) {
		known[name] = true
	}
	for _, path := range []string{"systemd/ejabberd-exporter.service", "ejabberd/api_permissions.yml", "../Dockerfile"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if path == "../Dockerfile" { // other lines have flags of docker, podman and git
			text = []byte(strings.Join(calls.FindAllString(string(text), -1), "\n"))
			if len(text) == 0 {
				t.Error("the Dockerfile never calls the exporter")
			}
		}
		for _, used := range flagOrVariable.FindAllString(string(text), -1) {
			if !known[used] {
				t.Errorf("%s uses %s, which the exporter does not have", path, used)
			}
		}
	}
}

// calls are the lines of a Dockerfile that call the exporter or set its environment.
var calls = regexp.MustCompile(`(?m)(?:\["[^\]]*ejabberd_exporter[^\]]*\]|^ENV .*|^CMD .*)$`)

var flagOrVariable = regexp.MustCompile(`--[a-z][a-z.-]+|EJABBERD_EXPORTER_[A-Z_]+`)

// run runs a program that scripts/install-servers installs and returns what it said.
func run(t *testing.T, name string, args ...string) (stdout, stderr string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil && os.Getenv("REQUIRE_SERVERS") == "" {
		t.Skipf("no %s: scripts/install-servers installs it", name)
	}
	cmd := exec.Command(name, args...)
	var out, complaints strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", cmd, err, &out, &complaints)
	}
	return out.String(), complaints.String()
}
