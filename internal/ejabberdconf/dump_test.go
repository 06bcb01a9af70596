// SPDX-License-Identifier: Apache-2.0

package ejabberdconf_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
	"github.com/chapril/ejabberd_exporter/internal/service"
)

const included = `
define_macro:
  EVENTS: 11115
  GENEROUS: generous
hosts: [not-taken.test]
host_config:
  libre.test:
    sm_db_type: sql
append_host_config:
  libre.test:
    shaper_rules:
      generous: [{900: admin}, [{80: all}]]
  chapril.test:
    modules:
      mod_metrics: {port: EVENTS}
`

// A running ejabberd tells what it made of its configuration, with macros and included files in their places: reading that must
// give the same facts as reading the files.
func TestReadAsEjabberdDoes(t *testing.T) {
	service.Require(t)
	dir := shared(t)
	more, dump := filepath.Join(dir, "more.yml"), filepath.Join(dir, "dump.yml")
	if err := os.WriteFile(more, []byte(included), 0o644); err != nil {
		t.Fatal(err)
	}
	s := service.ForTest(t, service.Options{ExtraConfig: "include_config_file:\n  " + more + ":\n    disallow: [hosts]\n"})
	if err := s.Ejabberd.Call(t.Context(), "dump_config", map[string]any{"out": dump}, nil); err != nil {
		t.Fatal(err)
	}
	config, told := facts(t, s.Ejabberd.ConfigPath), facts(t, dump)
	if !reflect.DeepEqual(config, told) {
		t.Errorf("read from the files:\n%+v\nread from what ejabberd tells:\n%+v", config, told)
	}
	if !slices.Equal(config.Hosts, s.Domains) {
		t.Errorf("hosts %q, want %q", config.Hosts, s.Domains)
	}
	if urls := config.APIURLs(); len(urls) == 0 || urls[0] != s.Ejabberd.APIURL() {
		t.Errorf("API at %q, want %q first", urls, s.Ejabberd.APIURL())
	}
	if want := []ejabberdconf.Events{{Vhost: "chapril.test", IP: "127.0.0.1", Port: 11115}}; !slices.Equal(config.Events, want) {
		t.Errorf("events %+v, want %+v", config.Events, want)
	}
	if !slices.Equal(config.SessionsInSQL, []string{"libre.test"}) {
		t.Errorf("sessions in SQL %q, want those of libre.test", config.SessionsInSQL)
	}
}

// shared is a directory that ejabberd, another user, can enter and write to.
func shared(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ejabberdconf-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// facts are those of the configuration itself: the dump lies elsewhere, with no ejabberdctl.cfg beside it.
func facts(t *testing.T, path string) *ejabberdconf.Config {
	t.Helper()
	config, err := ejabberdconf.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	config.Path, config.Home, config.Log, config.Spool, config.Node, config.MaxPorts, config.EpmdPort, config.Notes = "", "", "", "", "", 0, 0, nil
	config.Files = nil
	return config
}
