// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/service"
)

// scrapeTimeout is how long Prometheus waits for a page on a bad day.
const scrapeTimeout = 5 * time.Second

// from are the collectors of one source.
func from(source collector.Source) (names []string) {
	for _, d := range collector.All {
		if d.Source == source && !d.Disabled {
			names = append(names, d.Name)
		}
	}
	return names
}

// patient is a real service that has bad days, and the flags of an exporter that looks at it.
type patient struct {
	*service.Service
	flags []string
}

// newPatient starts a service. Beside real it leaves the environment alone, so that tests can run at the same time.
func newPatient(t *testing.T, options service.Options) *patient {
	t.Helper()
	p := &patient{Service: service.ForTest(t, options)}
	makeDocroots(t, p.Service)
	p.flags = []string{"--ejabberd.config=" + p.Ejabberd.ConfigPath}
	if p.Database != nil {
		grantRole(t, p.Service)
		p.flags = append(p.flags, "--database.password-file="+file(t, "password", rolePassword))
	}
	return p
}

// makeDocroots makes the directories that ejabberd makes with the first upload.
func makeDocroots(t *testing.T, s *service.Service) {
	t.Helper()
	for _, vhost := range s.Domains {
		if err := os.MkdirAll(filepath.Join(s.Ejabberd.Config.UploadDir, vhost), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// edit changes ejabberd.yml and has ejabberd read it; the returned text brings the old one back.
func (p *patient) edit(t *testing.T, change func(yml map[string]any)) (before []byte) {
	t.Helper()
	before, err := os.ReadFile(p.Ejabberd.ConfigPath)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.WriteFile(p.Ejabberd.ConfigPath, before, 0o600) }) // a test that failed must not trip the next
	var yml map[string]any
	if err := yaml.Unmarshal(before, &yml); err != nil {
		t.Fatal(err)
	}
	change(yml)
	text, err := yaml.Marshal(yml)
	if err != nil {
		t.Fatal(err)
	}
	p.configure(t, text)
	return before
}

// configure gives ejabberd another ejabberd.yml.
func (p *patient) configure(t *testing.T, text []byte) {
	t.Helper()
	if err := os.WriteFile(p.Ejabberd.ConfigPath, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.Ejabberd.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// serve starts an exporter that looks at the service.
func (p *patient) serve(t *testing.T, more ...string) *daemon {
	t.Helper()
	return serve(t, slices.Concat(p.flags, more)...)
}

// well wants a page without any failure.
func (p *patient) well(t *testing.T, more ...string) {
	t.Helper()
	d := p.serve(t, more...)
	success(t, d.scrape(t, scrapeTimeout))
	if strings.Contains(d.log.String(), "collector failed") {
		t.Errorf("nothing is wrong, but the log says:\n%s", d.log)
	}
}

// complaint is what the log must say of the collectors that fail: why, and the remedy.
type complaint map[string]string

// of gives the same complaint to several collectors.
func of(remedy string, names ...string) complaint {
	c := complaint{}
	for _, name := range names {
		c[name] = remedy
	}
	return c
}

// failing scrapes three times and wants each page in time, with success 0 for exactly these collectors, no number of theirs, and
// one line of each in the log. It gives the last page.
func (d *daemon) failing(t *testing.T, want complaint) (page string) {
	t.Helper()
	names := slices.Sorted(maps.Keys(want))
	for range 3 {
		page = d.scrape(t, scrapeTimeout)
		success(t, page, names...)
		absent(t, page, numbersOf(names)...)
	}
	for _, name := range names { // a collector that was late for its page complains later
		eventually(t, 10*time.Second, "complaint of "+name, func() bool { return len(d.said("collector failed", name)) > 0 })
		lines := d.said("collector failed", name)
		if len(lines) != 1 || !strings.Contains(lines[0], want[name]) {
			t.Errorf("%s must be complained about once, with %q:\n%s", name, want[name], strings.Join(lines, "\n"))
		}
	}
	if n := strings.Count(d.log.String(), "collector failed"); n != len(want) {
		t.Errorf("%d lines about failed collectors, want %d:\n%s", n, len(want), d.log)
	}
	noSecrets(t, page, d.log.String())
	return page
}

// recovers waits until the page is as good as new, and wants to be told so once by each collector that failed.
func (d *daemon) recovers(t *testing.T, limit time.Duration, names ...string) {
	t.Helper()
	var page string
	eventually(t, limit, "recovery", func() bool {
		page = d.scrape(t, scrapeTimeout)
		return !slices.ContainsFunc(names, func(name string) bool {
			value, ok := number(page, `ejabberd_exporter_collector_success{collector="`+name+`"}`)
			return !ok || value != 1
		})
	})
	success(t, page)
	for _, name := range names {
		if lines := d.said("collector works again", name); len(lines) != 1 {
			t.Errorf("%s must say once that it works again:\n%s", name, d.log)
		}
	}
}

// said are the log's lines of one kind about a collector.
func (d *daemon) said(message, name string) (lines []string) {
	for line := range strings.Lines(d.log.String()) {
		if _, rest, found := strings.Cut(line, `msg="`+message+`" collector=`); found && strings.Fields(rest)[0] == name {
			lines = append(lines, line)
		}
	}
	return lines
}

// numbersOf are the series of collectors that must not be there when those fail.
func numbersOf(names []string) (series []string) {
	for _, d := range collector.All {
		if !slices.Contains(names, d.Name) {
			continue
		}
		for _, m := range d.Metrics {
			switch {
			case m.OnFailure:
			case m.Kind == metric.Histogram:
				series = append(series, m.Name+"_bucket", m.Name+"_sum", m.Name+"_count")
			default:
				series = append(series, m.Name)
			}
		}
	}
	return series
}

// eventually polls until the condition holds.
func eventually(t *testing.T, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	end := time.After(limit)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-end:
			t.Fatalf("no %s within %v", what, limit)
		case <-tick.C:
		}
	}
}
