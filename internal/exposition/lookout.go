// SPDX-License-Identifier: Apache-2.0

package exposition

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/chapril/ejabberd_exporter/probes"
)

const (
	// lookEvery is how often a module runs at most at a target while somebody looks.
	lookEvery = time.Minute
	// lookers is how many of these runs there are at a time: one page must not become a storm.
	lookers = 4
)

// Sight is what a module found at a target, for people. It has nothing of the module's settings, which may be secret.
type Sight struct {
	Module, Help string
	Target       string
	Report       *probes.Report // of the last run; nil: none has ended yet. It may only be read
	Err          error
	Good         bool // probe_success
	Began        time.Time
	Running      bool
}

// Lookout runs the modules of --probe.config while somebody looks at what they find. Nobody looks, no load.
type Lookout struct {
	prober *Prober
	turns  chan struct{}
	stop   context.Context
	cancel context.CancelFunc
	flying sync.WaitGroup

	mu     sync.Mutex
	sights map[post]*sight
}

// post is where somebody looks out.
type post struct {
	module *module
	target string
}

type sight struct {
	last   *result
	tried  time.Time     // when the last run began
	landed chan struct{} // closed when the present run ends; nil between runs
}

// NewLookout makes a Lookout that asks no more than the prober is allowed to.
func NewLookout(p *Prober) *Lookout {
	l := &Lookout{prober: p, turns: make(chan struct{}, lookers), sights: map[post]*sight{}}
	l.stop, l.cancel = context.WithCancel(context.Background())
	return l
}

// Look tells what is seen at the targets, waiting for runs under way until ctx is done.
func (l *Lookout) Look(ctx context.Context, targets ...string) []Sight {
	posts := l.posts(targets)
	for _, landed := range l.start(posts) {
		select {
		case <-landed:
		case <-ctx.Done():
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var seen []Sight
	astray := map[*module]int{} // accounts of none of the targets
	for _, p := range posts {
		s := l.sights[p]
		switch {
		case s == nil: // the module was replaced meanwhile
		case s.last == nil:
			seen = append(seen, Sight{Module: p.module.Name, Help: p.module.Help, Target: p.target, Running: s.landed != nil})
		case errors.Is(s.last.err, probes.ErrOtherDomain):
			if astray[p.module]++; astray[p.module] == len(targets) {
				seen = append(seen, Sight{Module: p.module.Name, Help: p.module.Help, Report: s.last.report, Err: s.last.err, Began: s.last.at})
			}
		default:
			seen = append(seen, Sight{p.module.Name, p.module.Help, p.target, s.last.report, s.last.err, s.last.good(), s.last.at, s.landed != nil})
		}
	}
	return seen
}

// posts are all configured modules at all targets, in the order of the targets.
func (l *Lookout) posts(targets []string) (posts []post) {
	l.prober.modules.mu.RLock()
	defer l.prober.modules.mu.RUnlock()
	for _, target := range targets {
		for _, m := range l.prober.modules.all {
			if m.Configured && l.prober.Allowed(target) {
				posts = append(posts, post{m, target})
			}
		}
	}
	return posts
}

// start begins the runs that are due, forgets what nobody can see any more, and tells when what is under way ends.
func (l *Lookout) start(posts []post) (landings []<-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for p := range l.sights {
		if !slices.Contains(posts, p) {
			delete(l.sights, p)
		}
	}
	for _, p := range posts {
		s := l.sights[p]
		if s == nil {
			s = &sight{}
			l.sights[p] = s
		}
		if s.landed == nil && time.Since(s.tried) >= lookEvery && l.stop.Err() == nil {
			s.landed, s.tried = make(chan struct{}), time.Now()
			l.flying.Go(func() { l.fly(p, s) })
		}
		if s.landed != nil {
			landings = append(landings, s.landed)
		}
	}
	return landings
}

func (l *Lookout) fly(p post, s *sight) {
	r, err := l.run(p)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		s.last = r
	}
	close(s.landed)
	s.landed = nil
}

// run fails when its turn did not come.
func (l *Lookout) run(p post) (*result, error) {
	for _, turns := range []chan struct{}{l.turns, l.prober.running} {
		select {
		case turns <- struct{}{}:
			defer func() { <-turns }()
		case <-l.stop.Done():
			return nil, l.stop.Err()
		}
	}
	_, run, err := l.prober.prepare(&p.module.Module)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(l.stop, defaultDeadline)
	defer cancel()
	return p.module.measure(ctx, run, probes.Target{Domain: p.target})
}

// Close ends what is running and waits for it until ctx is done.
func (l *Lookout) Close(ctx context.Context) {
	l.cancel()
	ended := make(chan struct{})
	go func() { l.flying.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-ctx.Done():
	}
}

// Failures are the phases that failed and why, in words of the closed lists, each once: what an error says, without its text.
func (s *Sight) Failures() (failed []probes.Failure) {
	if s.Report == nil {
		return nil
	}
	for _, sample := range s.Report.Set.All() {
		if sample.Metric.Name == "probe_xmpp_failure_info" {
			failed = append(failed, probes.Failure{Phase: sample.Labels[0], Reason: sample.Labels[1]})
		}
	}
	if failure, ok := errors.AsType[*probes.Failure](s.Err); ok && len(failed) == 0 {
		failed = append(failed, probes.Failure{Phase: failure.Phase, Reason: cmp.Or(failure.Reason, probes.OtherReason)})
	}
	return failed
}
