// SPDX-License-Identifier: Apache-2.0

package alerts_test

import (
	"fmt"
	"regexp"
	"slices"
	"testing"
)

// TestEveryAlertIsSeenBothWays: each has a case in which it fires and one in which it stays quiet; what counts accounts, sessions and
// the like has both on a service of 30 accounts (small) and on one of 300,000 (large).
func TestEveryAlertIsSeenBothWays(t *testing.T) {
	type seen struct{ quiet, firing []string }
	of := map[string]*seen{}
	for _, f := range cases(t) {
		for _, group := range f.Tests {
			var sizes []string
			for _, input := range group.InputSeries {
				sizes = append(sizes, size(input.Series)...)
			}
			for _, c := range group.AlertRuleTest {
				if of[c.Alertname] == nil {
					of[c.Alertname] = &seen{}
				}
				s := of[c.Alertname]
				if len(c.ExpAlerts) == 0 {
					s.quiet = append(s.quiet, append(sizes, "any")...)
				}
				for _, alert := range c.ExpAlerts {
					s.firing = append(s.firing, append(size(fmt.Sprint(alert.Labels)), "any")...)
				}
			}
		}
	}
	known, all, alerts := catalogue(), rules(t), map[string]string{}
	for _, r := range all {
		if r.Alert != "" {
			alerts[r.Alert] += unfold(all, r.Expr)
		}
	}
	if len(alerts) < 35 {
		t.Errorf("%d alerts: the tests no longer read them", len(alerts))
	}
	for name, expr := range alerts {
		s := of[name]
		if s == nil {
			t.Errorf("%s has no test", name)
			continue
		}
		want := []string{"any"}
		if sized(known, expr) && !oneEvent[name] {
			want = append(want, "small", "large")
		}
		for _, kind := range want {
			if !slices.Contains(s.quiet, kind) {
				t.Errorf("%s: no case in which it stays quiet (%s)", name, kind)
			}
			if !slices.Contains(s.firing, kind) {
				t.Errorf("%s: no case in which it fires (%s)", name, kind)
			}
		}
	}
	for name := range of {
		if _, ok := alerts[name]; !ok {
			t.Errorf("a test is about %s, which is no alert", name)
		}
	}
}

// oneEvent are alerts that a single event decides, whatever the size of the service.
var oneEvent = map[string]bool{"EjabberdReloadAborted": true, "XmppProbeBanned": true}

var sizeOf = regexp.MustCompile(`\b(small|large)\b`)

func size(text string) []string { return sizeOf.FindAllString(text, -1) }
