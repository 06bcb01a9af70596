// SPDX-License-Identifier: Apache-2.0

package alerts_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// rule is an alert or a recorded series.
type rule struct {
	Alert, Record, Expr, For string
	Labels, Annotations      map[string]string
}

func (r rule) name() string { return r.Alert + r.Record }

// ruleFile is a file of Prometheus' rules.
type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []rule
	}
}

// caseFile is a file of promtool's tests.
type caseFile struct {
	RuleFiles          []string `yaml:"rule_files"`
	GroupEvalOrder     []string `yaml:"group_eval_order"`
	EvaluationInterval string   `yaml:"evaluation_interval"`
	Tests              []struct {
		Name, Interval string
		InputSeries    []struct{ Series, Values string } `yaml:"input_series"`
		AlertRuleTest  []alertCase                       `yaml:"alert_rule_test"`
		ExprTest       []map[string]any                  `yaml:"promql_expr_test"`
	}
}

// alertCase is what has to be seen of an alert at a time: nothing, or each of the alerts.
type alertCase struct {
	Alertname string
	EvalTime  string `yaml:"eval_time"`
	ExpAlerts []struct {
		Labels      map[string]string `yaml:"exp_labels"`
		Annotations map[string]string `yaml:"exp_annotations"`
	} `yaml:"exp_alerts"`
}

// rules are all of ours, those for names of other exporters left out.
func rules(t *testing.T) (all []rule) {
	t.Helper()
	for _, path := range append(glob(t, "ejabberd-*.rules.yml"), glob(t, "xmpp-*.rules.yml")...) {
		var f ruleFile
		decode(t, path, &f)
		for _, g := range f.Groups {
			if want := strings.TrimSuffix(path, ".rules.yml"); g.Name != want {
				t.Errorf("%s has a group %s, want %s", path, g.Name, want)
			}
			all = append(all, g.Rules...)
		}
	}
	return all
}

// cases are all files of tests, by path.
func cases(t *testing.T) map[string]caseFile {
	t.Helper()
	all := map[string]caseFile{}
	for _, path := range append(glob(t, "tests/ejabberd-*.test.yml"), glob(t, "tests/xmpp-*.test.yml")...) {
		var f caseFile
		decode(t, path, &f)
		all[path] = f
	}
	return all
}

// decode reads YAML strictly.
func decode(t *testing.T, path string, into any) {
	t.Helper()
	d := yaml.NewDecoder(bytes.NewReader([]byte(read(t, path))))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// unfold puts the expressions of recorded series in the place of their names, which may lead to others.
func unfold(all []rule, expr string) string {
	for range 2 {
		for _, r := range all {
			if r.Record != "" {
				expr = strings.ReplaceAll(expr, r.Record, "("+r.Expr+")")
			}
		}
	}
	return expr
}

// TestAlertsSayWhatSomebodyNeeds: how urgent, in a sentence that is always the same, with the values, and what to do.
func TestAlertsSayWhatSomebodyNeeds(t *testing.T) {
	seen := map[string]bool{}
	for _, path := range append(glob(t, "ejabberd-*.rules.yml"), glob(t, "xmpp-*.rules.yml")...) {
		var f ruleFile
		decode(t, path, &f)
		for _, r := range f.Groups[0].Rules {
			if r.Alert == "" {
				continue
			}
			if !strings.HasPrefix(strings.ToLower(r.Alert), path[:4]) {
				t.Errorf("%s in %s: alerts from inside begin with Ejabberd, those from outside with Xmpp", r.Alert, path)
			}
			if key := r.Alert + r.Labels["window"]; seen[key] {
				t.Errorf("%s exists twice", key)
			} else {
				seen[key] = true
			}
			if !slices.Contains([]string{"critical", "warning", "info"}, r.Labels["severity"]) {
				t.Errorf("%s has severity %q", r.Alert, r.Labels["severity"])
			}
			if summary := r.Annotations["summary"]; summary == "" || strings.Contains(summary, "{{") || strings.HasSuffix(summary, ".") {
				t.Errorf("%s: a summary is a sentence without values and without its full stop: %q", r.Alert, summary)
			}
			if said := r.Annotations["description"]; !strings.HasSuffix(said, ".") || !strings.Contains(said, "{{") && !strings.HasPrefix(r.Expr, "absent") {
				t.Errorf("%s: a description is sentences with the values: %q", r.Alert, said)
			}
			if url := r.Annotations["runbook_url"]; url != "https://github.com/chapril/ejabberd_exporter/blob/main/docs/runbooks/"+r.Alert+".md" {
				t.Errorf("%s: runbook_url is %q", r.Alert, url)
			}
			if len(r.Annotations) != 3 {
				t.Errorf("%s has annotations beside summary, description and runbook_url: %v", r.Alert, r.Annotations)
			}
		}
	}
}
