// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/guard"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

const (
	defaultReuse = 10 * time.Second
	// scrapeLimit and refreshLimit end a run whose source does not answer.
	scrapeLimit  = 10 * time.Second
	refreshLimit = 10 * time.Minute
	// dutyCycle bounds what we cost: a refresh that took 1 s is not repeated for 100 s.
	dutyCycle  = 100
	firstRetry = 30 * time.Second
	// patience is how long a first run waits for that of another collector: one that hangs must not keep this one from running.
	patience = time.Minute
	// keepIntervals is how old a snapshot may grow: a gap is honest, an old number is not.
	keepIntervals = 4
)

// flight runs one collector, never twice at a time. Scrapers take what it has; who cannot wait leaves it flying.
type flight struct {
	definition Definition
	bounds     func() metric.Bounds
	run        func(context.Context, *metric.Set) error
	turn       func() bool
	after      *flight                   // whose first run comes before; may be nil
	changed    func(before, now *result) // told at the end of each run

	mu      sync.Mutex
	landed  chan struct{} // closed when the present run ends; nil between runs
	last    *result       // of the last finished run
	good    *result       // of the last successful run
	planned time.Time     // refreshed collectors: the next run is due
	failed  int           // refreshed collectors: runs since the last good one
}

type result struct {
	set  *metric.Set
	err  error
	end  time.Time
	took time.Duration
}

func (r *result) off() bool { return r != nil && errors.Is(r.err, ErrOff) }

// taken is what one scraper gets of a flight.
type taken struct {
	set  *metric.Set // nil: nothing
	last *result     // nil: no run has finished yet
	late bool        // the scraper's deadline came first
}

// take returns what the collector has to say now, waiting until ctx is done where there is reason to wait.
func (f *flight) take(ctx context.Context) taken {
	if f.definition.Refresh > 0 {
		return f.takeSnapshot(ctx)
	}
	f.mu.Lock()
	if f.last != nil && f.landed == nil && !f.due(f.last.end.Add(f.reuse()), f.reuse()) {
		defer f.mu.Unlock()
		return taken{set: f.last.set, last: f.last}
	}
	landed := f.start(scrapeLimit)
	f.mu.Unlock()
	select {
	case <-landed:
	case <-ctx.Done():
		return taken{late: true}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return taken{set: f.last.set, last: f.last}
}

// due tells whether a run should start that is planned, as runs are at an interval. A rare one waits for its turn, unless the last
// one failed: what is broken is to be seen again soon.
func (f *flight) due(planned time.Time, interval time.Duration) bool {
	late := time.Since(planned)
	waits := f.definition.Rare && f.last != nil && f.last.err == nil && late <= interval/2
	return late >= 0 && (!waits || f.turn())
}

// reuse is how long the last result is served again. A failure is looked at again soon, however long good results are kept.
func (f *flight) reuse() time.Duration {
	if f.definition.Reuse > 0 && f.last.err == nil {
		return f.definition.Reuse
	}
	return defaultReuse
}

// takeSnapshot serves the last good snapshot and starts a new run when it is due. Only who finds no snapshot waits.
func (f *flight) takeSnapshot(ctx context.Context) taken {
	f.mu.Lock()
	if f.landed == nil && f.due(f.planned, f.interval()) {
		f.start(refreshLimit)
	}
	landed, snapshot := f.landed, f.snapshot()
	f.mu.Unlock()
	if snapshot.set == nil && landed != nil {
		select {
		case <-landed:
		case <-ctx.Done():
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		snapshot = f.snapshot()
		snapshot.late = snapshot.set == nil && snapshot.last != nil && snapshot.last.err == nil
	}
	return snapshot
}

// snapshot is the last good one as long as it is not too old, beside the outcome of the last run.
func (f *flight) snapshot() taken {
	switch {
	case f.last == nil:
		return taken{}
	case f.last.off():
		return taken{last: f.last}
	case f.good != nil && time.Since(f.good.end) < keepIntervals*f.interval():
		return taken{set: f.good.set, last: f.last}
	case f.last == f.good: // too old: nobody looked for long, or the run that would replace it hangs
		return taken{last: f.last}
	}
	return taken{set: f.last.set, last: f.last}
}

// interval is the refresh interval, stretched so that runs use at most 1 % of the time.
func (f *flight) interval() time.Duration {
	if f.good == nil {
		return f.definition.Refresh
	}
	return max(f.definition.Refresh, dutyCycle*f.good.took)
}

// retry is how long a source that failed is left alone: not long at first, because most troubles are short, and twice as long each
// time, until runs use 1 % of the time as ever.
func (f *flight) retry(took time.Duration) time.Duration {
	return min(max(firstRetry, took)<<min(f.failed-1, 7), max(firstRetry, dutyCycle*took))
}

// start begins a run unless one is under way; the channel is closed at its end.
func (f *flight) start(limit time.Duration) <-chan struct{} {
	if f.landed == nil {
		f.landed = make(chan struct{})
		go f.fly(limit)
	}
	return f.landed
}

// first waits for the end of a first run, which it starts unless somebody did.
func (f *flight) first(ctx context.Context) {
	f.mu.Lock()
	if f.last != nil {
		f.mu.Unlock()
		return
	}
	landed := f.start(refreshLimit)
	f.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-landed:
	case <-ctx.Done():
	}
}

func (f *flight) fly(limit time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if f.after != nil {
		f.after.first(ctx)
	}
	began := time.Now()
	set := metric.NewSet(f.bounds())
	err := guard.Run(func() error { return f.run(ctx, set) })
	if err != nil {
		set = set.OnFailure()
	}
	now := &result{set: set, err: err, end: time.Now(), took: time.Since(began)}

	f.changed(f.last, now) // no lock: only runs write last, and this is the only one
	f.mu.Lock()
	f.last = now
	if err == nil {
		f.good = now
	}
	wait := f.interval()
	if err == nil || now.off() {
		f.failed = 0
	} else {
		f.failed++
		wait = min(f.retry(now.took), wait)
	}
	f.planned = now.end.Add(wait)
	close(f.landed)
	f.landed = nil
	f.mu.Unlock()
}
