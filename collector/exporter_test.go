// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var (
	testValue = &metric.Metric{Name: "value"}
	testUp    = &metric.Metric{Name: "value_up", OnFailure: true}
)

// fake is a collector whose runs the test steers.
type fake struct {
	Definition
	runs  atomic.Int32
	takes time.Duration // how long a run takes
	deaf  bool          // it does not listen to its context
	err   error
	panic any
}

func (f *fake) define(name string) Definition {
	f.Name = name
	f.Collect = func(ctx context.Context, _ *Sources, out *metric.Set) error {
		n := f.runs.Add(1)
		out.Add(testValue, float64(n))
		out.Add(testUp, 0)
		if f.deaf {
			ctx = context.Background()
		}
		select {
		case <-time.After(f.takes):
		case <-ctx.Done():
			return ctx.Err()
		}
		if f.panic != nil {
			panic(f.panic)
		}
		return f.err
	}
	return f.Definition
}

// journal keeps the log lines.
type journal struct{ strings.Builder }

func testExporter(t *testing.T, fakes ...*fake) (*Exporter, *journal) {
	t.Helper()
	var definitions []Definition
	for i, f := range fakes {
		definitions = append(definitions, f.define(string(rune('a'+i))))
	}
	log := &journal{}
	e := New(definitions, &Sources{}, Build{"1.0", "abc", "go1.26"}, slog.New(slog.NewTextHandler(log, nil)))
	t.Cleanup(func() { e.Close(context.Background()) })
	return e, log
}

// scrape returns the page with a deadline, without what only says how long things took.
func scrape(e *Exporter, deadline time.Duration, names ...string) string {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	var lines []string
	for _, set := range e.Scrape(ctx, names...) {
		for line := range strings.Lines(set.Text()) {
			if strings.Contains(line, "_success{") || strings.HasPrefix(line, "value") {
				lines = append(lines, strings.TrimPrefix(strings.TrimSpace(line), "ejabberd_exporter_collector_"))
			}
		}
	}
	return strings.Join(lines, "\n")
}

func expect(t *testing.T, what, got string, want ...string) {
	t.Helper()
	if got != strings.Join(want, "\n") {
		t.Errorf("%s: got\n%s\nwant\n%s", what, got, strings.Join(want, "\n"))
	}
}

func TestALateCollectorHoldsOnlyItsOwnSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, fast := &fake{takes: 8 * time.Second}, &fake{}
		e, _ := testExporter(t, slow, fast)
		expect(t, "at the deadline", scrape(e, time.Second), `success{collector="a"} 0`, `success{collector="b"} 1`, "value 1", "value_up 0")
		expect(t, "joined, not started again", scrape(e, 9*time.Second, "a"), `success{collector="a"} 1`, "value 1", "value_up 0")
	})
}

func TestACollectorThatUsesAnotherRunsAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		user, used := &fake{takes: time.Second}, refreshed(&fake{takes: 3 * time.Second})
		user.After = &used.Definition
		user.Refresh = time.Hour
		e, _ := testExporter(t, user, used)
		expect(t, "after 3.5 s", scrape(e, 3500*time.Millisecond, "a"), "")
		expect(t, "after 4.5 s", scrape(e, time.Second, "a"), `success{collector="a"} 1`, "value 1", "value_up 0")
		time.Sleep(2 * time.Hour)
		scrape(e, time.Minute, "a")
		if n := used.runs.Load(); n != 1 {
			t.Errorf("what was asked for once ran %d times", n)
		}
	})
}

func TestACollectorDoesNotWaitForOneThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		user, hung := refreshed(&fake{}), refreshed(&fake{takes: time.Hour, deaf: true})
		user.After = &hung.Definition
		e, _ := testExporter(t, user, hung)
		expect(t, "after a minute", scrape(e, 61*time.Second, "a"), `success{collector="a"} 1`, "value 1", "value_up 0")
	})
}

func TestACollectorThatHangsIsNeverStartedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung := &fake{takes: time.Hour, deaf: true}
		e, _ := testExporter(t, hung)
		for range 20 {
			expect(t, "hung", scrape(e, time.Second), `success{collector="a"} 0`)
			time.Sleep(time.Minute)
		}
		if n := hung.runs.Load(); n != 1 {
			t.Errorf("started %d times", n)
		}
		time.Sleep(time.Hour) // let it end inside the bubble
	})
}

func TestAResultIsReusedForTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		e, _ := testExporter(t, f)
		for range 5 {
			scrape(e, time.Second)
			time.Sleep(time.Second)
		}
		if n := f.runs.Load(); n != 1 {
			t.Errorf("two Prometheus servers cost %d runs", n)
		}
		time.Sleep(6 * time.Second)
		expect(t, "after ten seconds", scrape(e, time.Second), `success{collector="a"} 1`, "value 2", "value_up 0")
	})
}

func TestAnErrorContributesNothingButUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for what, f := range map[string]*fake{"error": {err: errors.New("broken")}, "panic": {panic: "canary@example.org"}} {
			e, log := testExporter(t, f)
			expect(t, what, scrape(e, time.Second), `success{collector="a"} 0`, "value_up 0")
			if what == "panic" && !strings.Contains(log.String(), "panic at collector.") || strings.Contains(log.String(), "canary") {
				t.Errorf("the log must say where it panicked, not what: %s", log)
			}
		}
	})
}

func TestOffIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, log := testExporter(t, &fake{err: errNoSQL})
		for range 3 {
			expect(t, "off", scrape(e, time.Second), "value_up 0")
			time.Sleep(time.Minute)
		}
		if n := strings.Count(log.String(), "collector is off"); n != 1 {
			t.Errorf("said %d times", n)
		}
	})
}

func TestOnlyAChangeIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		e, log := testExporter(t, f)
		for _, err := range []error{nil, errors.New("x"), errors.New("x"), errors.New("y"), nil, nil} {
			f.err = err
			scrape(e, time.Second)
			time.Sleep(time.Minute)
		}
		if got := strings.Count(log.String(), "\n"); got != 3 || !strings.Contains(log.String(), "works again") {
			t.Errorf("%d lines:\n%s", got, log)
		}
	})
}

func TestCloseEndsWhatListens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{takes: time.Hour}
		e, _ := testExporter(t, f)
		scrape(e, time.Second)
		began := time.Now()
		e.Close(context.Background())
		if took := time.Since(began); took > time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestPagesOfManyScrapersAreTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{takes: time.Second}
		e, _ := testExporter(t, f)
		pages := make(chan string)
		for range 50 {
			go func() { pages <- scrape(e, 5*time.Second) }()
		}
		for range 50 {
			expect(t, "page", <-pages, `success{collector="a"} 1`, "value 1", "value_up 0")
		}
		if n := f.runs.Load(); n != 1 {
			t.Errorf("50 scrapers cost %d runs", n)
		}
	})
}
