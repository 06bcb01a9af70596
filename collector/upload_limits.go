// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"fmt"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var (
	levelLabel = metric.OneOf("level", "soft", "hard")

	uploadQuota = &metric.Metric{
		Name: "ejabberd_upload_quota_bytes", Source: "configuration, the rule for all", Scope: metric.Cluster, Fold: metric.Min,
		Labels: []metric.Label{metric.Vhost, levelLabel},
		Help:   "What one account may store: above hard, its oldest files are deleted down to soft; absent without a quota",
	}
	uploadRetention = &metric.Metric{
		Name: "ejabberd_upload_retention_seconds", Source: "configuration, max_days", Scope: metric.Cluster, Fold: metric.Min,
		Labels: []metric.Label{metric.Vhost},
		Help:   "How long uploaded files are kept; absent where they are kept for ever",
	}
)

// UploadLimits repeats what the configuration promises, for panels and alerts to compare with.
var UploadLimits = Definition{
	Name: "upload_limits", Source: Discovery,
	Help:    "Quota and retention of uploaded files",
	Metrics: []*metric.Metric{uploadQuota, uploadRetention},
	Collect: func(_ context.Context, src *Sources, out *metric.Set) error {
		if len(src.Uploads) == 0 {
			return src.absent(errNoUploads)
		}
		for _, u := range src.Uploads {
			if u.SoftQuota > 0 {
				out.Add(uploadQuota, float64(u.SoftQuota), u.Vhost, "soft")
			}
			if u.HardQuota > 0 {
				out.Add(uploadQuota, float64(u.HardQuota), u.Vhost, "hard")
			}
			if u.Retention > 0 {
				out.Add(uploadRetention, u.Retention.Seconds(), u.Vhost)
			}
		}
		return nil
	},
}

var errNoUploads = fmt.Errorf("%w: no vhost has mod_http_upload", ErrOff)
