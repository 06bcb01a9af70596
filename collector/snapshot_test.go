// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
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
