// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/common/promslog"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// program runs the program to its end.
func program(t *testing.T, args ...string) (exit int, stdout, stderr string) {
	t.Helper()
	var out, complaints strings.Builder
	exit = run(t.Context(), args, &out, &complaints)
	return exit, out.String(), complaints.String()
}

// uploadsIn is an ejabberd.yml of a server whose uploads alone can be looked at.
func uploadsIn(docroot string) string {
	return "hosts: [chapril.test]\nmodules:\n  mod_http_upload: {docroot: \"" + docroot + "\"}\n"
}

func TestConfigurationsThatAreRead(t *testing.T) {
	t.Parallel()
	for name, more := range map[string]string{
		"unknown keys":  "flux_capacitor: {of: [1985, {power: 1.21}]}\n2: 3\n",
		"unknown types": "listen: seven\nshaper_rules: [[[]]]\nacl: ~\n",
		"macros":        "define_macro: {HOSTS: [one.test, two.test], 'PORT': 5222}\nlisten: [{port: PORT, module: ejabberd_c2s}]\nappend_host_config: {HOSTS: 1}\n",
	} {
		t.Run(name, func(t *testing.T) {
			exit, page, log := once(t, "--ejabberd.config="+file(t, "ejabberd.yml", uploadsIn(t.TempDir())+more))
			if exit != 0 {
				t.Errorf("exit %d:\n%s", exit, log)
			}
			want(t, page, map[string]float64{`ejabberd_upload_files{vhost="chapril.test"}`: 0})
			absent(t, page, "ejabberd_up", "ejabberd_accounts", "ejabberd_sessions", "ejabberd_database_up")
		})
	}
	t.Run("includes and macros", func(t *testing.T) {
		dir := t.TempDir()
		for name, text := range map[string]string{
			"ejabberd.yml": "include_config_file: [hosts.yml, modules.yml]\ndefine_macro: {'ROOT': \"" + dir + "/up\"}\n",
			"hosts.yml":    "hosts: [chapril.test, libre.test]\n",
			"modules.yml":  "modules: {mod_http_upload: {docroot: ROOT}}\n",
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Mkdir(filepath.Join(dir, "up"), 0o755); err != nil {
			t.Fatal(err)
		}
		exit, page, log := once(t, "--ejabberd.config="+filepath.Join(dir, "ejabberd.yml"))
		if exit != 0 {
			t.Errorf("exit %d:\n%s", exit, log)
		}
		want(t, page, map[string]float64{`ejabberd_upload_files{vhost="shared"}`: 0}) // one directory for both
	})
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "nothing.yml")
	for name, c := range map[string]struct {
		flag, path string
		want       []string
	}{
		"broken YAML": {
			"ejabberd.config", file(t, "broken.yml", "hosts: [chapril.test]\nsql_password: \""+service.Canary+"\"\n  indented: \"@\n"),
			[]string{"broken.yml:2: not valid YAML"},
		},
		"no hosts":              {"ejabberd.config", file(t, "empty.yml", "loglevel: info\n"), []string{"empty.yml", "no hosts: is this ejabberd's configuration?"}},
		"named but missing":     {"ejabberd.config", missing, []string{missing, "--ejabberd.config names the file"}},
		"facts are YAML":        {"ejabberd.facts", file(t, "facts.yml", "sql_password: "+service.Canary+"\n"), []string{"facts.yml", "not JSON", "write it again with ejabberd_exporter --discover"}},
		"facts of the future":   {"ejabberd.facts", file(t, "facts.json", `{"facts": 99}`), []string{"facts.json", "form 99", "--discover"}},
		"facts cut off":         {"ejabberd.facts", file(t, "half.json", `{"facts": 2, "hosts": ["`), []string{"half.json", "--discover"}},
		"facts missing":         {"ejabberd.facts", missing, []string{missing}},
		"facts with a stranger": {"ejabberd.facts", file(t, "more.json", `{"facts": 2, "hosts": ["a.test"], "planets": 1}`), []string{"more.json", "--discover"}},
	} {
		t.Run(name, func(t *testing.T) {
			modes := []string{"--once", "--check", "--web.listen-address=127.0.0.1:0"}
			if c.flag != "ejabberd.facts" {
				modes = append(modes, "--discover") // which writes the facts, so it reads none
			}
			for _, mode := range modes {
				exit, page, log := program(t, mode, "--"+c.flag+"="+c.path)
				if exit != 2 || page != "" {
					t.Errorf("%s: exit %d, want 2 and no page:\n%s", mode, exit, page)
				}
				for _, text := range c.want {
					if !strings.Contains(log, text) {
						t.Errorf("%s: the message must say %q:\n%s", mode, text, log)
					}
				}
				noSecrets(t, log)
			}
		})
	}
}

// TestProbeOnlyHost: where there is no ejabberd, nothing of it is said, and nothing has failed.
func TestProbeOnlyHost(t *testing.T) {
	t.Parallel()
	here := func(args ...string) (exit int, stdout, log string) {
		s := parsed(t, args...)
		s.discovery.Default = filepath.Join(t.TempDir(), "ejabberd.yml")
		var out, complaints strings.Builder
		s.log.Writer = &complaints
		exit, err := s.do(t.Context(), &out, promslog.New(&s.log))
		if err != nil {
			complaints.WriteString(err.Error())
		}
		return exit, out.String(), complaints.String()
	}
	exit, page, log := here("--once")
	if exit != 2 || strings.Contains(log, "failed") { // nothing was collected
		t.Errorf("--once: exit %d:\n%s", exit, log)
	}
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "ejabberd_") && !strings.HasPrefix(line, "ejabberd_exporter_build_info") {
			t.Errorf("nothing is known, but: %s", line)
		}
	}
	exit, text, _ := here("--check")
	if exit != 0 || !strings.Contains(text, "no ejabberd on this host: only /probe is served. Name one with --ejabberd.config or --ejabberd.url") {
		t.Errorf("--check: exit %d:\n%s", exit, text)
	}
	// The facts of such a host, which a unit lets be written before each start, say so.
	exit, facts, log := here("--discover")
	if exit != 0 || !strings.Contains(log, "name one with --ejabberd.config") {
		t.Errorf("--discover: exit %d: %s", exit, log)
	}
	exit, text, log = here("--check", "--ejabberd.facts="+file(t, "facts.json", facts))
	if exit != 0 || !strings.Contains(text, "no ejabberd on this host: only /probe is served.") {
		t.Errorf("--check with those facts: exit %d:\n%s\n%s", exit, text, log)
	}
}

// TestServerWithoutSQL: what a server does not have is off. That is no failure.
func TestServerWithoutSQL(t *testing.T) {
	t.Parallel()
	p := newPatient(t, service.Options{NoSQL: true, NamesByAPI: true})
	d := p.serve(t)
	page := d.failing(t, nil)
	absent(t, page, numbersOf(fromDatabase)...)
	absent(t, page, "ejabberd_database_up")
	for _, name := range fromDatabase {
		if _, there := number(page, `ejabberd_exporter_collector_success{collector="`+name+`"}`); there {
			t.Errorf("%s is off: that is neither success nor failure", name)
		}
		if lines := d.said("collector is off", name); len(lines) != 1 {
			t.Errorf("%s must say once that it is off:\n%s", name, d.log)
		}
	}
	want(t, page, map[string]float64{"ejabberd_up": 1, `ejabberd_sessions{vhost="chapril.test"}`: 0})
	exit, text, log := program(t, append(p.flags, "--check")...)
	if exit != 0 || !strings.Contains(text, "Everything that is enabled works.") || strings.Contains(text, "For PostgreSQL") {
		t.Errorf("--check: exit %d:\n%s%s", exit, text, log)
	}
}
