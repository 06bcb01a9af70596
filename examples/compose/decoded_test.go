// SPDX-License-Identifier: Apache-2.0

// Package compose_test decodes the files of the compose example and runs what they say. It is a module of its own for the sake of
// compose-go, which is how docker compose itself reads them.
package compose_test

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"
)

// project is the example in a copy, with the secrets that make-secrets made, as compose understands it.
func project(t *testing.T) *types.Project {
	t.Helper()
	top := t.TempDir()
	// Where the repository has it, so that ../.. leads to the same files.
	dir := filepath.Join(top, "examples", "compose")
	if err := os.CopyFS(dir, os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"alerts": "../../alerts", "dashboards": "../../dashboards", "examples/postgresql-role.sql": "../postgresql-role.sql"} {
		absolute, err := filepath.Abs(target)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(absolute, filepath.Join(top, link)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second time it changes nothing
		if out, err := exec.Command(filepath.Join(dir, "make-secrets")).CombinedOutput(); err != nil || !strings.Contains(string(out), "xmpp.pem") {
			t.Fatalf("make-secrets: %v\n%s", err, out)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "secrets/xmpp.pem"), nil, 0o444); err != nil {
		t.Fatal(err)
	}
	options, err := cli.NewProjectOptions([]string{filepath.Join(dir, "compose.yaml")}, cli.WithWorkingDirectory(dir))
	if err != nil {
		t.Fatal(err)
	}
	p, err := options.LoadProject(context.Background()) // validates against the schema: an unknown key is an error
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestMountsExist: what a service is given of this repository is there, and read-only; a typo would be made into an empty directory.
func TestMountsExist(t *testing.T) {
	p := project(t)
	mounted := 0
	for name, s := range p.Services {
		for _, v := range s.Volumes {
			if v.Type != types.VolumeTypeBind {
				if _, ok := p.Volumes[v.Source]; !ok {
					t.Errorf("%s: no volume %s", name, v.Source)
				}
				continue
			}
			mounted++
			if _, err := os.Stat(v.Source); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if !v.ReadOnly {
				t.Errorf("%s may write to %s", name, v.Source)
			}
		}
		for _, secret := range s.Secrets {
			mounted++
			if info, err := os.Stat(p.Secrets[secret.Source].File); err != nil || info.Size() == 0 || info.Mode().Perm() != 0o444 {
				t.Errorf("%s: secret %s: %v %v", name, secret.Source, info, err)
			}
		}
	}
	if mounted < 15 {
		t.Errorf("only %d mounts: the test no longer sees them", mounted)
	}
	if info, err := os.Stat(filepath.Join(p.WorkingDir, "secrets")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("secrets/: %v %v", info, err)
	}
}

// TestNothingIsOpen: no password in an environment or an argument; of ports that are not XMPP's none beyond loopback.
func TestNothingIsOpen(t *testing.T) {
	p := project(t)
	for name, s := range p.Services {
		for _, port := range s.Ports {
			if name == "ejabberd" && slices.Contains([]string{"5222", "5223", "5269", "5443"}, port.Published) {
				continue
			}
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %s is open to everybody", name, port.Published)
			}
		}
		for key, value := range s.Environment {
			if strings.Contains(key, "PASSWORD") && !strings.HasPrefix(*value, "/run/secrets/") {
				t.Errorf("%s: %s stands in the environment", name, key)
			}
		}
		if s.Privileged || len(s.CapAdd) > 0 {
			t.Errorf("%s has privileges", name)
		}
	}
	e := p.Services["exporter"]
	if !e.ReadOnly || !slices.Equal(e.CapDrop, []string{"ALL"}) || !slices.Equal(e.SecurityOpt, []string{"no-new-privileges:true"}) {
		t.Error("the exporter may do more than it must")
	}
	if e.NetworkMode != "service:ejabberd" || e.Pid != "service:ejabberd" {
		t.Error("the exporter does not live beside ejabberd")
	}
	for _, v := range e.Volumes {
		if strings.HasPrefix(v.Source, filepath.Join(p.WorkingDir, "secrets")) {
			t.Errorf("the exporter is given %s", v.Target)
		}
	}
}

// TestPrometheusReadsIt: promtool reads configuration and rules, from where they are mounted.
func TestPrometheusReadsIt(t *testing.T) {
	p := project(t)
	text := read(t, "prometheus.yml")
	var path string
	for _, v := range p.Services["prometheus"].Volumes {
		if v.Target == "/etc/prometheus/rules" {
			path = v.Source
		}
	}
	local := filepath.Join(t.TempDir(), "prometheus.yml")
	if err := os.WriteFile(local, []byte(strings.ReplaceAll(text, "/etc/prometheus/rules", path)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("promtool", "check", "config", local).CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
	rules, err := fs.Glob(os.DirFS(path), "*.rules.yml")
	if err != nil || len(rules) == 0 {
		t.Errorf("no rules where they are mounted: %v", err)
	}
}

// TestGrafanaReadsIt holds the provisioning against what Grafana knows, and the names in it against compose.yaml.
func TestGrafanaReadsIt(t *testing.T) {
	p := project(t)
	var sources struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []struct {
			Name, UID, Type, Access, URL string
			IsDefault                    bool `yaml:"isDefault"`
			JSONData                     struct {
				TimeInterval string `yaml:"timeInterval"`
			} `yaml:"jsonData"`
		}
	}
	strictly(t, "grafana/provisioning/datasources/prometheus.yml", &sources)
	if len(sources.Datasources) != 1 || sources.Datasources[0].URL != "http://prometheus:9090" || !sources.Datasources[0].IsDefault {
		t.Errorf("%+v", sources)
	}
	var boards struct {
		APIVersion int `yaml:"apiVersion"`
		Providers  []struct {
			Name, Type, Folder string
			DisableDeletion    bool `yaml:"disableDeletion"`
			AllowUIUpdates     bool `yaml:"allowUiUpdates"`
			Options            struct{ Path string }
		}
	}
	strictly(t, "grafana/provisioning/dashboards/ejabberd.yml", &boards)
	mounted := slices.ContainsFunc(p.Services["grafana"].Volumes, func(v types.ServiceVolumeConfig) bool {
		return v.Target == boards.Providers[0].Options.Path && filepath.Base(v.Source) == "dashboards"
	})
	if !mounted {
		t.Errorf("no boards are mounted at %s", boards.Providers[0].Options.Path)
	}
}

func strictly(t *testing.T, path string, into any) {
	t.Helper()
	decoder := yaml.NewDecoder(strings.NewReader(read(t, path)))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		t.Errorf("%s: %v", path, err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
