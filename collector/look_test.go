// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// look is what the page for people would know of the first collector, with a deadline.
func look(e *Exporter, deadline time.Duration) State {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	return e.Look(ctx)[0]
}

// value is the number that a fake last said; 0: none.
func (s State) value() float64 {
	if s.Set == nil {
		return 0
	}
	v, _ := s.Set.Get(testValue)
	return v
}

// TestLookingIsScraping: who looks and who scrapes share the same runs.
func TestLookingIsScraping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{takes: time.Second}
		e, _ := testExporter(t, f)
		for range 5 {
			if s := look(e, 10*time.Second); s.value() != 1 || s.Err != nil || s.Running || s.Good.IsZero() || s.Every != defaultReuse {
				t.Errorf("looking gives %+v", s)
			}
			scrape(e, 10*time.Second)
		}
		if n := f.runs.Load(); n != 1 {
			t.Errorf("five looks and five scrapes within %v made %d runs", defaultReuse, n)
		}
	})
}

// TestLookingAtWhatIsLate: what is still running says so, and what was true before.
func TestLookingAtWhatIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{takes: 5 * time.Second}
		e, _ := testExporter(t, f)
		if s := look(e, time.Second); s.Set != nil || s.Err != nil || !s.Running || !s.Good.IsZero() {
			t.Errorf("before the first run has ended: %+v", s)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		f.err = errors.New("broken")
		look(e, 10*time.Second)
		time.Sleep(time.Minute)
		look(e, 10*time.Second)
		time.Sleep(time.Minute)
		if s := look(e, time.Second); s.Set != nil || s.Err == nil || s.Err.Error() != "broken" || !s.Running {
			t.Errorf("while it runs again after a failure: %+v", s)
		}
	})
}

// TestLookingAtASnapshot: numbers of an earlier run are marked where the last one failed.
func TestLookingAtASnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{Definition: Definition{Refresh: 5 * time.Minute}}
		e, _ := testExporter(t, f)
		first := look(e, time.Second)
		if first.value() != 1 || first.Stale || first.Every != 5*time.Minute {
			t.Errorf("the first snapshot: %+v", first)
		}
		f.err = errors.New("broken")
		time.Sleep(6 * time.Minute)
		look(e, time.Second)
		synctest.Wait()
		if s := look(e, time.Second); s.value() != 1 || !s.Stale || s.Err == nil || !s.Good.Equal(first.Good) {
			t.Errorf("after a run that failed: %+v", s)
		}
		f.err = fmt.Errorf("%w: not here", ErrOff)
		time.Sleep(6 * time.Minute)
		look(e, time.Second)
		synctest.Wait()
		if s := look(e, time.Second); s.Set != nil || s.Stale || !IsOff(s.Err) {
			t.Errorf("once it is off: %+v", s)
		}
	})
}
