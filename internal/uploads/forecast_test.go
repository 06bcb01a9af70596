// SPDX-License-Identifier: Apache-2.0

package uploads

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

const (
	mebi  = 1 << 20
	aDay  = 24 * time.Hour
	today = 1_800_000_000
)

// store is a few accounts with files of any size and age, several as old as each other.
func store(random *rand.Rand) []Account {
	accounts := make([]Account, random.IntN(20))
	for i := range accounts {
		a := &accounts[i]
		for range 1 + random.IntN(30) {
			f := File{Size: random.Int64N(40 * mebi), Modified: today - random.Int64N(500)*int64(aDay.Seconds())}
			a.Files = append(a.Files, f)
			a.Bytes += f.Size
		}
	}
	return accounts
}

// simulate does to an account what ejabberd would, file by file: a sweep, then an upload of an empty file.
func simulate(a Account, l Limits) (expired, evicted []File) {
	var rest []File
	for _, f := range a.Files {
		if l.Retention > 0 && time.Unix(f.Modified, 0).Before(time.Unix(today, 0).Add(-l.Retention)) {
			expired = append(expired, f)
		} else {
			rest = append(rest, f)
		}
	}
	soft, hard := l.SoftQuota, l.HardQuota
	sum := int64(0)
	for _, f := range rest {
		sum += f.Size
	}
	if hard == 0 || sum <= hard {
		return expired, nil
	}
	kept := int64(0)
	for len(rest) > 0 {
		newest := 0
		for i, f := range rest {
			if f.Modified > rest[newest].Modified {
				newest = i
			}
		}
		if kept += rest[newest].Size; kept > soft {
			return expired, rest
		}
		rest = slices.Delete(rest, newest, newest+1)
	}
	return expired, nil
}

// TestForecastIsWhatWouldHappen compares sums with a simulation that does it file by file.
func TestForecastIsWhatWouldHappen(t *testing.T) {
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 7))
		hard := random.Int64N(400) * mebi
		limits := Limits{HardQuota: hard, SoftQuota: hard / 100 * (1 + random.Int64N(100)), Retention: time.Duration(random.IntN(400)) * aDay}
		if hard == 0 {
			limits.SoftQuota = 0
		}
		forecast := NewForecast(limits, limits, time.Unix(today, 0))
		var expired, evicted, present Amount
		for _, a := range store(random) {
			forecast.Add(a)
			gone, squeezed := simulate(a, limits)
			present.add(len(a.Files), a.Bytes)
			expired.add(len(gone), total(gone))
			evicted.add(len(squeezed), total(squeezed))
		}
		if forecast.Present != present || forecast.Expired != expired || forecast.Evicted.Accounts != evicted.Accounts || forecast.Evicted != evicted {
			t.Fatalf("seed %d, %+v: present %+v, expired %+v, evicted %+v; the simulation says %+v, %+v, %+v",
				seed, limits, forecast.Present, forecast.Expired, forecast.Evicted, present, expired, evicted)
		}
	}
}

func TestForecastOfTheEnd(t *testing.T) {
	at := func(days int, size int64) File {
		return File{Size: size, Modified: today - int64(days)*int64(aDay.Seconds())}
	}
	account := func(files ...File) Account { return Account{Files: files, Bytes: total(files)} }
	busy := account(at(1, 30*mebi), at(20, 30*mebi), at(200, 30*mebi)) // 2 MiB a day
	idle := account(at(100, 50*mebi))
	for name, c := range map[string]struct {
		limits  Limits
		plateau int64
		bounded bool
		lived   []int64
	}{
		"no limit":            {Limits{}, 50 * mebi, false, nil},
		"retention":           {Limits{Retention: 100 * aDay}, 200 * mebi, true, nil},
		"quota":               {Limits{HardQuota: 100 * mebi, SoftQuota: 80 * mebi}, 150 * mebi, true, []int64{200 * 86400}},
		"quota and retention": {Limits{HardQuota: 100 * mebi, SoftQuota: 80 * mebi, Retention: 365 * aDay}, 100 * mebi, true, []int64{200 * 86400}},
		"a small quota":       {Limits{HardQuota: 40 * mebi, SoftQuota: 40 * mebi}, 90 * mebi, true, []int64{200 * 86400, 100 * 86400}},
	} {
		forecast := NewForecast(c.limits, c.limits, time.Unix(today, 0))
		forecast.Add(busy)
		forecast.Add(idle)
		if forecast.PerDay != 2*mebi || forecast.Bounded != c.bounded || !slices.Equal(forecast.Lived, c.lived) || c.bounded && forecast.Plateau != c.plateau {
			t.Errorf("%s: %d bytes a day, plateau %d MiB (%t), lived %v; want %d MiB (%t), %v",
				name, forecast.PerDay, forecast.Plateau/mebi, forecast.Bounded, forecast.Lived, c.plateau/mebi, c.bounded, c.lived)
		}
	}
}

// TestForecastOfWhatDoesNotLast: where limits of today delete files within the month, what is left of it tells how much was uploaded in
// the days that it is of, not in thirty.
func TestForecastOfWhatDoesNotLast(t *testing.T) {
	daily := func(days int) (a Account) {
		for day := range days {
			a.Files = append(a.Files, File{Size: 10 * mebi, Modified: today - int64(day)*int64(aDay.Seconds()) - 3600})
		}
		a.Bytes = total(a.Files)
		return a
	}
	month := Limits{Retention: 30 * aDay}
	for name, c := range map[string]struct {
		today   Limits
		account Account
	}{
		"kept for a week": {Limits{Retention: 7 * aDay}, daily(7)},
		"at the quota":    {Limits{HardQuota: 50 * mebi, SoftQuota: 50 * mebi}, daily(5)},
	} {
		forecast := NewForecast(month, c.today, time.Unix(today, 0))
		forecast.Add(c.account)
		if day, most := forecast.PerDay/mebi, forecast.Plateau/mebi; day < 9 || day > 13 || most < 280 || most > 380 {
			t.Errorf("%s: %d MiB a day, %d MiB in the end; it was 10 MiB a day", name, day, most)
		}
	}
}
