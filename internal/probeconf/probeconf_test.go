// SPDX-License-Identifier: Apache-2.0

package probeconf_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/probeconf"
	"github.com/chapril/ejabberd_exporter/internal/xmpp/sasl"
	"github.com/chapril/ejabberd_exporter/probes"
)

// canary stands where a secret may stand, and must never be said.
const canary = "hunter2"

func write(t *testing.T, text string, mode os.FileMode) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), canary+".yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestModules: those of the file, and every probe that needs no account.
func TestModules(t *testing.T) {
	modules, err := probeconf.Read(write(t, `
# the probes of example.org
modules:
  login:
    jid: probe@example.org
    password: `+canary+`
    ping: [jabber.fr, conversations.im]
    component: muc=conference/text
  echo-twice:
    probe: echo
    jid: probe@example.org
    password-file: /etc/probe.password
    count: 2
  c2s:
    any-family: true
  s2s:
`, 0o640), probes.All(sasl.Authenticate))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range modules {
		got = append(got, fmt.Sprint(m.Name, "=", m.Probe.Name, m.Set))
	}
	text := strings.Join(got, "\n")
	for _, want := range []string{
		"login=login[{jid probe@example.org} {password hunter2} {ping jabber.fr} {ping conversations.im} {component muc=conference/text}]\n",
		"echo-twice=echo[{jid probe@example.org} {password-file /etc/probe.password} {count 2}]\n",
		"c2s=c2s[{any-family true}]\n", "s2s=s2s[]\n", "\ncert=cert[]", "\nregister=register[]",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "upload=") || strings.Count(text, "c2s=c2s") != 1 {
		t.Errorf("modules\n%s", text)
	}
}

// TestRefused: every error leads to its place and repeats nothing of the file, nor its path.
func TestRefused(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"not YAML":          {"modules: [" + canary, "not YAML, line 1"},
		"tab":               {"modules:\n\t" + canary + ": 1", "not YAML, line 2"},
		"unknown anchor":    {"modules: *" + canary, "not YAML"},
		"a list":            {"- " + canary, "line 1: fields are wanted here"},
		"text":              {canary, "line 1: fields are wanted here"},
		"unknown field":     {"modules: {}\n" + canary + ": 1", "line 2: unknown field; there is: modules"},
		"module of text":    {"modules:\n  login: " + canary, "line 2: fields are wanted here"},
		"unknown probe":     {"modules:\n  " + canary + ": {}", "line 2: unknown probe; a module says \"probe: NAME\", or has its name: c2s, "},
		"unknown probe key": {"modules:\n  a:\n    probe: " + canary, "line 3: unknown probe"},
		"bad name":          {"modules:\n  \"" + canary + " x\": {probe: c2s}", "line 2: a module's name is up to 64"},
		"unknown setting":   {"modules:\n  login:\n    " + canary + ": 1", "line 3: unknown setting; login has: hostname, "},
		"twice":             {"modules:\n  c2s: {}\n  c2s: {}", "line 3: a field that stands there twice"},
		"setting twice":     {"modules:\n  login:\n    password: a\n    password: " + canary, "line 4: a field that stands there twice"},
		"bad value":         {"modules:\n  echo: {count: " + canary + "}", "line 2: setting count has a value that is not understood: Number of messages"},
		"bad switch":        {"modules:\n  c2s: {any-family: " + canary + "}", "line 2: setting any-family has a value that is not understood"},
		"bad account":       {"modules:\n  login: {jid: " + canary + "}", "setting jid has a value that is not understood: Account to log in with, USER@DOMAIN"},
		"list of one":       {"modules:\n  login: {password: [" + canary + "]}", "setting password wants one value"},
		"no value":          {"modules:\n  login: {password: }", "setting password wants one value"},
		"alias":             {"modules:\n  login: {jid: &a a@b.c, password: *a}", "setting password wants one value"},
		"too large":         {"#" + strings.Repeat(" ", 1<<20), "larger than 1024 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := probeconf.Read(write(t, c.text, 0o600), probes.All(sasl.Authenticate))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "--probe.config: ") {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if err != nil && (strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), "/")) && !strings.Contains(c.want, "Account") {
				t.Errorf("%v", err)
			}
		})
	}
	if _, err := probeconf.Read(filepath.Join(t.TempDir(), canary), probes.All(sasl.Authenticate)); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("no such file: %v", err)
	}
}

// TestMode: a file with a secret is for its owner and group alone; one without may be read by all.
func TestMode(t *testing.T) {
	secret, open := "modules: {login: {password: "+canary+"}}", "modules: {login: {password-file: /x}}"
	for _, c := range []struct {
		text string
		mode os.FileMode
		good bool
	}{{secret, 0o600, true}, {secret, 0o640, true}, {secret, 0o644, false}, {secret, 0o602, false}, {open, 0o644, true}} {
		_, err := probeconf.Read(write(t, c.text, c.mode), probes.All(sasl.Authenticate))
		if c.good != (err == nil) || err != nil && !strings.Contains(err.Error(), "chmod o-rwx") {
			t.Errorf("%v: %v", c.mode, err)
		}
	}
}

// FuzzRead: whatever the file is, reading it ends, and no error repeats it.
func FuzzRead(f *testing.F) {
	f.Add("modules: {login: {jid: a@b.example, password: " + canary + "}}")
	f.Add("modules:\n  " + canary + ":\n    probe: c2s")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := probeconf.Read(write(t, text, 0o600), probes.All(sasl.Authenticate)); err != nil && strings.Contains(err.Error(), canary) {
			t.Error(err)
		}
	})
}
