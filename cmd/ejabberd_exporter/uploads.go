// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/discovery"
	"github.com/chapril/ejabberd_exporter/internal/uploads"
)

// whatIf is limits that an operator thinks about: retention=180d,quota=500MiB. What is not named stays as it is.
type whatIf struct {
	text      string
	soft      size
	hard      size
	retention days
}

func (w *whatIf) String() string { return w.text }
func (w *whatIf) Set(v string) error {
	*w = whatIf{text: v}
	for part := range strings.SplitSeq(v, ",") {
		key, value, _ := strings.Cut(part, "=")
		var err error
		switch key {
		case "retention":
			err = w.retention.Set(value)
		case "quota":
			if err = w.hard.Set(value); err == nil {
				w.soft = w.hard
			}
		case "soft":
			err = w.soft.Set(value)
		case "hard":
			err = w.hard.Set(value)
		default:
			err = errors.New("write retention=180d,quota=500MiB, or soft= and hard= instead of quota=")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// change puts what is named in place of what is.
func (w *whatIf) change(l *uploads.Limits) {
	if w.retention > 0 {
		l.Retention = time.Duration(w.retention)
	}
	if w.soft > 0 {
		l.SoftQuota = int64(w.soft)
	}
	if w.hard > 0 {
		l.HardQuota = int64(w.hard)
	}
}

// forecast is one upload directory, as JSON.
type forecast struct {
	Vhost string   `json:"vhost"`
	Now   outlook  `json:"now"`
	Then  *outlook `json:"what_if,omitempty"`
}

// outlook is what limits do to a directory. Sizes are bytes.
type outlook struct {
	SoftQuota     int64          `json:"soft_quota,omitempty"`
	HardQuota     int64          `json:"hard_quota,omitempty"`
	QuotasDiffer  bool           `json:"quotas_differ,omitempty"` // between the vhosts of the directory: none is taken into account
	RetentionDays float64        `json:"retention_days,omitempty"`
	Present       uploads.Amount `json:"present"`
	Expired       uploads.Amount `json:"deleted_by_next_sweep"`
	Evicted       uploads.Amount `json:"deleted_by_quota_at_next_upload"`
	NearQuota     uploads.Amount `json:"accounts_near_quota"`
	PerDay        int64          `json:"uploaded_per_day"`
	Plateau       *int64         `json:"plateau"` // null: it grows without end, or quotas differ
	Lived         []lived        `json:"age_of_next_file_to_go,omitempty"`
}

// lived is how many accounts near the quota have had their oldest file for so long: it is the next to go.
type lived struct {
	Days     float64 `json:"up_to_days"` // 0: longer than all others
	Accounts int     `json:"accounts"`
}

func outlookOf(l uploads.Limits, f *uploads.Forecast, quotasDiffer bool) outlook {
	soft, hard := l.Quota()
	o := outlook{
		QuotasDiffer: quotasDiffer && hard == 0, // or they were asked about
		SoftQuota:    soft, HardQuota: hard, RetentionDays: l.Retention.Hours() / 24,
		Present: f.Present, Expired: f.Expired, Evicted: f.Evicted, NearQuota: f.NearQuota, PerDay: f.PerDay,
	}
	if f.Bounded {
		o.Plateau = &f.Plateau
	}
	if len(f.Lived) > 0 {
		bounds := collector.LivedBuckets()
		o.Lived = make([]lived, len(bounds)+1)
		for i, bound := range bounds {
			o.Lived[i].Days = bound / (24 * time.Hour).Seconds()
		}
		for _, age := range f.Lived {
			i, _ := slices.BinarySearch(bounds, float64(age))
			o.Lived[i].Accounts++
		}
	}
	return o
}

// uploads says what each upload directory is heading for, and what other limits would do to it.
func (s *settings) uploads(ctx context.Context, found *discovery.Found, out io.Writer) (int, error) {
	if found.Sources.Blocked != nil {
		return exitNothing, found.Sources.Blocked
	}
	if len(found.Sources.UploadStores) == 0 {
		return exitNothing, errors.New("no upload directory found: name it with --upload.docroot VHOST=DIRECTORY")
	}
	var change func(*uploads.Limits)
	if s.whatIf.text != "" {
		change = s.whatIf.change
	}
	all := []forecast{}
	for _, store := range found.Sources.UploadStores {
		looked, err := store.Forecast(ctx, change)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue // made with the first upload
		case err != nil:
			return exitNothing, err
		}
		f := forecast{Vhost: looked.Vhost, Now: outlookOf(looked.Today, looked.Now, looked.QuotasDiffer)}
		if looked.Then != nil {
			then := outlookOf(looked.Limits, looked.Then, looked.QuotasDiffer)
			f.Then = &then
		}
		all = append(all, f)
	}
	if s.output == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return exitAll, encoder.Encode(all)
	}
	p := &paper{w: out}
	for i, f := range all {
		if i > 0 {
			p.line("")
		}
		p.forecast(f, s.whatIf.text)
	}
	if len(all) == 0 {
		p.line("Nobody has uploaded anything yet.")
	}
	return exitAll, p.err
}

func (p *paper) forecast(f forecast, whatIf string) {
	p.line("%s: %s", f.Vhost, amount(f.Now.Present))
	p.outlook("Today", f.Now)
	if f.Then != nil {
		p.outlook("With "+whatIf, *f.Then)
	}
}

func (p *paper) outlook(when string, o outlook) {
	quota, retention := "no quota", "kept for ever"
	if o.QuotasDiffer {
		quota = "the vhosts' quotas differ and are left out"
	}
	if o.HardQuota > 0 {
		quota = fmt.Sprintf("quota %s, then down to %s", binary(o.HardQuota), binary(o.SoftQuota))
	}
	if o.RetentionDays > 0 {
		retention = fmt.Sprintf("kept %.0f days", o.RetentionDays)
	}
	p.line("  %s (%s; %s)", when, quota, retention)
	p.line("    the next sweep deletes       %s", amount(o.Expired))
	p.line("    the quota then deletes       %s, at the accounts' next uploads", amount(o.Evicted))
	p.line("    near the quota               %s", amount(o.NearQuota))
	plateau := "it grows without end"
	if o.QuotasDiffer {
		plateau = "where that ends is not known"
	}
	if o.Plateau != nil {
		plateau = "at most " + binary(*o.Plateau) + " in the end, if the same accounts go on like this"
	}
	p.line("    uploads of the last 30 days  %s a day; %s", binary(o.PerDay), plateau)
	var ages []string
	for i, l := range o.Lived {
		if l.Accounts == 0 {
			continue
		}
		upTo := fmt.Sprintf("up to %.0f days", l.Days)
		if i == len(o.Lived)-1 {
			upTo = "longer"
		}
		ages = append(ages, fmt.Sprintf("%s: %d", upTo, l.Accounts))
	}
	if len(ages) > 0 {
		p.line("    how long files really live   accounts near the quota by the age of the file that goes next: %s", strings.Join(ages, ", "))
	}
}

func amount(a uploads.Amount) string {
	if a.Files == 0 {
		return "nothing"
	}
	return fmt.Sprintf("%s of %s, %s", count(a.Files, "file"), count(a.Accounts, "account"), binary(a.Bytes))
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// binary is a size with a binary unit.
func binary(bytes int64) string {
	for _, u := range []struct {
		unit   string
		factor int64
	}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if bytes >= u.factor {
			return fmt.Sprintf("%.4g %s", float64(bytes)/float64(u.factor), u.unit)
		}
	}
	return fmt.Sprintf("%d B", bytes)
}
