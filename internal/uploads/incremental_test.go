// SPDX-License-Identifier: Apache-2.0

package uploads

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"
)

// meddle is what ejabberd does not do, but an administrator may.
func (s *server) meddle() {
	files := s.files(s.docroot)
	if len(files) == 0 {
		return
	}
	f := files[s.r.IntN(len(files))]
	upload, account := filepath.Dir(f.path), filepath.Dir(filepath.Dir(f.path))
	if account == s.docroot {
		s.remove(f, Unknown)
		return
	}
	switch s.r.IntN(5) {
	case 0:
		s.remove(f, Unknown)
	case 1: // another name for a file, an upload, an account
		renamed := filepath.Join(upload, fmt.Sprint(s.r.Uint32()))
		s.must(os.Rename(f.path, renamed))
		s.touch(upload)
	case 2:
		renamed := filepath.Join(account, fmt.Sprint(s.r.Uint32()))
		s.must(os.Rename(upload, renamed))
		s.touch(account)
	case 3:
		renamed := filepath.Join(s.docroot, fmt.Sprint(s.r.Uint32()))
		s.must(os.Rename(account, renamed))
		s.touch(s.docroot)
	case 4: // something of its own beside the files
		s.write(filepath.Join(account, fmt.Sprint(s.r.Uint32())), kib)
	}
	s.growing, s.begun = nil, nil
}

// TestIncrementalEqualsFull lets 10,000 things happen and compares, every few of them, a walk that remembers with one that reads
// everything.
func TestIncrementalEqualsFull(t *testing.T) {
	t.Parallel()
	s := newServer(t, 7)
	w := New(s.docroot)
	w.now = func() time.Time { return s.clock }
	total, opened, full := Stats{}, 0, 0
	for op := range 10_000 {
		switch n := s.r.IntN(100); {
		case len(s.growing)+len(s.begun) > 0 && s.clock.Sub(s.since) > 30*time.Minute:
			s.goOn()
		case n < 75:
			s.upload()
		case n < 79:
			s.unregister()
		case n < 88:
			s.meddle()
		default:
			s.goOn()
		}
		if len(s.growing)+len(s.begun) > 0 {
			s.pass(10 * time.Minute)
		} else {
			s.pass(2 * time.Hour)
		}
		if s.r.IntN(5) > 0 {
			continue
		}
		w.full = s.clock // only what must be read is read
		before := maps.Clone(w.accounts)
		got, stats := walkWith(t, w, s.limits)
		want, wantStats := walk(t, s.docroot)
		changes := stats.Changes
		if stats.Changes = nil; !reflect.DeepEqual(got, want) || stats != wantStats {
			t.Fatalf("after %d operations: incremental %+v, full %+v", op+1, stats, wantStats)
		}
		if changes != nil {
			total = apply(total, changes)
		} else {
			total = stats
		}
		if total.Files != stats.Files || total.Bytes != stats.Bytes {
			t.Fatalf("after %d operations: the changes lead to %+v, there is %+v", op+1, total, stats)
		}
		for id := range w.accounts {
			full++
			if before[id] != w.accounts[id] || before[id].restless {
				opened++
			}
		}
	}
	t.Logf("%d of %d accounts were changed or restless", opened, full)
	if opened > full*2/3 {
		t.Error("so hardly any walk was incremental, and the test shows nothing")
	}
}

func apply(s Stats, c *Changes) Stats {
	s.Files += c.AddedFiles - len(c.Removed)
	s.Bytes += c.AddedBytes - c.ShrunkBytes
	for _, r := range c.Removed {
		s.Bytes -= r.Size
	}
	return s
}

// walkWith walks with a Walker that remembers.
func walkWith(t testing.TB, w *Walker, limits Limits) (walked, Stats) {
	t.Helper()
	got := walked{}
	stats, err := w.Walk(t.Context(), limits, func(a Account) { got[a.ID] = sorted(slices.Clone(a.Files)) })
	if err != nil {
		t.Fatal(err)
	}
	return got, stats
}

// TestReasons compares why files are gone with why the server deleted them.
func TestReasons(t *testing.T) {
	t.Parallel()
	s := newServer(t, 3)
	w := New(s.docroot)
	w.now = func() time.Time { return s.clock }
	walkWith(t, w, s.limits)
	got := map[Reason]int{}
	for range 3000 {
		if s.r.IntN(20) > 0 {
			s.upload()
		} else {
			s.unregister()
		}
		s.goOn()
		s.pass(20 * time.Minute)
		_, stats := walkWith(t, w, s.limits)
		if stats.Changes != nil {
			for _, r := range stats.Changes.Removed {
				got[r.Reason]++
			}
		}
	}
	t.Logf("the server deleted %v, the walks saw %v", s.removals, got)
	for _, reason := range []Reason{Expired, Quota, Unregistered} {
		if off := got[reason] - s.removals[reason]; max(off, -off)*20 > s.removals[reason] || got[reason] == 0 {
			t.Errorf("%s: %d seen, %d true", reason, got[reason], s.removals[reason])
		}
	}
	if got[Unknown]*50 > got[Quota]+got[Unregistered] {
		t.Errorf("%d are unknown", got[Unknown])
	}
}
