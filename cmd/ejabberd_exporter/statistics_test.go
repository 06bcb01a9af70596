// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
)

const month = 30 * 24 * time.Hour

// published wants statistics of these accounts, and of nobody: neither a person nor a host is named. Without active accounts nothing
// but the database is known.
func (d *daemon) published(t *testing.T, accounts, active int, hosts ...string) {
	t.Helper()
	status, text := d.get(t, "/statistics.json", 10*time.Second)
	var told struct {
		Version  string
		Software struct{ Name, Version string }
		Open     *bool `json:"openRegistrations"`
		Usage    struct{ Users map[string]int }
		Metadata map[string]int
	}
	if err := json.Unmarshal([]byte(text), &told); err != nil || status != http.StatusOK {
		t.Fatalf("status %d: %v:\n%s", status, err, text)
	}
	want := map[string]int{}
	for name, n := range map[string]int{"total": accounts, "activeMonth": active} {
		if n >= 20 {
			want[name] = n / 10 * 10
		}
	}
	if told.Version != "2.1" || told.Software.Name != "ejabberd" || (told.Software.Version != "") != (active > 0) || told.Open == nil ||
		!maps.Equal(told.Usage.Users, want) {
		t.Errorf("of %d accounts, %d of them active:\n%s", accounts, active, text)
	}
	if !maps.Equal(told.Metadata, map[string]int{"floor": 20, "roundedDownTo": 10}) { // it talks to one other server
		t.Errorf("a few connections are told of:\n%s", text)
	}
	noSecrets(t, text)
	for _, host := range hosts {
		if strings.Contains(text, host) {
			t.Errorf("%s is named:\n%s", host, text)
		}
	}
}

// TestOpenRegistrations: who may register, where ejabberd.yml says it.
func TestOpenRegistrations(t *testing.T) {
	for what, c := range map[string]struct {
		config *ejabberdconf.Config
		want   *bool
	}{
		"no ejabberd.yml": {nil, nil},
		"nobody":          {&ejabberdconf.Config{}, new(false)},
		"anybody":         {&ejabberdconf.Config{Policy: ejabberdconf.Policy{AnybodyRegisters: []string{"chapril.test"}, RegisterWeb: []string{"/register"}}}, new(true)},
		"by web, perhaps": {&ejabberdconf.Config{Policy: ejabberdconf.Policy{RegisterWeb: []string{"/register"}}}, nil},
	} {
		got := openRegistrations(&collector.Sources{Config: c.config})
		if (got == nil) != (c.want == nil) || got != nil && *got != *c.want {
			t.Errorf("%s: %v", what, got)
		}
	}
}
