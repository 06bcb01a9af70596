// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

func parsed(t *testing.T, args ...string) *settings {
	t.Helper()
	var out, complaints strings.Builder
	s, exit := parse(args, &out, &complaints)
	if s == nil {
		t.Fatalf("%v: exit %d: %s", args, exit, &complaints)
	}
	return s
}

func TestFlags(t *testing.T) {
	s := parsed(t, "--upload.docroot=A.example=/srv/a", "--upload.docroot=b.example=/srv/b",
		"--upload.soft-quota=160MiB", "--upload.hard-quota=1GiB", "--upload.retention=365d", "--no-collector.s2s")
	d := s.discovery
	if d.Docroots["a.example"] != "/srv/a" || d.Docroots["b.example"] != "/srv/b" {
		t.Errorf("docroots %v", d.Docroots)
	}
	if d.SoftQuota != 160<<20 || d.HardQuota != 1<<30 || d.Retention != 365*24*time.Hour {
		t.Errorf("quota %d %d, retention %v", d.SoftQuota, d.HardQuota, d.Retention)
	}
	for _, c := range s.enabled(collector.All) {
		if c.Name == "s2s" {
			t.Error("--no-collector.s2s leaves it on")
		}
	}
	if (*s.web.WebListenAddresses)[0] != "127.0.0.1:9334" {
		t.Errorf("listens on %v by default", *s.web.WebListenAddresses)
	}
}

func TestScopeNodeLeavesOutWhatIsTheSameOnEveryNode(t *testing.T) {
	var names []string
	for _, c := range parsed(t, "--scope=node").enabled(collector.All) {
		names = append(names, c.Name)
		for _, m := range c.Metrics {
			if m.Scope != metric.Node {
				t.Errorf("%s has scope %s", m.Name, m.Scope)
			}
		}
	}
	if !slices.Contains(names, "server") || slices.Contains(names, "accounts") || slices.Contains(names, "sessions") {
		t.Errorf("on are %v", names)
	}
}

func TestEveryFlagHasAVariable(t *testing.T) {
	t.Setenv("EJABBERD_EXPORTER_DATABASE_URL", "postgres://x")
	t.Setenv("EJABBERD_EXPORTER_COLLECTOR_UPLOAD_LIMITS", "false")
	t.Setenv(passwordEnv, "secret")
	s := parsed(t)
	if s.discovery.DatabaseURL != "postgres://x" || *s.collectors["upload_limits"] || s.discovery.Password != "secret" {
		t.Errorf("the environment was not read: %+v", s.discovery)
	}
	if s = parsed(t, "--database.url=postgres://y"); s.discovery.DatabaseURL != "postgres://y" {
		t.Error("a flag must override the environment")
	}
}

func TestBadFlagsAreExplained(t *testing.T) {
	for arg, want := range map[string]string{
		"--upload.docroot=/srv":                 "VHOST=/absolute/directory",
		"--upload.docroot=a=relative":           "VHOST=/absolute/directory",
		"--upload.hard-quota=200":               "200MiB",
		"--upload.hard-quota=-1MiB":             "200MiB",
		"--upload.hard-quota=1xMiB":             "200MiB",
		"--upload.retention=soon":               "365d",
		"--web.statistics-floor=9":              "10 at least",
		"--web.telemetry-path=metrics":          "write a path like /metrics",
		"--web.telemetry-path=//metrics":        "write a path like /metrics",
		"--web.telemetry-path=/{a}":             "write a path like /metrics",
		"--web.telemetry-path=/probe":           "something else is served there",
		"--web.telemetry-path=/statistics.json": "something else is served there",
		"--web.telemetry-path=/-/healthy":       "something else is served there",
		"--upload.retention=-1d":                "365d",
		"--events.listen-address=1":             "127.0.0.1:11111",
		"--nosuch":                              "unknown long flag",
		"@/etc/passwd":                          "unexpected",
	} {
		var out, complaints strings.Builder
		if s, exit := parse([]string{arg}, &out, &complaints); s != nil || exit == 0 {
			t.Errorf("%s: accepted, exit %d", arg, exit)
		}
		if !strings.Contains(complaints.String(), want) || !strings.Contains(complaints.String(), "--help") {
			t.Errorf("%s: %q does not say %q and where to look", arg, complaints.String(), want)
		}
	}
}

func TestVersionAndHelp(t *testing.T) {
	for _, arg := range []string{"--version", "--help", "-h"} {
		var out, complaints strings.Builder
		if s, exit := parse([]string{arg}, &out, &complaints); s != nil || exit != 0 || !strings.Contains(out.String(), name) || complaints.Len() > 0 {
			t.Errorf("%s: exit %d, stdout %q, stderr %q", arg, exit, out.String(), complaints.String())
		}
	}
}
