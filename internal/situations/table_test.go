// SPDX-License-Identifier: Apache-2.0

package situations

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// theme is a chapter of the table.
type theme struct {
	name       string
	situations []situation
}

// situation is something that can be wrong, or right, with a service.
type situation struct {
	name     string       // what is the case
	play     func(*stage) // brings it about, anew for each plugin
	verdicts []verdict
}

// verdict is what plugins must say about a situation.
type verdict struct {
	plugins string // "c2s s2s": check_xmpp_c2s and check_xmpp_s2s
	flags   string // beside those that lead there
	state   string
	failure string // "handshake/certificate": phase and reason of each probe_xmpp_failure_info, and no others
	says    string // is part of the status line
}

// all is the table, in the order of docs/situations.md.
func all() []theme {
	return []theme{
		{"Certificates", certificates()},
		{"Network", network()},
		{"Silence", silence()},
		{"Closed connections", closing()},
		{"Streams", streams()},
		{"Hostile peers", hostile()},
		{"Names", names()},
		{"Web", websites()},
		{"Accounts", accounts()},
		{"Registration", registration()},
		{"Uploads", uploads()},
		{"Federation", federation()},
		{"Calls", relays()},
		{"Open doors", doors()},
	}
}

const (
	ok       = "OK"
	warning  = "WARNING"
	critical = "CRITICAL"
	unknown  = "UNKNOWN"
)

var codes = []string{ok, warning, critical, unknown}

// TestTable: the table says something in each row, says nothing twice, and has good and bad days for every probe.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	plugins := map[string]bool{}
	for _, theme := range append(all(), theme{realTheme, onEjabberd()}) {
		for _, s := range theme.situations {
			if s.name == "" || s.play == nil || len(s.verdicts) == 0 || seen[s.name] {
				t.Errorf("%s: %q says nothing, or is there twice", theme.name, s.name)
			}
			seen[s.name] = true
			for _, v := range s.verdicts {
				if v.plugins == "" || !slices.Contains(codes, v.state) || v.says == "" || strings.Contains(v.says, "|") {
					t.Errorf("%s: %+v", s.name, v)
				}
				for plugin := range strings.FieldsSeq(v.plugins) {
					plugins[plugin+" "+v.state] = true
				}
			}
		}
	}
	probes, err := filepath.Glob("../../cmd/check_xmpp_*")
	if err != nil || len(probes) == 0 {
		t.Fatal("no plugins: ", err)
	}
	for _, path := range probes {
		for _, state := range []string{ok, critical} {
			if plugin := strings.TrimPrefix(filepath.Base(path), "check_xmpp_"); !plugins[plugin+" "+state] {
				t.Errorf("there is no situation in which check_xmpp_%s says %s", plugin, state)
			}
		}
	}
	if len(seen) < 40 {
		t.Errorf("%d situations: there were more", len(seen))
	}
}
