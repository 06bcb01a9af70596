// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	mainFile = "/etc/ejabberd/ejabberd.yml"
	ctlFile  = "/etc/ejabberd/ejabberdctl.cfg"
)

func TestHosts(t *testing.T) {
	cases := map[string][]string{
		"hosts: [B.example, a.example, b.example]":                               {"b.example", "a.example"},
		"hosts: one.example":                                                     {"one.example"},
		"hosts: [Bücher.example]":                                                {"xn--bcher-kva.example"},
		"hosts: ['under_score.example']":                                         {"under_score.example"},
		"hosts: [a.example]\nhosts: [b.example]":                                 {"a.example", "b.example"},
		"define_macro: {A: [a.example]}\nhosts: A":                               {"a.example"},
		"define_macro: {A: a.example}\nhosts: ['A', x.@A@, '@A@.@A@', me@HOST@]": {"a.example", "x.a.example", "a.example.a.example", "me@host@"},
	}
	for text, want := range cases {
		if got := readText(t, text).Hosts; !slices.Equal(got, want) {
			t.Errorf("%s: hosts %q, want %q", text, got, want)
		}
	}
}

// The environment of ejabberd may be set in ejabberdctl.cfg as well as in ours, and stands above the file.
func TestMacrosOfTheEnvironment(t *testing.T) {
	config, err := files{
		mainFile: "define_macro: {ONE: x, TWO: x}\nhosts: [ONE, TWO]",
		ctlFile:  "export EJABBERD_MACRO_TWO=two.example",
	}.read("EJABBERD_MACRO_ONE=one.example")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"one.example", "two.example"}; !slices.Equal(config.Hosts, want) {
		t.Errorf("hosts %q, want %q", config.Hosts, want)
	}
}

func TestRelativeInclude(t *testing.T) {
	const yml = "hosts: [a.example]\ninclude_config_file: more.yml\n"
	cases := map[string]struct {
		files files
		want  string
	}{
		"working directory first": {files{"/var/lib/ejabberd/more.yml": "hosts: [spool.example]", "/etc/ejabberd/more.yml": "hosts: [etc.example]"}, "spool.example"},
		"its place is settable":   {files{"/srv/more.yml": "hosts: [srv.example]", ctlFile: "SPOOL_DIR=/srv"}, "srv.example"},
		"beside the main file":    {files{"/etc/ejabberd/more.yml": "hosts: [etc.example]"}, "etc.example"},
		"working directory shut":  {files{"/var/lib/ejabberd/more.yml": "!", "/etc/ejabberd/more.yml": "hosts: [etc.example]"}, "etc.example"},
	}
	for name, c := range cases {
		c.files[mainFile] = yml
		config, err := c.files.read()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if want := []string{"a.example", c.want}; !slices.Equal(config.Hosts, want) {
			t.Errorf("%s: hosts %q, want %q", name, config.Hosts, want)
		}
	}
}

// Each file of a contributed module has macros of its own.
func TestContributedModules(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"ejabberd.yml":              "define_macro: {PORT: 1111}\nhosts: [a.example]\nmodules: {mod_http_upload: {}}",
		"modules.d/mod_metrics.yml": "define_macro: {PORT: 2222}\nmodules: {mod_metrics: {port: PORT}}",
		"ejabberdctl.cfg":           "CONTRIB_MODULES_CONF_DIR=" + dir + "/modules.d",
		"modules.d/README":          "not: [read",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	config, err := Read(filepath.Join(dir, "ejabberd.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(config.Events) != 1 || config.Events[0].Port != 2222 || len(config.Uploads) != 1 {
		t.Errorf("events %+v and uploads %+v, want one of each, events to port 2222", config.Events, config.Uploads)
	}
}

func TestHome(t *testing.T) {
	for ctl, want := range map[string]string{
		"":                               "/var/lib/ejabberd/upload",
		"SPOOL_DIR=/srv/spool/":          "/srv/spool/upload",
		"HOME=/opt/home\nSPOOL_DIR=/srv": "/opt/home/upload",
		"HOME=relative":                  "/var/lib/ejabberd/upload",
		"SPOOL_DIR=$(cat /etc/dir)":      "/var/lib/ejabberd/upload",
		"# SPOOL_DIR=/srv\nnot a line=":  "/var/lib/ejabberd/upload",
	} {
		config, err := files{mainFile: "hosts: [a.example]\nmodules: {mod_http_upload: {}}", ctlFile: ctl}.read()
		if err != nil {
			t.Fatal(err)
		}
		if got := config.Uploads[0].Docroot; got != want {
			t.Errorf("%q: docroot %s, want %s", ctl, got, want)
		}
	}
}

// Neither stops discovery: the first leaves everything to flags, the second has defaults.
func TestNotedNotRefused(t *testing.T) {
	config, err := read("/etc/ejabberd/ejabberd.cfg", files{}.readFile, nil)
	if err != nil || len(config.Notes) != 1 || !strings.Contains(config.Notes[0], "convert_to_yaml") {
		t.Errorf("Erlang form of old: %v, notes %q", err, config.Notes)
	}
	config, err = files{mainFile: "hosts: [a.example]", ctlFile: "!"}.read()
	if err != nil || len(config.Notes) != 1 || !strings.Contains(config.Notes[0], "ejabberdctl.cfg: permission denied") {
		t.Errorf("closed ejabberdctl.cfg: %v, notes %q", err, config.Notes)
	}
}

func TestBooleans(t *testing.T) {
	for text, want := range map[string]bool{"true": true, "yes": true, "on": true, "'y'": true, "false": false, "no": false, "off": false, "n": false} {
		config := readText(t, "hosts: [a.example]\nlisten: [{port: 5223, module: ejabberd_c2s, tls: "+text+"}]")
		if l := config.Listeners[0]; l.TLS != want || len(config.Notes) > 0 {
			t.Errorf("tls: %s is read as %v, notes %q", text, l.TLS, config.Notes)
		}
	}
}

func TestS2SUseStartTLS(t *testing.T) {
	for text, want := range map[string][2]bool{
		"false": {}, "optional": {true, false}, "yes": {true, false}, "required": {true, true}, "required_trusted": {true, true},
	} {
		l := readText(t, "hosts: [a.example]\ns2s_use_starttls: "+text+"\nlisten: [{port: 5269, module: ejabberd_s2s_in}]").Listeners[0]
		if got := [2]bool{l.StartTLS, l.StartTLSRequired}; got != want {
			t.Errorf("s2s_use_starttls: %s: offered and required are %v, want %v", text, got, want)
		}
	}
}
