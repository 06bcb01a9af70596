// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/uploads"
)

var removalReason = metric.OneOf("reason", string(uploads.Expired), string(uploads.Quota), string(uploads.Unregistered), string(uploads.Unknown))

// What happens between two walks, told by the collector that walks: UploadTree.
var (
	uploadAddedFiles = uploadCounter("ejabberd_upload_added_files_total",
		"Files uploaded since the first walk; one that comes and goes between two walks is not seen")
	uploadAddedBytes   = uploadCounter("ejabberd_upload_added_bytes_total", "Bytes uploaded since the first walk")
	uploadRemovedFiles = uploadCounter("ejabberd_upload_removed_files_total",
		"Files deleted since the first walk: swept because too old, evicted by the quota, gone with their account, or for a reason that can't be told", removalReason)
	uploadRemovedBytes = uploadCounter("ejabberd_upload_removed_bytes_total", "Bytes deleted since the first walk", removalReason)

	uploadEvictedAge = &metric.Metric{
		Name: "ejabberd_upload_evicted_age_seconds", Kind: metric.Histogram, Buckets: fileAges,
		Source: "upload directory", Scope: metric.Filesystem, Refreshed: true, Labels: []metric.Label{metric.Vhost},
		Help: "Age that files had reached when the quota deleted them, since the first walk: how long files really live",
	}
)

func uploadCounter(name, help string, labels ...metric.Label) *metric.Metric {
	m := uploadGauge(name, help)
	m.Kind = metric.Counter
	m.Labels = append(m.Labels, labels...)
	return m
}
