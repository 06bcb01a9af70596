// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"
)

const (
	warmScrapes = 200
	// turns of a scrape that reads anew, the API calls and ejabberdctl.
	turns = 12
	// reuse is how long a scrape serves what the last one read.
	reuse = 10 * time.Second
	// logDelay is how long Erlang may keep what it logs.
	logDelay = 2500 * time.Millisecond
)

// scrapes measures what a scrape costs us and ejabberd, beside the two other exporters for it.
func (b *bench) scrapes(ctx context.Context, p *part) error {
	e, err := b.started(ctx)
	if err != nil {
		return err
	}
	defer e.stop()
	calls := b.logged()
	page, err := e.get(ctx, "/metrics", time.Minute)
	if err != nil {
		return err
	}
	var warm sample
	for range warmScrapes {
		took, err := timed(func() error { _, err := e.get(ctx, "/metrics", reuse); return err })
		if err != nil {
			return err
		}
		warm.add(took)
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	idle, err := b.idle(ctx, 10*time.Second)
	if err != nil {
		return err
	}
	fresh, api, ctl := &way{name: "`/metrics`, everything read at scrape time anew"}, &way{name: "15 API calls, one after the other"}, &way{name: "11 `ejabberdctl`, two at a time"}
	var answered, connections sample
	web := b.caller()
	defer web.CloseIdleConnections()
	fewest := b.shorter(turns)
	for range fewest {
		if err := pause(ctx, reuse+100*time.Millisecond); err != nil {
			return err
		}
		calls.skip()
		err := fresh.take(b, idle, func() (time.Duration, error) { _, err := e.get(ctx, "/metrics", reuse); return 0, err })
		if err != nil {
			return err
		}
		if err := pause(ctx, logDelay); err != nil {
			return err
		}
		n, connected := calls.count()
		answered, connections = append(answered, float64(n)), append(connections, float64(connected))
		if err := api.take(b, idle, func() (time.Duration, error) { return 0, fifteenCalls(ctx, web) }); err != nil {
			return err
		}
		if err := ctl.take(b, idle, func() (time.Duration, error) { return b.elevenCommands(ctx) }); err != nil {
			return err
		}
	}
	if err := pause(ctx, reuse); err != nil {
		return err
	}
	if _, err := e.get(ctx, "/metrics", reuse); err != nil { // reads anew
		return err
	}
	if err := pause(ctx, logDelay); err != nil {
		return err
	}
	calls.skip()
	for range 20 { // within 10 s of that
		if _, err := e.get(ctx, "/metrics", reuse); err != nil {
			return err
		}
	}
	if err := pause(ctx, logDelay); err != nil {
		return err
	}
	within, _ := calls.count()

	p.write("\n%d bytes, %d series. Medians with quartiles of %d scrapes ten a second, then of %d turns; the processor time is the mean of what ejabberd used "+
		"beyond what it uses idle, with %d sessions, and what the programs used that were started for it.\n",
		len(page), bytes.Count(page, []byte("\n"))-bytes.Count(page, []byte("\n#")), warmScrapes, fewest, b.service.Sessions)
	rows := [][]string{{"`/metrics`, ten times a second", warm.spread(), seconds(warm.quantile(0.99)), "", ""}}
	for _, w := range []*way{fresh, api, ctl} {
		rows = append(rows, []string{w.name, w.took.spread(), seconds(w.took.quantile(0.99)), seconds(w.ejabberd.mean()), seconds(w.started.mean())})
	}
	p.table([]string{"way", "time", "99 of 100 within", "CPU in ejabberd", "CPU of programs started"}, rows)
	p.grows("a scrape, everything warm", seconds(warm.median()))
	p.grows("a scrape that reads anew", seconds(fresh.took.median()))
	p.grows("CPU in ejabberd for that", seconds(fresh.ejabberd.mean()))
	faster := api.took.median() / warm.median()
	p.asked("`/metrics`, everything warm", "p50 under 10 ms", warm.median() < 0.010, "%s", seconds(warm.median()))
	p.asked("`/metrics`, everything warm", "p99 under 50 ms", warm.quantile(0.99) < 0.050, "%s", seconds(warm.quantile(0.99)))
	p.asked("`/metrics` and 15 API calls in a row", "at least 5x faster", faster >= 5, "%.0fx; %.1fx where all is read anew", faster, api.took.over(fresh.took).median())
	faster = ctl.took.median() / warm.median()
	p.asked("`/metrics` and 11 `ejabberdctl`", "at least 100x faster", faster >= 100, "%.0fx; %.0fx where all is read anew", faster, ctl.took.over(fresh.took).median())
	allowed := 4 + len(b.service.Domains)
	most := answered.quantile(1)
	p.asked("API calls for a scrape", fmt.Sprintf("at most 4 + one per vhost: %d", allowed), most <= float64(allowed), "%.1f on average, %.0f at most", answered.mean(), most)
	p.asked("API calls within 10 s of the last scrape", "none", within == 0, "%d in 20 scrapes", within)
	p.asked("connections to the API", "kept alive", connections.sum() == 0, "%.0f new ones in %d scrapes", connections.sum(), fewest)
	share := fresh.ejabberd.mean() / (ctl.ejabberd.mean() + ctl.started.mean())
	p.asked("CPU of Erlang for a scrape, ours and 11 `ejabberdctl` with the machines that they start", "under a tenth", share < 0.1, "%.4f", share)
	inside := fresh.ejabberd.median() / ctl.ejabberd.median()
	p.asked("the same, inside ejabberd alone", "under a tenth", inside < 0.1, "%.2f; %.2f by the mean, for which lists of sessions count too",
		inside, fresh.ejabberd.mean()/ctl.ejabberd.mean())
	return nil
}

// way is one of those to learn what ejabberd knows.
type way struct {
	name                    string
	took, ejabberd, started sample
}

// take measures it once. do tells what the programs used that it started.
func (w *way) take(b *bench, idle float64, do func() (time.Duration, error)) error {
	pid := b.service.Ejabberd.PID()
	before, err := cpuOf(pid)
	if err != nil {
		return err
	}
	began := time.Now()
	started, err := do()
	if err != nil {
		return fmt.Errorf("%s: %w", w.name, err)
	}
	took := time.Since(began)
	after, err := cpuOf(pid)
	if err != nil {
		return err
	}
	w.took.add(took)
	w.ejabberd = append(w.ejabberd, (after-before).Seconds()-idle*took.Seconds())
	w.started.add(started)
	return nil
}

// idle is the share of a core that ejabberd uses while nobody asks it.
func (b *bench) idle(ctx context.Context, d time.Duration) (float64, error) {
	pid := b.service.Ejabberd.PID()
	before, err := cpuOf(pid)
	if err != nil {
		return 0, err
	}
	if err := pause(ctx, d); err != nil {
		return 0, err
	}
	after, err := cpuOf(pid)
	return (after - before).Seconds() / d.Seconds(), err
}

// callLog counts what ejabberd.log tells of its API.
type callLog struct {
	path     string
	accepted []byte // ends the line that tells of a connection to the API; those to other listeners are handshakes
	seen     int64
}

func (b *bench) logged() *callLog {
	return &callLog{path: b.service.Ejabberd.LogPath(), accepted: fmt.Appendf(nil, "-> 127.0.0.1:%d\n", b.service.Ejabberd.Config.Ports.API)}
}

// skip forgets what was logged until now.
func (l *callLog) skip() { l.count() }

// count is how many calls and new connections were logged since it was last asked.
func (l *callLog) count() (calls, connections int) {
	f, err := os.Open(l.path)
	if err != nil {
		return 0, 0
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() < l.seen {
		l.seen = 0 // it was rotated
	}
	var text bytes.Buffer
	if _, err := f.Seek(l.seen, 0); err != nil {
		return 0, 0
	}
	n, _ := text.ReadFrom(f)
	l.seen += n
	return bytes.Count(text.Bytes(), []byte("API call ")), bytes.Count(text.Bytes(), l.accepted)
}
