// SPDX-License-Identifier: Apache-2.0

package alerts_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestAPageArrives walks the whole way with real programs: the demo's service, the exporter, Prometheus and Alertmanager with our
// examples and rules. ejabberd is stopped; what wakes somebody is that, once, and nothing of what follows from it.
func TestAPageArrives(t *testing.T) {
	t.Parallel()
	s := watched(t)

	// On a healthy service nothing is about to fire but what the demo has on purpose.
	s.until("everything is scraped and works", func() string {
		return s.differs(`count(up == 1) by (job)`, "ejabberd=1 xmpp-account=3 xmpp=3")
	})
	s.until("every probe succeeds", func() string {
		return s.differs(`count(probe_success == 1) by (job)`, "xmpp-account=3 xmpp=3")
	})
	s.until("nothing else is about to fire", s.alarmed)
	for _, group := range s.groups() {
		if strings.HasPrefix(group, "legacy") {
			t.Errorf("rule_files of examples/prometheus.yml take in %s", group)
		}
	}

	if err := s.Ejabberd.Signal(stop); err != nil {
		t.Fatal(err)
	}
	page := s.page()
	if page.Labels["alertname"] != "EjabberdDown" || page.Labels["service"] != domain || page.Labels["severity"] != "critical" {
		t.Errorf("the page is %v", page.Labels)
	}
	if !strings.Contains(page.Annotations["description"], "refuses connections") {
		t.Errorf("the page says %q", page.Annotations["description"])
	}
	for _, name := range []string{"XmppServiceDown", "XmppEndpointDown"} {
		s.until(name+" fires and is inhibited", func() string { return s.heldBack(name, page) })
	}
	for len(s.pages) > 0 {
		if other := <-s.pages; other.Labels["alertname"] != "EjabberdDown" {
			t.Errorf("another page: %v", other.Labels)
		}
	}
}

// alarmed says what Prometheus has pending or firing on a service that is well.
func (s *scene) alarmed() string {
	for _, a := range s.alerts() {
		if !slices.Contains([]string{
			"EjabberdRestarted",             // the service was just started
			"EjabberdUploadSweepNotRunning", // the demo lays files that are too old
			"EjabberdConfigTrap",            // whose API lists people without a password,
			"EjabberdConfigFinding",         // and whose queues are short
			"XmppProbeMissing",              // uploads are asked for once an hour: not yet
		}, a.Labels["alertname"]) {
			return fmt.Sprintf("%s is %s: %s", a.Labels["alertname"], a.State, a.Annotations["description"])
		}
	}
	return ""
}

// until polls until said is empty.
func (s *scene) until(what string, said func() string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 3*time.Minute)
	defer cancel()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		last := said()
		if last == "" {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			s.t.Fatalf("not so in three minutes: %s. Last: %s", what, last)
		}
	}
}

// page is the first alert that reaches the pager.
func (s *scene) page() alert {
	s.t.Helper()
	select {
	case a := <-s.pages:
		return a
	case <-time.After(3 * time.Minute):
		s.t.Fatal("no page in three minutes")
		return alert{}
	}
}

// heldBack says why an alert is not one that Alertmanager knows, all of them suppressed by the page.
func (s *scene) heldBack(name string, page alert) string {
	var all []struct {
		Labels map[string]string
		Status struct {
			State       string
			InhibitedBy []string
		}
	}
	s.get(s.alertmanager.URL+"/api/v2/alerts?filter=alertname%3D"+name, &all)
	if len(all) == 0 {
		return name + " has not reached Alertmanager"
	}
	for _, a := range all {
		if a.Status.State != "suppressed" || !slices.Contains(a.Status.InhibitedBy, page.Fingerprint) {
			return fmt.Sprintf("%v is %s by %v, not by %s", a.Labels, a.Status.State, a.Status.InhibitedBy, page.Fingerprint)
		}
	}
	return ""
}
