// SPDX-License-Identifier: Apache-2.0

package metric

import "slices"

// Tally counts observations of a histogram outside of a Set: millions in no time, or over many runs. It is not safe for
// concurrent use; make one with NewTally.
type Tally struct {
	metric  *Metric
	buckets []float64
	sum     float64
}

// NewTally makes an empty Tally of a histogram.
func NewTally(m *Metric) *Tally { return &Tally{metric: m, buckets: make([]float64, len(m.Buckets)+1)} }

// Observe adds an observation.
func (t *Tally) Observe(value float64) {
	bucket, _ := slices.BinarySearch(t.metric.Buckets, value)
	t.buckets[bucket]++
	t.sum += value
}

// AddTally adds what a Tally has counted; an empty one makes the empty histogram appear.
func (s *Set) AddTally(t *Tally, labels ...string) {
	sample, fresh := s.sample(t.metric, labels)
	if sample == nil {
		return
	}
	if fresh {
		sample.Buckets = make([]float64, len(t.buckets))
	}
	for i, n := range t.buckets {
		sample.Buckets[i] += n
	}
	sample.Sum += t.sum
}
