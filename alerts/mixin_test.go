// SPDX-License-Identifier: Apache-2.0

package alerts_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMixinIsTheSame: what Jsonnet makes of mixin.libsonnet are the rules of the YAML files and the boards, all of them.
func TestMixinIsTheSame(t *testing.T) {
	if _, err := exec.LookPath("jsonnet"); err != nil && os.Getenv("REQUIRE_SERVERS") == "" {
		t.Skip("no jsonnet: scripts/install-servers installs it")
	}
	cmd := exec.CommandContext(t.Context(), "jsonnet", "-e", `local m = import "mixin.libsonnet"; {
		alerts: m.prometheusAlerts, records: m.prometheusRules, boards: m.grafanaDashboards,
	}`)
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var mixin struct {
		Alerts, Records ruleFile
		Boards          map[string]any
	}
	if err := json.Unmarshal(out, &mixin); err != nil {
		t.Fatal(err)
	}
	got, want := map[string]bool{}, map[string]bool{}
	for _, f := range []ruleFile{mixin.Alerts, mixin.Records} {
		for _, g := range f.Groups {
			for _, r := range g.Rules {
				got[r.key()] = true
			}
		}
	}
	for _, r := range rules(t) {
		want[r.key()] = true
		if !got[r.key()] {
			t.Errorf("the mixin lacks %s", r.key())
		}
	}
	for key := range got {
		if !want[key] {
			t.Errorf("the mixin has %s, which no file has", key)
		}
	}
	for _, path := range glob(t, "../dashboards/ejabberd-*.json") {
		if mixin.Boards[filepath.Base(path)] == nil {
			t.Errorf("the mixin lacks %s", path)
		}
	}

	path := filepath.Join(t.TempDir(), "alerts.json")
	alerts, err := json.Marshal(map[string]any{"groups": asRead(t, out)})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, alerts, 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", path)
}

// asRead are the groups of alerts as Jsonnet wrote them.
func asRead(t *testing.T, out []byte) any {
	t.Helper()
	var raw struct{ Alerts struct{ Groups []any } }
	if err := json.Unmarshal(out, &raw); err != nil {
		t.Fatal(err)
	}
	return raw.Alerts.Groups
}

// key is what makes a rule the same as another. Readers of YAML fold lines in ways of their own.
func (r rule) key() string {
	expr := strings.Join(strings.Fields(r.Expr), " ")
	return strings.Join([]string{r.Alert, r.Record, r.Labels["window"], expr, r.For, r.Annotations["description"]}, " | ")
}
