// SPDX-License-Identifier: Apache-2.0

package uploads

import (
	"cmp"
	"slices"
	"time"
)

// Amount is files, what they weigh, and whose they are.
type Amount struct {
	Accounts int   `json:"accounts"`
	Files    int   `json:"files"`
	Bytes    int64 `json:"bytes"`
}

func (a *Amount) add(files int, bytes int64) {
	if files > 0 {
		a.Accounts++
		a.Files += files
		a.Bytes += bytes
	}
}

// rateDays is how far back uploads are counted to tell how fast a store grows.
const rateDays = 30

// nearQuota is the share of the hard quota from which on an account's next uploads are about to cost it files.
const nearQuota = 0.9

// Forecast tells what limits would do to a store as it is now. Feed it every account.
type Forecast struct {
	limits Limits
	now    time.Time
	files  []File // of the account being looked at

	Present Amount
	Expired Amount // what the next sweep deletes
	// Evicted is what the quota then deletes, of accounts above it, as soon as each uploads again.
	Evicted Amount
	// NearQuota is what accounts at 90 % of the hard quota or more hold, and Lived how long, in seconds, the oldest file of each
	// has been there: the next to go.
	NearQuota Amount
	Lived     []int64
	// PerDay is how many bytes a day were uploaded in the last 30 days, as far as they are still there.
	PerDay int64
	// Plateau is the most that the store holds in the end if the same accounts go on as in the last 30 days; Bounded is false
	// where nothing ever deletes what some of them upload.
	Plateau int64
	Bounded bool
}

// NewForecast makes a Forecast of limits.
func NewForecast(limits Limits, now time.Time) *Forecast {
	return &Forecast{limits: limits, now: now, Bounded: true}
}

// Add looks at one account.
func (f *Forecast) Add(account Account) {
	f.Present.add(len(account.Files), account.Bytes)
	f.files = append(f.files[:0], account.Files...)
	slices.SortStableFunc(f.files, func(a, b File) int { return cmp.Compare(b.Modified, a.Modified) }) // the newest first, as the quota keeps them
	soft, hard := f.limits.Quota()
	if hard > 0 && float64(account.Bytes) >= nearQuota*float64(hard) {
		f.NearQuota.add(len(f.files), account.Bytes)
		f.Lived = append(f.Lived, max(0, f.now.Unix()-f.files[len(f.files)-1].Modified))
	}
	kept := f.sweep()
	f.evict(f.files[:kept], soft, hard)
	f.settle(soft, hard)
}

// sweep counts what is past its time, and tells how many of the newest files are not.
func (f *Forecast) sweep() (kept int) {
	if f.limits.Retention == 0 {
		return len(f.files)
	}
	oldest := f.now.Add(-f.limits.Retention).Unix()
	kept = len(f.files)
	for kept > 0 && f.files[kept-1].Modified < oldest {
		kept--
	}
	f.Expired.add(len(f.files)-kept, total(f.files[kept:]))
	return kept
}

// evict counts what the quota deletes of an account whose files exceed it: all from the first one on, the newest first, with which
// they do not fit into the soft quota any more.
func (f *Forecast) evict(files []File, soft, hard int64) {
	if hard == 0 || total(files) <= hard {
		return
	}
	stays := int64(0)
	for i, file := range files {
		if stays += file.Size; stays > soft {
			f.Evicted.add(len(files)-i, total(files[i:]))
			return
		}
	}
}

// settle adds what the account will hold in the end.
func (f *Forecast) settle(soft, hard int64) {
	recent := int64(0)
	since := f.now.AddDate(0, 0, -rateDays).Unix()
	for _, file := range f.files {
		if file.Modified >= since {
			recent += file.Size
		}
	}
	f.PerDay += recent / rateDays
	most := hard
	switch {
	case f.limits.Retention > 0:
		lasting := int64(float64(recent) / rateDays * (f.limits.Retention.Hours() / 24))
		if most == 0 || lasting < most {
			most = lasting
		}
	case recent == 0: // nobody deletes what is there
		if most = total(f.files); hard > 0 && most > hard {
			most = soft
		}
	case hard == 0:
		f.Bounded = false
	}
	f.Plateau += most
}

func total(files []File) (bytes int64) {
	for _, file := range files {
		bytes += file.Size
	}
	return bytes
}
