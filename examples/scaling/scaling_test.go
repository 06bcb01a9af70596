// SPDX-License-Identifier: Apache-2.0

// Package scaling_test runs the example of docs/scaling.md: two exporters, two shards of Prometheus, one global view.
package scaling_test

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// TestShards is the example at the size of a test: Prometheus is the global engine and evaluates the global rules.
func TestShards(t *testing.T) {
	s := newStage(t, size{targets: 200, interval: 3 * time.Second}, prometheusEngine)
	s.verify(t)
}

// TestThousands is the example at its own size, on VictoriaMetrics, and writes what it cost into docs/scaling.md.
func TestThousands(t *testing.T) {
	if os.Getenv("TEST_SCALING") != "1" {
		t.Skip("make test-scaling runs this")
	}
	s := newStage(t, size{targets: 3000, interval: time.Minute}, victoriaMetrics)
	s.verify(t)
	s.measure(t)
}

// verify holds the global view against what there is.
func (s *stage) verify(t *testing.T) {
	t.Helper()
	s.shared(t)
	all, patience := float64(s.targets), 4*s.interval+time.Minute
	eventually(t, patience, "every target is in the global view", equals(s.global.base, `count(probe_success{job="xmpp"})`, all))
	for what, want := range map[string]float64{
		`count(count by (instance) (probe_success{job="xmpp"}))`:                 all, // and each once
		`max(count by (instance) (probe_success{job="xmpp"}))`:                   1,
		`count(count by (shard) (probe_success{job="xmpp"}))`:                    2,
		`count(probe_success{job="xmpp", module="c2s"} == 0)`:                    float64(s.dead()),
		`count(probe_xmpp_failure_info{phase="connect", reason="refused"} == 1)`: float64(s.dead()),
		`sum(up{job="xmpp"})`:                           all,
		`sum(up{job="ejabberd"})`:                       2,
		`max(count by (instance) (up{job="ejabberd"}))`: 1,
	} {
		eventually(t, patience, "the global view", equals(s.global.base, what, want))
	}
	s.rules(t, map[string]float64{"xmpp:probes:count": all, "xmpp:probes_failed:count": float64(s.dead())})
}

// shared wants every target at one shard, and each of the two exporters at work for both.
func (s *stage) shared(t *testing.T) {
	t.Helper()
	seen := map[string]int{}
	pairs := map[string]int{}
	for i, shard := range s.shards {
		eventually(t, time.Minute, "the shard has read its targets", func() error {
			var answer struct {
				Data struct {
					ActiveTargets []struct {
						ScrapeURL string
						Labels    map[string]string
					}
				}
			}
			if err := getJSON(shard.URL+"/api/v1/targets?state=active", &answer); err != nil {
				return err
			}
			found := 0
			for _, target := range answer.Data.ActiveTargets {
				if target.Labels["job"] != "xmpp" {
					continue
				}
				at, err := url.Parse(target.ScrapeURL)
				if err != nil {
					return err
				}
				found++
				seen[at.Query().Get("target")]++
				pairs[fmt.Sprint(i, " ", at.Host)]++
			}
			if found == 0 {
				return fmt.Errorf("no targets yet")
			}
			return nil
		})
	}
	for _, domain := range s.domains {
		if seen[domain] != 1 {
			t.Errorf("%s is probed by %d shards", domain, seen[domain])
		}
	}
	t.Logf("targets by shard and exporter: %v", pairs)
	for pair, n := range pairs {
		if len(pairs) != 4 || n < s.targets/8 {
			t.Errorf("shard and exporter %s have %d targets of %d: not shared evenly", pair, n, s.targets)
		}
	}
}

// rules wants what global.rules.yml records: from the engine, or where that evaluates no rules by asking for their expressions.
func (s *stage) rules(t *testing.T, want map[string]float64) {
	t.Helper()
	text, err := os.ReadFile("global.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	rules := regexp.MustCompile(`(?m)- record: (\S+)\n +expr: (.+)$`).FindAllStringSubmatch(string(text), -1)
	if len(rules) != len(want) {
		t.Errorf("%d rules record something, want %d", len(rules), len(want))
	}
	for _, rule := range rules {
		expression := rule[1]
		if !s.global.rules {
			expression = rule[2]
		}
		eventually(t, time.Minute, "the global rules", equals(s.global.base, expression, want[rule[1]]))
	}
}

// TestFiles: promtool reads the configuration of the shards, and the rules fire when they should.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{
		{"check", "config", "prometheus-shard.yml"},
		{"check", "config", "--agent", "prometheus-shard.yml"},
		{"check", "rules", "--lint=all", "--lint-fatal", "global.rules.yml"},
		{"test", "rules", "global.rules.test.yml"},
	} {
		cmd := exec.Command("promtool", args...)
		cmd.Env = append(os.Environ(), "TMPDIR="+filepath.Clean(dir))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}
