// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"
	"context"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/uploads"
)

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30
	day = 24 * 60 * 60 // seconds

	// sweepDelay is how late ejabberd's sweep may delete a file: it runs every 24 hours, first within 12 hours of a start.
	sweepDelay = 36 * time.Hour
	// nearQuota is the share of the quota from which on an account is about to lose files.
	nearQuota = 0.9
)

// fileAges are buckets around the retention of a year.
var fileAges = []float64{day, 7 * day, 30 * day, 90 * day, 180 * day, 270 * day, 365 * day, 367 * day}

var (
	uploadFiles    = uploadGauge("ejabberd_upload_files", "Uploaded files, thumbnails included")
	uploadBytes    = uploadGauge("ejabberd_upload_bytes", "Size of all uploaded files, as ejabberd's quota counts it")
	uploadAccounts = uploadGauge("ejabberd_upload_accounts", "Accounts with at least one uploaded file")
	uploadErrors   = uploadGauge("ejabberd_upload_scan_errors", "Directories and files that the last walk could not look at: the other numbers lack them")
	uploadOldest   = uploadGauge("ejabberd_upload_oldest_file_timestamp_seconds", "When the oldest uploaded file was written; absent without files")
	uploadExpired  = uploadGauge("ejabberd_upload_files_expired",
		"Files that ejabberd's daily sweep should have deleted: older than the retention plus 36 hours; absent where files are kept for ever")

	uploadAccountBytes = uploadSnapshot("ejabberd_upload_account_bytes", "Bytes stored by each account",
		mib, 10*mib, 50*mib, 100*mib, 150*mib, 200*mib, 500*mib, gib)
	uploadFileSize = uploadSnapshot("ejabberd_upload_file_size_bytes", "Size of each uploaded file",
		16*kib, 128*kib, mib, 5*mib, 20*mib, 100*mib)
	uploadFileAge = uploadSnapshot("ejabberd_upload_file_age_seconds", "Age of each uploaded file",
		fileAges...)

	uploadOverQuota = uploadLevel("ejabberd_upload_accounts_over_quota", "Accounts that store more than the quota")
	uploadNearQuota = uploadLevel("ejabberd_upload_accounts_near_quota", "Accounts that store 90 % of the quota or more, but not more than it: about to lose files")
)

func uploadGauge(name, help string) *metric.Metric {
	m := &metric.Metric{
		Name: name, Help: help, Source: "upload directory", Scope: metric.Filesystem, Refreshed: true,
		Labels: []metric.Label{metric.Vhost},
	}
	if name == "ejabberd_upload_oldest_file_timestamp_seconds" {
		m.Fold = metric.Min
	}
	return m
}

func uploadLevel(name, help string) *metric.Metric {
	m := uploadGauge(name, help)
	m.Labels = append(m.Labels, levelLabel)
	return m
}

func uploadSnapshot(name, help string, buckets ...float64) *metric.Metric {
	m := uploadGauge(name, help)
	m.Kind, m.Buckets, m.Snapshot = metric.Histogram, buckets, true
	return m
}

// UploadTree counts uploaded files. It lists directories and asks for sizes and times; it never opens a file and keeps no name.
var UploadTree = Definition{
	Name: "uploads", Source: Uploads, Refresh: 15 * time.Minute,
	Help: "Uploaded files: how many, how large, how old, who is near the quota, what came and went",
	Metrics: []*metric.Metric{
		uploadFiles, uploadBytes, uploadAccounts, uploadErrors, uploadOldest, uploadExpired,
		uploadAccountBytes, uploadFileSize, uploadFileAge, uploadOverQuota, uploadNearQuota,
		uploadAddedFiles, uploadAddedBytes, uploadRemovedFiles, uploadRemovedBytes, uploadEvictedAge,
	},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		if len(src.UploadStores) == 0 {
			return src.absent(errNoUploads)
		}
		now := time.Now()
		return eachStore(src, func(store *UploadStore) error { return store.tell(ctx, now, out) })
	},
}

// tell walks one upload directory and tells what is in it.
func (s *UploadStore) tell(ctx context.Context, now time.Time, out *metric.Set) error {
	quotas := map[string]int64{"soft": s.limits.SoftQuota, "hard": s.limits.HardQuota}
	over, near := map[string]float64{}, map[string]float64{}
	stored, sizes, ages := metric.NewTally(uploadAccountBytes), metric.NewTally(uploadFileSize), metric.NewTally(uploadFileAge)
	var expired float64
	var oldest int64
	stats, err := s.walk(ctx, now, func(account uploads.Account) {
		stored.Observe(float64(account.Bytes))
		for level, quota := range quotas {
			switch {
			case account.Bytes > quota:
				over[level]++
			case float64(account.Bytes) >= nearQuota*float64(quota):
				near[level]++
			}
		}
		for _, file := range account.Files {
			age := max(0, now.Unix()-file.Modified)
			sizes.Observe(float64(file.Size))
			ages.Observe(float64(age))
			if age > int64((s.limits.Retention+sweepDelay)/time.Second) {
				expired++
			}
			oldest = min(cmp.Or(oldest, file.Modified), file.Modified)
		}
	})
	if err != nil {
		s.memory.forget(err)
		return err
	}
	for _, tally := range []*metric.Tally{stored, sizes, ages} {
		out.AddTally(tally, s.vhost)
	}
	out.Add(uploadFiles, float64(stats.Files), s.vhost)
	out.Add(uploadBytes, float64(stats.Bytes), s.vhost)
	out.Add(uploadAccounts, float64(stats.Accounts), s.vhost)
	out.Add(uploadErrors, float64(stats.Errors), s.vhost)
	if stats.Files > 0 {
		out.Add(uploadOldest, float64(oldest), s.vhost)
	}
	if s.limits.Retention > 0 {
		out.Add(uploadExpired, expired, s.vhost)
	}
	for level, quota := range quotas {
		if quota > 0 {
			out.Add(uploadOverQuota, over[level], s.vhost, level)
			out.Add(uploadNearQuota, near[level], s.vhost, level)
		}
	}
	s.memory.keep(expired, oldest)
	s.memory.tell(out, s.vhost)
	return nil
}
