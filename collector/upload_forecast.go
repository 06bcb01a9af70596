// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/uploads"
)

// UploadForecast is what one upload directory is heading for.
type UploadForecast struct {
	Vhost         string // or shared
	Today, Limits uploads.Limits
	Now           *uploads.Forecast // under the limits of Today
	Then          *uploads.Forecast // under other Limits; nil where none were asked about
	QuotasDiffer  bool              // between vhosts that share the directory: none is taken into account
}

// Forecast walks the directory once and looks at it under today's limits and, where change is given, under changed ones.
func (s *UploadStore) Forecast(ctx context.Context, change func(*uploads.Limits)) (*UploadForecast, error) {
	now := time.Now()
	f := &UploadForecast{Vhost: s.vhost, Today: s.limits, Limits: s.limits, Now: uploads.NewForecast(s.limits, s.limits, now), QuotasDiffer: s.quotasDiffer}
	if change != nil {
		change(&f.Limits)
		f.Then = uploads.NewForecast(f.Limits, s.limits, now)
	}
	_, err := s.walk(ctx, now, func(account uploads.Account) {
		f.Now.Add(account)
		if f.Then != nil {
			f.Then.Add(account)
		}
	})
	return f, err
}

// LivedBuckets are the upper bounds, in seconds, by which the CLI sorts ages: those of the histogram of file ages.
func LivedBuckets() []float64 { return fileAges }
