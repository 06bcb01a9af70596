// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/chapril/ejabberd_exporter/internal/guard"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// Exporter runs collectors for whoever scrapes. It is safe for concurrent use.
type Exporter struct {
	logger  *slog.Logger
	build   Build
	flights []*flight
	names   []string
	sources atomic.Pointer[Sources]
	unknown chan struct{}
	stop    context.Context
	cancel  context.CancelFunc
}

// Build is what ejabberd_exporter_build_info says.
type Build struct{ Version, Revision, GoVersion string }

// New makes an Exporter of the given collectors.
func New(definitions []Definition, sources *Sources, build Build, logger *slog.Logger) *Exporter {
	e := &Exporter{logger: logger, build: build, unknown: make(chan struct{}, 1)}
	e.stop, e.cancel = context.WithCancel(context.Background())
	e.sources.Store(sources)
	for _, d := range definitions {
		e.names = append(e.names, d.Name)
		e.flights = append(e.flights, &flight{
			definition: d,
			turn:       e.turn,
			bounds:     func() metric.Bounds { return e.sources.Load().Bounds },
			run: func(ctx context.Context, out *metric.Set) error {
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				defer context.AfterFunc(e.stop, cancel)()
				return d.Collect(ctx, e.sources.Load(), out)
			},
			changed: func(before, now *result) { e.changed(d.Name, before, now) },
		})
	}
	for _, f := range e.flights {
		if f.definition.After != nil {
			f.after = e.flight(f.definition.After.Name)
		}
	}
	return e
}

// flight is that of a collector; nil where it is not enabled.
func (e *Exporter) flight(name string) *flight {
	if i := slices.Index(e.names, name); i >= 0 {
		return e.flights[i]
	}
	return nil
}

// Names are the collectors' names, in order.
func (e *Exporter) Names() []string { return e.names }

// Replace gives the collectors other sources, after a discovery; runs under way finish on the old ones.
func (e *Exporter) Replace(sources *Sources) { e.sources.Store(sources) }

// Sources are what the collectors read now.
func (e *Exporter) Sources() *Sources { return e.sources.Load() }

// UnknownVhost receives when a collector met a vhost that discovery did not know.
func (e *Exporter) UnknownVhost() <-chan struct{} { return e.unknown }

// Scrape returns what the named collectors (none: all) have to say, and how they fare, when all have answered or ctx is done.
// The Sets are shared: they may only be read.
func (e *Exporter) Scrape(ctx context.Context, names ...string) []*metric.Set {
	var flights []*flight
	for _, f := range e.flights {
		if len(names) == 0 || slices.Contains(names, f.definition.Name) {
			flights = append(flights, f)
		}
	}
	self := metric.NewSet(metric.Bounds{"collector": identity(e.names)})
	sets := []*metric.Set{self}
	for i, t := range takeAll(ctx, flights) {
		if t.set != nil {
			sets = append(sets, t.set)
		}
		flights[i].report(t, self)
	}
	e.reportSelf(self)
	return sets
}

func takeAll(ctx context.Context, flights []*flight) []taken {
	took := make([]taken, len(flights))
	var wg sync.WaitGroup
	for i, f := range flights {
		wg.Go(func() { took[i] = f.take(ctx) })
	}
	wg.Wait()
	return took
}

// Close ends what is running and waits for it until ctx is done: a read from a dead disk can not be ended by anybody.
func (e *Exporter) Close(ctx context.Context) {
	e.cancel()
	for _, f := range e.flights {
		f.mu.Lock()
		landed := f.landed
		f.mu.Unlock()
		if landed == nil {
			continue
		}
		select {
		case <-landed:
		case <-ctx.Done():
			return
		}
	}
}

// turn tells whether a collector may ask ejabberd something rare now.
func (e *Exporter) turn() bool {
	api := e.sources.Load().API
	return api == nil || api.Turn()
}

// changed logs a state that is not the same as before, never a state that lasts.
func (e *Exporter) changed(name string, before, now *result) {
	if now.set.UnknownVhost() && !e.sources.Load().VhostsGiven {
		select {
		case e.unknown <- struct{}{}:
		default:
		}
	}
	reason := func(r *result) string {
		if r == nil || r.err == nil {
			return ""
		}
		return r.err.Error()
	}
	switch was, is := reason(before), reason(now); {
	case was == is, e.stop.Err() != nil:
	case is == "":
		e.logger.Info("collector works again", "collector", name)
	case now.off():
		e.logger.Info("collector is off", "collector", name, "reason", is)
	default:
		e.logger.Warn("collector failed", "collector", name, "reason", is)
	}
}

// Try runs one collector once, for --check, and keeps its panic from spreading.
func Try(ctx context.Context, d Definition, src *Sources, out *metric.Set) error {
	return guard.Run(func() error { return d.Collect(ctx, src, out) })
}

// IsOff tells whether a collector says that this server does not have its source.
func IsOff(err error) bool { return errors.Is(err, ErrOff) }

// Tally counts the collectors that succeeded and failed in the first Set of a scrape.
func Tally(self *metric.Set) (good, bad int) {
	for _, sample := range self.All() {
		switch {
		case sample.Metric != success:
		case sample.Value == 1:
			good++
		default:
			bad++
		}
	}
	return good, bad
}

func identity(values []string) map[string]string {
	same := make(map[string]string, len(values))
	for _, v := range values {
		same[v] = v
	}
	return same
}
