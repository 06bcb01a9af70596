// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/chapril/ejabberd_exporter/internal/nagios"
	"github.com/chapril/ejabberd_exporter/internal/probeconf"
	"github.com/chapril/ejabberd_exporter/internal/service"
	"github.com/chapril/ejabberd_exporter/internal/xmpp/sasl"
	"github.com/chapril/ejabberd_exporter/probes"
)

// TestProbeExample: what is shipped can be read, and sets up every probe that wants an account.
func TestProbeExample(t *testing.T) {
	text, err := os.ReadFile("../../examples/probe.yml")
	if err != nil {
		t.Fatal(err)
	}
	modules, err := probeconf.Read(file(t, "probe.yml", string(text)), probes.All(sasl.Authenticate))
	if err != nil {
		t.Fatal(err)
	}
	configured := map[string]bool{}
	for _, m := range modules {
		configured[m.Probe.Name] = true
	}
	for _, p := range probes.All(sasl.Authenticate) {
		if !configured[p.Name] {
			t.Errorf("no module runs %s", p.Name)
		}
	}
}

// TestProbeAccountExample: with the lines for ejabberd.yml a wrong password bans nobody, and uploads stay below their quota.
func TestProbeAccountExample(t *testing.T) {
	s := &patient{Service: service.ForTest(t, service.Options{NoSQL: true})}
	domain := s.Domains[0]
	text, err := os.ReadFile("../../examples/ejabberd/probe_account.yml")
	if err != nil {
		t.Fatal(err)
	}
	var lines map[string]any
	here := strings.NewReplacer("example.org", domain, "192.0.2.10/32", "127.0.0.0/8", "2001:db8::10/128", "::1/128")
	if err := yaml.Unmarshal([]byte(here.Replace(string(text))), &lines); err != nil {
		t.Fatal(err)
	}
	s.edit(t, func(yml map[string]any) { merge(yml, lines) })
	for _, user := range []string{"probe", "probe-upload"} {
		if err := s.Ejabberd.Register(t.Context(), service.Account{User: user, Domain: domain, Password: "good"}); err != nil {
			t.Fatal(err)
		}
	}
	plugin := func(p probes.Probe, want int, user, password string, more ...string) {
		var out strings.Builder
		exit := nagios.Run(p, append([]string{
			"--domain=" + domain, "--jid=" + user + "@" + domain, "--password-file=" + file(t, "password", password),
			"--resolver=" + s.Resolver.Addr(), "--ca-file=" + s.CAFile,
		}, more...), &out)
		if exit != want {
			t.Fatalf("exit %d, want %d: %s", exit, want, out.String())
		}
	}
	for range 25 {
		plugin(probes.Login(sasl.Authenticate), 2, "probe", "wrong")
	}
	plugin(probes.Login(sasl.Authenticate), 0, "probe", "good")

	for range 7 {
		plugin(probes.Upload(sasl.Authenticate), 0, "probe-upload", "good", "--size=262144")
	}
	stored := int64(0)
	if err := filepath.WalkDir(filepath.Join(s.Ejabberd.Config.UploadDir, domain), func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		about, err := d.Info()
		if err == nil {
			stored += about.Size()
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if stored == 0 || stored > 1<<20 {
		t.Errorf("%d bytes are stored after 7 uploads of 256 KiB under a quota of 1 MiB", stored)
	}
}
