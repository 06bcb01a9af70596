// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"slices"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

const day = 24 * time.Hour

// endpointFigures are the performance data of c2s and s2s.
var endpointFigures = append([]Figure{
	{Label: "time", Unit: "s", Min: "0", Value: totalTime},
	phaseFigure(Resolve), phaseFigure(Connect), phaseFigure(Stream), phaseFigure(StartTLS), phaseFigure(Handshake), phaseFigure(Features),
}, endpointCounts...)

// endpointCounts are those that are no times.
var endpointCounts = []Figure{
	{Label: "endpoints", Min: "0", Value: func(s *metric.Set) (float64, bool) {
		all := values(s, endpointSuccess)
		return float64(len(all)), len(all) > 0
	}},
	{Label: "endpoints_failed", Min: "0", Value: func(s *metric.Set) (float64, bool) {
		all := values(s, endpointSuccess)
		return float64(len(slices.DeleteFunc(slices.Clone(all), func(v float64) bool { return v == 1 }))), len(all) > 0
	}},
	daysFigure("cert_days"),
	plainFigure("retries", retriesMetric),
}

// timeThresholds judge the whole time.
var timeThresholds = []Threshold{
	{Flag: "warning", Figure: "time", State: Warning, Help: "Seconds in all that are a warning"},
	{Flag: "critical", Figure: "time", State: Critical, Help: "Seconds in all that are critical"},
}

// endpointThresholds judge the certificate that expires first as well: in percent of its lifetime, since a fixed number of days
// would alarm on every healthy certificate of 45 days, or miss the renewal of one of a year.
var endpointThresholds = append(slices.Clone(timeThresholds),
	Threshold{Flag: "warning-days", Figure: "cert_days", State: Warning, Default: "25%:", Help: "Days, or percent of its lifetime, that a certificate must be good for"},
	Threshold{Flag: "critical-days", Figure: "cert_days", State: Critical, Default: "10%:", Help: "Days, or percent of its lifetime, below which it is critical"},
)

func phaseFigure(phase string) Figure {
	return Figure{Label: phase, Unit: "s", Min: "0", Value: func(s *metric.Set) (float64, bool) { return s.Get(phaseDuration, phase) }}
}

// named is a figure under another label.
func named(label string, f Figure) Figure {
	f.Label = label
	return f
}

func plainFigure(label string, m *metric.Metric) Figure {
	return Figure{Label: label, Min: "0", Value: func(s *metric.Set) (float64, bool) { return s.Get(m) }}
}

// daysFigure is how many days the certificate that expires first is still good, negative once it expired.
func daysFigure(label string) Figure {
	return Figure{
		Label: label,
		Value: func(s *metric.Set) (float64, bool) {
			first := firstToExpire(s)
			if first == nil {
				return 0, false
			}
			return (first.Value - float64(time.Now().Unix())) / day.Seconds(), true
		},
		Whole: func(s *metric.Set) (float64, bool) {
			first := firstToExpire(s)
			if first == nil {
				return 0, false
			}
			since, ok := s.Get(certNotBefore, first.Labels...)
			return (first.Value - since) / day.Seconds(), ok
		},
	}
}

func firstToExpire(s *metric.Set) (first *metric.Sample) {
	for _, sample := range s.All() {
		if sample.Metric == certNotAfter && (first == nil || sample.Value < first.Value) {
			first = sample
		}
	}
	return first
}

// totalTime is the DNS and then the slowest endpoint that works.
func totalTime(s *metric.Set) (float64, bool) {
	slowest := values(s, endpointDuration)
	if len(slowest) == 0 {
		return 0, false
	}
	resolve, _ := s.Get(phaseDuration, Resolve)
	return resolve + slices.Max(slowest), true
}

func values(s *metric.Set, m *metric.Metric) (all []float64) {
	for _, sample := range s.All() {
		if sample.Metric == m {
			all = append(all, sample.Value)
		}
	}
	return all
}
