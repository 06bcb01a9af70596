// SPDX-License-Identifier: Apache-2.0

package uploads

import (
	"math"
	"time"
)

// Changes are what came and went between two walks. What came and went again in between is not seen.
type Changes struct {
	AddedFiles  int
	AddedBytes  int64 // of added files and of those that grew
	ShrunkBytes int64 // that files lost which are still there; ejabberd never does that
	Removed     []Removal
}

// Removal is a file that is gone.
type Removal struct {
	File
	Reason Reason
}

// remember takes over what a finished walk saw, and tells what changed since the last one.
//
// A document root of which nothing remains is not believed: a file system is missing, or answers nonsense. What is found from
// then on is compared with nothing. It is an error, so that nobody takes it for an empty one, where the file system is another
// one than before.
func (m *memory) remember(seen *sighting, device uint64, now time.Time, limits Limits) (*Changes, error) {
	var changes Changes
	lost := len(m.accounts) > 0 && seen.met == 0
	if lost && device != m.device {
		return nil, errOtherDevice
	}
	for id, before := range m.accounts {
		if before.walk != seen.walk {
			changes.compare(before, nil, now, limits)
			seen.news = append(seen.news, found{id: id, known: before})
		}
	}
	compared := m.started && (device == m.device || len(m.accounts) > 0) && (!lost || changes.allExpired())
	for _, f := range seen.news {
		switch {
		case f.account == nil:
			delete(m.accounts, f.id)
			continue
		case !f.account.blind && (f.known == nil || !f.known.blind):
			changes.compare(f.known, f.account, now, limits)
		}
		if m.accounts == nil {
			m.accounts = map[AccountID]*account{}
		}
		m.accounts[f.id] = f.account
	}
	m.device = device
	m.started = !lost || compared || len(m.accounts) > 0
	if !compared {
		return nil, nil
	}
	return &changes, nil
}

// compare adds what happened to one account, which is nil before it came and after it went.
func (c *Changes) compare(before, after *account, now time.Time, limits Limits) {
	var old, present []entry
	if before != nil {
		old = before.files
	}
	if after != nil {
		present = after.files
	}
	var gone []File
	e := event{directoryGone: after == nil, oldestStayed: math.MaxInt64}
	for len(old) > 0 || len(present) > 0 {
		switch order := first(old, present); {
		case order < 0:
			gone = append(gone, old[0].file())
			e.before += old[0].file().Size
			old = old[1:]
		case order > 0:
			c.AddedFiles++
			e.added += present[0].file().Size
			present = present[1:]
		default:
			was, is := old[0].file(), present[0].file()
			e.before += was.Size
			e.stayed += was.Size
			e.oldestStayed = min(e.oldestStayed, was.Modified)
			e.added += max(0, is.Size-was.Size)
			c.ShrunkBytes += max(0, was.Size-is.Size)
			old, present = old[1:], present[1:]
		}
	}
	c.AddedBytes += e.added
	c.Removed = append(c.Removed, limits.explain(gone, e, now)...)
}

// first tells which of two sorted lists goes on with the smaller path.
func first(a, b []entry) int {
	switch {
	case len(a) == 0:
		return 1
	case len(b) == 0:
		return -1
	}
	return a[0].comparePath(b[0])
}

func (c *Changes) allExpired() bool {
	for _, r := range c.Removed {
		if r.Reason != Expired {
			return false
		}
	}
	return true
}
