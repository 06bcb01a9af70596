// SPDX-License-Identifier: Apache-2.0

package dns

import (
	"context"
	"maps"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/chapril/ejabberd_exporter/internal/guard"
)

const (
	// cacheSize is enough for five thousand domains: a probe of one asks about six questions.
	cacheSize   = 32768
	sweepEvery  = time.Minute
	maxPositive = 24 * time.Hour
	maxNegative = time.Minute // a new record should not wait for a badly chosen SOA
)

// answer is what a question led to: records, or an error. It may be kept for ttl; 0 is not at all.
type answer struct {
	records []record
	err     error
	ttl     time.Duration
}

// record is what is kept of a record: the name is the question's, and takes 255 bytes in a dnsmessage.Resource.
type record struct {
	body dnsmessage.ResourceBody
	ttl  time.Duration
}

// cache keeps answers while their TTLs last and lets callers with the same question share one flight.
type cache struct {
	mu      sync.Mutex
	kept    map[question]entry
	swept   time.Time // when expired entries were looked for last
	flights map[question]*flight
}

type entry struct {
	answer
	until time.Time
}

// flight is a question under way. The last caller to leave cancels it.
type flight struct {
	callers int
	cancel  context.CancelFunc
	done    chan struct{} // closed when answer is set
	answer  answer
}

// get returns the answer that is kept, or waits for the one under way, or asks.
func (c *cache) get(ctx context.Context, q question, ask func(context.Context, question) answer) answer {
	c.mu.Lock()
	if e, ok := c.kept[q]; ok && time.Now().Before(e.until) {
		c.mu.Unlock()
		return e.answer
	}
	f := c.flights[q]
	if f == nil {
		f = c.start(ctx, q, ask)
	}
	f.callers++
	c.mu.Unlock()

	select {
	case <-f.done:
		return f.answer
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.callers--; f.callers == 0 {
		f.cancel()
		if c.flights[q] == f { // who comes now must not board a flight that is being cut
			delete(c.flights, q)
		}
	}
	return answer{err: cut(ctx)}
}

// start asks in a goroutine of its own: the question outlives the caller who was first, as long as another one waits.
func (c *cache) start(ctx context.Context, q question, ask func(context.Context, question) answer) *flight {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &flight{cancel: cancel, done: make(chan struct{})}
	if c.flights == nil {
		c.flights = map[question]*flight{}
	}
	c.flights[q] = f
	go func() {
		defer cancel()
		a := safely(ctx, q, ask)
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.flights[q] == f {
			delete(c.flights, q)
		}
		c.keep(q, a)
		f.answer = a
		close(f.done)
	}()
	return f
}

// safely asks. A panic, over an answer that nobody thought of, would end the program here: it is an error like others.
func safely(ctx context.Context, q question, ask func(context.Context, question) answer) (a answer) {
	if err := guard.Run(func() error { a = ask(ctx, q); return nil }); err != nil {
		return answer{err: err}
	}
	return a
}

// keep stores an answer that may be stored.
func (c *cache) keep(q question, a answer) {
	if a.ttl <= 0 {
		return
	}
	if c.kept == nil {
		c.kept = map[question]entry{}
	}
	now := time.Now()
	if len(c.kept) >= cacheSize {
		c.makeRoom(now)
	}
	c.kept[q] = entry{a, now.Add(a.ttl)}
}

// makeRoom drops what has expired, or any one entry when nothing has. A full cache is not walked over for every answer.
func (c *cache) makeRoom(now time.Time) {
	if now.Sub(c.swept) >= sweepEvery {
		c.swept = now
		maps.DeleteFunc(c.kept, func(_ question, e entry) bool { return !now.Before(e.until) })
	}
	for q := range c.kept {
		if len(c.kept) < cacheSize {
			return
		}
		delete(c.kept, q)
	}
}
