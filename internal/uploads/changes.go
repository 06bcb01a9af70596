// SPDX-License-Identifier: Apache-2.0

package uploads

import (
	"math"
	"strings"
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
	var gone []AccountID
	for id, before := range m.accounts {
		if before.walk != seen.walk {
			changes.compare(before, nil, now, limits)
			gone = append(gone, id)
		}
	}
	compared := m.started && (device == m.device || len(m.accounts) > 0) && (!lost || changes.allExpired())
	for _, id := range gone {
		delete(m.accounts, id)
	}
	if m.accounts == nil {
		m.accounts = make(map[AccountID]*account, len(seen.news))
	}
	for _, n := range seen.news {
		if known := m.accounts[n.id]; !n.account.blind && (known == nil || !known.blind) {
			changes.compare(known, n.account, now, limits)
		}
		m.accounts[n.id] = n.account
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
	var old, present entries
	if before != nil {
		old = before.files
	}
	if after != nil {
		present = after.files
	}
	var gone []File
	e := event{directoryGone: after == nil, oldestStayed: math.MaxInt64}
	for len(old) > 0 || len(present) > 0 {
		was, older := old.next()
		is, newer := present.next()
		switch order := first(old, present); {
		case order < 0:
			gone = append(gone, was.file())
			e.before += was.file().Size
			old = older
		case order > 0:
			c.AddedFiles++
			e.added += is.file().Size
			present = newer
		default:
			was, is := was.file(), is.file()
			e.before += was.Size
			e.stayed += was.Size
			e.oldestStayed = min(e.oldestStayed, was.Modified)
			e.added += max(0, is.Size-was.Size)
			c.ShrunkBytes += max(0, was.Size-is.Size)
			old, present = older, newer
		}
	}
	c.AddedBytes += e.added
	c.Removed = append(c.Removed, limits.explain(gone, e, now)...)
}

// first tells which of two sorted lists goes on with the smaller path.
func first(a, b entries) int {
	switch {
	case len(a) == 0:
		return 1
	case len(b) == 0:
		return -1
	}
	return strings.Compare(string(a[:pathSize]), string(b[:pathSize]))
}

func (c *Changes) allExpired() bool {
	for _, r := range c.Removed {
		if r.Reason != Expired {
			return false
		}
	}
	return true
}
