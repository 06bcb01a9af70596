// SPDX-License-Identifier: Apache-2.0

package statuspage

import (
	"slices"
)

// The shares of a disk, in percent, below which there is little left, and so little that uploads are about to fail.
const (
	littleSpace = 10
	noSpace     = 3
)

// uploads tells what accounts store, against the quota.
func (b *builder) uploads() *card {
	stored := b.pick("ejabberd_upload_account_bytes")
	if len(stored) == 0 {
		return nil
	}
	c := &card{ID: "uploads", Title: "Accounts by what they store", Lead: b.promise()}
	hard, soft := b.quota("hard"), b.quota("soft")
	bounds := stored[0].Metric.Buckets
	accounts := make([]float64, len(bounds)+1)
	for _, s := range stored {
		for i, n := range s.Buckets {
			accounts[i] += n
		}
	}
	widest := slices.Max(accounts)
	for i, n := range accounts {
		from := 0.0
		if i > 0 {
			from = bounds[i-1]
		}
		row := bar{Level: good, Value: count(n)}
		if i < len(bounds) {
			row.Label = "up to " + size(bounds[i])
		} else {
			row.Label = "above " + size(bounds[i-1])
		}
		switch {
		case hard > 0 && from >= hard:
			row.Level, row.Mark = bad, "over the quota"
		case soft > 0 && from >= soft:
			row.Level, row.Mark = warn, "above what is left after cleaning"
		}
		if n == 0 {
			row.Mark = ""
		}
		row.Share = share(n, widest)
		c.Bars = append(c.Bars, row)
	}
	for len(c.Bars) > 1 && c.Bars[len(c.Bars)-1].Share == 0 { // nobody is up there
		c.Bars = c.Bars[:len(c.Bars)-1]
	}
	if over, known := b.sum("ejabberd_upload_accounts_over_quota", "", "hard"); known {
		near, _ := b.sum("ejabberd_upload_accounts_near_quota", "", "hard")
		c.Notes = append(c.Notes, things(over, "account is", "accounts are")+" over the quota, "+count(near)+" near it: they lose their oldest files with the next upload.")
	}
	if expired, known := b.sum("ejabberd_upload_files_expired"); known && expired > 0 {
		b.need(warn, "uploads", things(expired, "uploaded file is", "uploaded files are")+" kept longer than promised.",
			"ejabberd's daily sweep should have deleted them: see that mod_http_upload_quota runs, and when ejabberd was last restarted.")
	}
	if errors, known := b.sum("ejabberd_upload_scan_errors"); known && errors > 0 {
		b.need(warn, "uploads", things(errors, "directory or file", "directories and files")+" of uploads cannot be looked at: the numbers lack them.",
			"Let the exporter list them: `ejabberd_exporter --check` prints the lines for systemd.")
	}
	return c
}

// quota is the smallest that a vhost has; 0: none.
func (b *builder) quota(level string) (least float64) {
	for _, s := range b.pick("ejabberd_upload_quota_bytes", "", level) {
		if least == 0 || s.Value < least {
			least = s.Value
		}
	}
	return least
}

// promise says what the configuration promises, where all vhosts promise the same or the strictest of them.
func (b *builder) promise() string {
	text := "No quota is configured."
	if hard, soft := b.quota("hard"), b.quota("soft"); hard > 0 {
		text = "Quota: " + size(hard) + " an account."
		if soft > 0 && soft < hard {
			text += " Beyond it the oldest files go, down to " + size(soft) + "."
		}
	}
	least := 0.0
	for _, s := range b.pick("ejabberd_upload_retention_seconds") {
		if least == 0 || s.Value < least {
			least = s.Value
		}
	}
	if least > 0 {
		return text + " Kept for " + days(least) + "."
	}
	return text + " Kept for ever."
}

// disk tells how full the file systems of uploads are.
func (b *builder) disk() *card {
	c := &card{ID: "disk", Title: "Disk of the uploads", Lead: "The bars show what is used."}
	for _, whole := range b.pick("ejabberd_upload_filesystem_size_bytes") {
		free, known := b.sum("ejabberd_upload_filesystem_avail_bytes", whole.Labels...)
		if !known {
			continue
		}
		row := bar{Label: "space", Value: size(free) + " left of " + size(whole.Value), Level: good, Share: 100 - share(free, whole.Value)}
		b.judgeDisk(&row, share(free, whole.Value), "space")
		c.Bars = append(c.Bars, row)
		if inodes, known := b.sum("ejabberd_upload_filesystem_inodes", whole.Labels...); known {
			free, _ := b.sum("ejabberd_upload_filesystem_inodes_free", whole.Labels...)
			row := bar{Label: "inodes", Value: count(free) + " left of " + count(inodes), Level: good, Share: 100 - share(free, inodes)}
			b.judgeDisk(&row, share(free, inodes), "inodes")
			c.Bars = append(c.Bars, row)
		}
	}
	if len(c.Bars) == 0 {
		return nil
	}
	return c
}

func (b *builder) judgeDisk(row *bar, free float64, what string) {
	const do = "Make room or let uploads live shorter (max_days of mod_http_upload_quota): a full disk makes uploads fail."
	switch {
	case free < noSpace:
		row.Level, row.Mark = bad, "almost full"
		b.need(bad, "disk", "The disk of the uploads is almost full: "+row.Value+" ("+what+").", do)
	case free < littleSpace:
		row.Level, row.Mark = warn, "little is left"
		b.need(warn, "disk", "Little is left on the disk of the uploads: "+row.Value+" ("+what+").", do)
	}
}

// share is what part of the whole n is, in percent.
func share(n, whole float64) float64 {
	if whole <= 0 {
		return 0
	}
	return min(100, max(0, 100*n/whole))
}
