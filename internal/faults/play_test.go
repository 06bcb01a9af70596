// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"flag"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "play every fault and write docs/faults.md")

// fault is something that breaks, for a while.
type fault struct {
	name  string
	begin func(t *testing.T, s *stage) (end func())
	to    func(t *testing.T, s *stage, e *exporter) (end func()) // instead of begin: what happens to an exporter alone
	fails string                                                 // collectors that must fail meanwhile, of an exporter that worked before
	may   []string                                               // series that this fault may truthfully change, by the beginning of their names
	path  string                                                 // what is asked; /metrics where empty
	alone bool                                                   // no second exporter is started meanwhile
	gone  bool                                                   // the exporter itself is
	quick bool                                                   // played with TEST_FAULTS=1 as well

	lasts time.Duration // where longer than usual
}

const (
	// lasts is longer than the exporter keeps a result: whatever is read at each scrape is read again meanwhile.
	lasts = 14 * time.Second
	// every is how often Prometheus usually scrapes; what is read at each scrape has recovered at the second one.
	every = 15 * time.Second
	// retry is when what is refreshed in the background is tried again after its first failure.
	retry = 30 * time.Second
)

// outcome is a row of docs/faults.md.
type outcome struct {
	fault            string
	failed, newcomer []string // collectors, and *_up that say 0
	slowest          float64  // seconds to the end of a page
	back, refreshed  float64  // seconds from the end of the fault to a page without failure; 0: nothing had failed
	calls            int      // of the API, meanwhile
	open             int      // of one command at a time
	connections      int      // to PostgreSQL
	before, after    vitals
}

// play breaks something, looks at what the exporters say, repairs it, and looks again.
func play(t *testing.T, s *stage, f fault) outcome {
	t.Helper()
	path := f.path
	if path == "" {
		path = "/metrics"
	}
	o := outcome{fault: f.name}
	s.inhabit(t)
	truth := s.well(t, s.veteran, path)
	o.before = s.well(t, s.veteran, "/metrics").vitals()
	calls, _ := s.relay.count()

	end := f.start(t, s)
	defer end() // a fault that was judged shall not trip the next
	var newcomer *exporter
	relays := []*relay{s.relay}
	if *update && !f.alone {
		relays = append(relays, newRelay(t, s.Ejabberd.APIURL()))
		newcomer = s.launch(t, "--ejabberd.url="+relays[1].url)
		if f.to != nil {
			ofBoth, ofOne := end, sync.OnceFunc(f.to(t, s, newcomer))
			end = func() { ofBoth(); ofOne() }
		}
	}
	failed, strange := map[string]bool{}, map[string]bool{}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for over := time.Now().Add(max(lasts, f.lasts)); !f.gone && time.Now().Before(over); <-tick.C {
		s.look(t, &o, f, truth, path, failed)
		if newcomer != nil {
			s.lookAtNewcomer(t, newcomer, f, truth, path, strange)
		}
	}
	o.failed, o.newcomer = slices.Sorted(maps.Keys(failed)), slices.Sorted(maps.Keys(strange))
	for _, name := range strings.Fields(f.fails) {
		if !failed[name] {
			t.Errorf("%s does not fail, though it must: %v do", name, o.failed)
		}
	}
	now, most := s.relay.count()
	o.calls, o.open = now-calls, most
	for _, r := range relays[1:] {
		_, more := r.count()
		o.open = max(o.open, more)
	}
	if o.open > 1 {
		t.Errorf("ejabberd had %d requests of one command at a time, want 1 at most", o.open)
	}

	end()
	ended := time.Now()
	s.recovers(t, &o, f, path, ended, newcomer)
	s.leaksNothing(t, &o)
	return o
}

// start lets it happen. The end may be called more than once.
func (f *fault) start(t *testing.T, s *stage) (end func()) {
	t.Helper()
	if f.to != nil {
		return sync.OnceFunc(f.to(t, s, s.veteran))
	}
	return sync.OnceFunc(f.begin(t, s))
}

// look scrapes the veteran once.
func (s *stage) look(t *testing.T, o *outcome, f fault, truth page, path string, failed map[string]bool) {
	t.Helper()
	p, seconds := s.scrape(t, s.veteran, path)
	o.slowest = max(o.slowest, seconds)
	for _, name := range slices.Concat(p.failed(), p.down()) {
		failed[name] = true
	}
	for _, name := range p.lies(truth, f.may) {
		t.Errorf("%s is said to be %v, and was %s: unknown must be absent", name, p[name], truth.said(name))
	}
	n := databaseConnections(t, s.veteran.pid(), s.Postgres.Port)
	o.connections = max(o.connections, n)
	if n > 2 {
		t.Errorf("%d connections to PostgreSQL, want 2 at most", n)
	}
}

// lookAtNewcomer scrapes the exporter that has seen nothing but the fault. What it counts begins with its own start.
func (s *stage) lookAtNewcomer(t *testing.T, newcomer *exporter, f fault, truth page, path string, failed map[string]bool) {
	t.Helper()
	p, _ := s.scrape(t, newcomer, path)
	for _, name := range slices.Concat(p.failed(), p.down()) {
		failed[name] = true
	}
	for _, name := range p.lies(truth, f.may) {
		if metric, _, _ := strings.Cut(name, "{"); !strings.HasSuffix(metric, "_total") {
			t.Errorf("a new exporter says %v of %s, which was %s: unknown must be absent", p[name], name, truth.said(name))
		}
	}
	if n := databaseConnections(t, newcomer.pid(), s.Postgres.Port); n > 2 {
		t.Errorf("a new exporter has %d connections to PostgreSQL, want 2 at most", n)
	}
}

// recovers waits for pages without failure.
func (s *stage) recovers(t *testing.T, o *outcome, f fault, path string, ended time.Time, newcomer *exporter) {
	t.Helper()
	s.well(t, s.veteran, path)
	took := time.Since(ended)
	if len(o.failed) > 0 || f.gone {
		o.back = took.Seconds()
	}
	// It is scraped more often here: no later than what Prometheus would see at its second scrape.
	if o.back > 2*every.Seconds() {
		t.Errorf("back after %v, want two scrapes at most", took)
	}
	if newcomer == nil {
		return
	}
	defer newcomer.kill()
	next := max(retry, f.lasts) // pauses double: none is longer than what was before it
	eventually(t, next+patience, "recovery of a new exporter", func() bool {
		p, _ := s.scrape(t, newcomer, path)
		return len(p.failed()) == 0
	})
	if took := time.Since(ended); len(o.newcomer) > 0 {
		o.refreshed = took.Seconds()
		if took > next+every {
			t.Errorf("a new exporter is back after %v, want one retry at most, which comes within %v", took, next)
		}
	}
}

// leaksNothing waits until the exporter holds no more than before the fault, and PostgreSQL no more for it than it may.
func (s *stage) leaksNothing(t *testing.T, o *outcome) {
	t.Helper()
	leaks := "no page"
	defer func() {
		if leaks != "" {
			t.Errorf("left behind: %s", leaks)
		}
	}()
	eventually(t, patience, "return to what it held before", func() bool {
		p, _ := s.scrape(t, s.veteran, "/metrics")
		o.after = p.vitals()
		leaks = o.after.leaks(o.before)
		return leaks == ""
	})
	eventually(t, patience, "end of connections to PostgreSQL", func() bool {
		n, _, ok := activity(t, s.Postgres.AdminURL(s.Database.Name))
		return ok && n <= 2
	})
}
