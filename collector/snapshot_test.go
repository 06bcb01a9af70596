// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/ejabberd"
)

func refreshed(f *fake) *fake {
	f.Refresh = 5 * time.Minute
	return f
}

func TestTheFirstScrapeWaitsAndTheRunGoesOnBehindIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := refreshed(&fake{takes: 3 * time.Second})
		e, _ := testExporter(t, f)
		expect(t, "nothing yet, and no word of success", scrape(e, time.Second), "")
		expect(t, "the same run", scrape(e, 5*time.Second), `success{collector="a"} 1`, "value 1", "value_up 0")
	})
}

func TestASnapshotIsServedWhileTheNextIsMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := refreshed(&fake{takes: time.Second})
		e, _ := testExporter(t, f)
		scrape(e, 5*time.Second)
		time.Sleep(4 * time.Minute)
		expect(t, "young", scrape(e, time.Second), `success{collector="a"} 1`, "value 1", "value_up 0")
		time.Sleep(2 * time.Minute)
		expect(t, "due", scrape(e, time.Millisecond), `success{collector="a"} 1`, "value 1", "value_up 0")
		time.Sleep(2 * time.Second)
		expect(t, "made behind", scrape(e, time.Millisecond), `success{collector="a"} 1`, "value 2", "value_up 0")
	})
}

func TestNobodyLooksNoLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := refreshed(&fake{})
		e, _ := testExporter(t, f)
		scrape(e, time.Second)
		time.Sleep(24 * time.Hour)
		if n := f.runs.Load(); n != 1 {
			t.Errorf("ran %d times in a day without scrapes", n)
		}
	})
}

func TestAFailureKeepsTheSnapshotUntilItIsTooOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := refreshed(&fake{})
		e, _ := testExporter(t, f)
		scrape(e, time.Second)
		f.err = errors.New("broken")
		time.Sleep(6 * time.Minute)
		scrape(e, time.Second)
		synctest.Wait()
		expect(t, "beside a failure", scrape(e, time.Second), `success{collector="a"} 0`, "value 1", "value_up 0")
		time.Sleep(15 * time.Minute)
		expect(t, "a gap is honest", scrape(e, time.Second), `success{collector="a"} 0`, "value_up 0")
	})
}

func TestASnapshotThatIsTooOldIsNotServedWhileTheNextOneHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := refreshed(&fake{})
		e, _ := testExporter(t, f)
		scrape(e, time.Second)
		f.takes, f.deaf = 24*time.Hour, true
		time.Sleep(6 * time.Minute)
		expect(t, "due", scrape(e, time.Second), `success{collector="a"} 1`, "value 1", "value_up 0")
		time.Sleep(15 * time.Minute)
		expect(t, "a gap is honest", scrape(e, time.Second), `success{collector="a"} 0`)
	})
}

// busyAPI never gives a turn.
type busyAPI struct{ AdminAPI }

func (busyAPI) Turn() bool                 { return false }
func (busyAPI) Requests() []ejabberd.Count { return nil }

// TestRareRunsTakeTurns: of three that are due at once, one starts with each scrape; the first time nobody waits.
func TestRareRunsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, c := refreshed(&fake{}), refreshed(&fake{}), &fake{}
		a.Rare, b.Rare, c.Rare = true, true, true
		c.Reuse = 5 * time.Minute
		e, _ := testExporter(t, a, b, c)
		api, err := ejabberd.New(ejabberd.Options{URL: "http://127.0.0.1:1/api"}) // nobody calls it
		if err != nil {
			t.Fatal(err)
		}
		e.Replace(&Sources{API: api})
		ran := func() int {
			scrape(e, time.Second)
			synctest.Wait()
			return int(a.runs.Load() + b.runs.Load() + c.runs.Load())
		}
		if n := ran(); n != 3 {
			t.Errorf("%d runs of 3 for the first page", n)
		}
		time.Sleep(6 * time.Minute)
		for want := 4; want <= 6; want++ {
			if n := ran(); n != want {
				t.Errorf("%d runs, want %d", n, want)
			}
			time.Sleep(15 * time.Second)
		}
		if n := ran(); n != 6 {
			t.Errorf("%d runs though none is due", n)
		}
		a.err = errors.New("broken")
		e.Replace(&Sources{API: busyAPI{}})
		time.Sleep(6 * time.Minute)
		if n := ran(); n != 6 {
			t.Errorf("%d runs without a turn", n-6)
		}
		time.Sleep(2 * time.Minute)
		if n := ran(); n != 9 {
			t.Errorf("%d runs of 3 after more than half an interval", n-6)
		}
		time.Sleep(31 * time.Second)
		if n := ran(); n != 10 {
			t.Errorf("%d runs of the one that failed", n-9)
		}
	})
}

func TestAFailedRunIsTriedAgainSoonButNotAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := refreshed(&fake{err: errors.New("broken")})
		e, _ := testExporter(t, f)
		scrape(e, time.Second)
		time.Sleep(20 * time.Second)
		scrape(e, time.Second)
		if n := f.runs.Load(); n != 1 {
			t.Errorf("%d runs within 30 seconds", n)
		}
		time.Sleep(11 * time.Second)
		scrape(e, time.Second)
		synctest.Wait()
		if n := f.runs.Load(); n != 2 {
			t.Errorf("%d runs after 31 seconds, want 2", n)
		}
	})
}

func TestASourceInTroubleIsLeftAloneLongerEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{takes: 3 * time.Second, err: errors.New("broken")} // as a server that hangs
		f.Refresh = time.Hour
		e, _ := testExporter(t, f)
		// next is the pause before the next run, whose end it waits for.
		next := func() (pause time.Duration) {
			for began, runs := time.Now(), f.runs.Load(); ; time.Sleep(time.Second) {
				scrape(e, time.Millisecond)
				if synctest.Wait(); f.runs.Load() > runs {
					pause = time.Since(began).Round(time.Second)
					time.Sleep(f.takes + time.Millisecond)
					synctest.Wait()
					return pause
				}
			}
		}
		next()
		for i, want := range []int{30, 60, 120, 240, 300, 300} {
			if pause := next(); pause != time.Duration(want)*time.Second {
				t.Errorf("left alone for %v after failure %d, want %d s", pause, i+1, want)
			}
		}
		f.err = nil
		next()
		f.err = errors.New("broken")
		next()
		if pause := next(); pause != 30*time.Second {
			t.Errorf("the next trouble begins with %v", pause)
		}
	})
}

func TestTheIntervalStretchesToOnePercent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := refreshed(&fake{takes: 30 * time.Second})
		e, _ := testExporter(t, f)
		began := time.Now()
		var page string
		for time.Since(began) < 12*time.Hour {
			for _, set := range e.Scrape(t.Context()) {
				page = set.Text() + page
			}
			time.Sleep(time.Minute)
		}
		if busy := float64(f.runs.Load()) * 30 / time.Since(began).Seconds(); busy > 0.011 {
			t.Errorf("busy %.1f %% of the time", 100*busy)
		}
		if !strings.Contains(page, `refresh_interval_seconds{collector="a"} 3000`) {
			t.Error("the stretched interval is not told")
		}
	})
}
