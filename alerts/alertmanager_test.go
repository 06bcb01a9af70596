// SPDX-License-Identifier: Apache-2.0

package alerts_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestAlertmanagerExample: Alertmanager takes it, each severity goes where alerts/README.md says, and it names alerts that exist.
func TestAlertmanagerExample(t *testing.T) {
	const example = "../examples/alertmanager.yml"
	if _, err := exec.LookPath("amtool"); err != nil && os.Getenv("REQUIRE_SERVERS") == "" {
		t.Skip("no amtool: scripts/install-servers installs it, with Alertmanager")
	}
	if out, err := exec.CommandContext(t.Context(), "amtool", "check-config", example).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for severity, receiver := range map[string]string{"critical": "pager", "warning": "tickets", "info": "nobody"} {
		out, err := exec.CommandContext(t.Context(), "amtool", "config", "routes", "test", "--config.file="+example, "severity="+severity).Output()
		if got := strings.TrimSpace(string(out)); err != nil || got != receiver {
			t.Errorf("severity %s goes to %q, want %s (%v)", severity, got, receiver, err)
		}
	}

	var config struct {
		InhibitRules []struct {
			Sources []string `yaml:"source_matchers"`
			Targets []string `yaml:"target_matchers"`
			Equal   []string
		} `yaml:"inhibit_rules"`
	}
	if err := yaml.Unmarshal([]byte(read(t, example)), &config); err != nil {
		t.Fatal(err)
	}
	severities := map[string]string{}
	for _, r := range rules(t) {
		if r.Alert != "" {
			severities[r.Alert] = r.Labels["severity"]
		}
	}
	for _, inhibit := range config.InhibitRules {
		if len(inhibit.Equal) == 0 || inhibit.Equal[0] != "service" {
			t.Errorf("%v silences alerts of other services", inhibit.Sources)
		}
		sources, targets := matched(t, inhibit.Sources, severities), matched(t, inhibit.Targets, severities)
		for _, source := range sources {
			for _, target := range targets {
				if severities[target] == "critical" && severities[source] != "critical" && source != "XmppProbeBanned" {
					t.Errorf("%s, which wakes nobody, keeps back %s", source, target)
				}
			}
		}
		outside := func(name string) bool { return strings.HasPrefix(name, "Xmpp") }
		if slices.Contains(sources, "EjabberdDown") && slices.ContainsFunc(targets, outside) && !slices.Contains(inhibit.Sources, `nodes="all"`) {
			t.Errorf("one node of a cluster that is down keeps back %v", targets)
		}
	}
}

// matched are the alerts whose names matchers take. XmppProbeBanned explains pages that are wrong; nodes="all" is of EjabberdDown.
func matched(t *testing.T, matchers []string, severities map[string]string) (names []string) {
	t.Helper()
	for _, m := range matchers {
		if m == `nodes="all"` {
			continue
		}
		for _, word := range named(t, m) {
			pattern, before := regexp.MustCompile("^(?:"+word+")$"), len(names)
			for name := range severities {
				if pattern.MatchString(name) {
					names = append(names, name)
				}
			}
			if len(names) == before {
				t.Errorf("%s: no alert is named %s", m, word)
			}
		}
	}
	return names
}

// named are the alternatives of a matcher of alertname, those in parentheses taken apart.
func named(t *testing.T, matcher string) []string {
	t.Helper()
	found := regexp.MustCompile(`^alertname=~?"(\w*)\(?([^"()]*)\)?"$`).FindStringSubmatch(matcher)
	if found == nil {
		t.Fatalf("the test cannot read %s", matcher)
	}
	if found[2] == "" {
		return []string{found[1]}
	}
	if strings.HasPrefix(found[2], "|") || !strings.Contains(matcher, "(") {
		return strings.Split(found[1]+found[2], "|")
	}
	var all []string
	for word := range strings.SplitSeq(found[2], "|") {
		all = append(all, found[1]+word)
	}
	return all
}
