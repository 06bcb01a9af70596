// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/database"
	"github.com/chapril/ejabberd_exporter/internal/ejabberd"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// State is how a collector fares, for people.
type State struct {
	Definition
	Set     *metric.Set   // what it has to say; nil: nothing. It may only be read
	Err     error         // of its last finished run
	Running bool          // a run is under way
	Stale   bool          // Set is of an earlier run than the last one, which failed
	Good    time.Time     // when its last successful run ended; zero: none did
	Every   time.Duration // how often it runs at most
}

// Look is a Scrape for people: it starts, reuses and waits for the same runs.
func (e *Exporter) Look(ctx context.Context) []State {
	states := make([]State, len(e.flights))
	for i, t := range takeAll(ctx, e.flights) {
		states[i] = e.flights[i].state(t)
	}
	return states
}

func (f *flight) state(t taken) State {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := State{Definition: f.definition, Set: t.set, Running: f.landed != nil, Every: f.interval()}
	if f.definition.Refresh == 0 {
		s.Every = defaultReuse
		if f.definition.Reuse > 0 {
			s.Every = f.definition.Reuse
		}
	}
	if t.last == nil {
		t.last = f.last // late: what was true before
	}
	if t.last != nil {
		s.Err = t.last.err
	}
	if f.good != nil {
		s.Good = f.good.end
		s.Stale = t.set == f.good.set && s.Err != nil
	}
	return s
}

// Unanswered tells whether an error means that ejabberd's API, or a database, does not answer at all.
func Unanswered(err error) (api, sql bool) {
	return errors.Is(err, ejabberd.ErrUnreachable) || errors.Is(err, ejabberd.ErrTimeout), database.Down(err)
}
