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

// struckQuota is the share of the soft quota from which on an account may have lost files to it.
const struckQuota = 0.9

// nearQuota is the share of the hard quota from which on an account's next uploads are about to cost it files.
const nearQuota = 0.9

// Forecast tells what limits would do to a store as it is now. Feed it every account.
type Forecast struct {
	limits Limits
	today  Limits // what has made the store what it is
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
	// PerDay is how many bytes a day were uploaded in the last 30 days, told by the files that are still there: where files do not last
	// so long, by the days that they do.
	PerDay int64
	// Plateau is the most that the store holds in the end if the same accounts go on as in the last 30 days; Bounded is false
	// where nothing ever deletes what some of them upload.
	Plateau int64
	Bounded bool
}

// NewForecast makes a Forecast of limits for a store that has lived under those of today.
func NewForecast(limits, today Limits, now time.Time) *Forecast {
	return &Forecast{limits: limits, today: today, now: now, Bounded: true}
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
	f.settle(hard)
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

// window is how many days of the account's uploads are all still there.
func (f *Forecast) window() (days float64) {
	days = rateDays
	if f.today.Retention > 0 {
		days = min(days, f.today.Retention.Hours()/24)
	}
	soft, _ := f.today.Quota()
	if soft > 0 && float64(total(f.files)) >= struckQuota*float64(soft) {
		oldest := f.now.Sub(time.Unix(f.files[len(f.files)-1].Modified, 0))
		days = min(days, max(1, oldest.Hours()/24))
	}
	return days
}

// settle adds what the account will hold in the end.
func (f *Forecast) settle(hard int64) {
	recent, days := int64(0), f.window()
	since := f.now.Add(-time.Duration(days * 24 * float64(time.Hour))).Unix()
	for _, file := range f.files {
		if file.Modified >= since {
			recent += file.Size
		}
	}
	perDay := float64(recent) / days
	f.PerDay += int64(perDay)
	most := hard
	switch {
	case f.limits.Retention > 0:
		lasting := int64(perDay * f.limits.Retention.Hours() / 24)
		if most == 0 || lasting < most {
			most = lasting
		}
	case recent == 0: // nobody deletes what is there
		most = total(f.files) // the quota does not either, before something is uploaded
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
