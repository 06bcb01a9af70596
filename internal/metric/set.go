// SPDX-License-Identifier: Apache-2.0

package metric

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Set collects the numbers of one run of a collector or probe. It is not safe for concurrent use; make one with NewSet.
type Set struct {
	bounds  Bounds
	samples map[string]*Sample
	unknown bool
}

// Sample is one number (or histogram) with its label values, in the order of Metric.Labels.
type Sample struct {
	Metric  *Metric
	Labels  []string
	Value   float64   // Gauge and Counter
	Buckets []float64 // Histogram: counts per bucket, not cumulative, the last one is +Inf
	Sum     float64   // Histogram
}

// NewSet makes a Set whose bound labels take their values from bounds, which may be nil.
func NewSet(bounds Bounds) *Set { return &Set{bounds: bounds, samples: map[string]*Sample{}} }

// Add adds a number. Numbers with the same metric and labels are joined: gauges by the metric's Fold, counters by sum. NaN is
// unknown and therefore not added. A wrong number of label values is a mistake in the program and panics.
func (s *Set) Add(m *Metric, value float64, labels ...string) {
	if math.IsNaN(value) {
		return
	}
	sample, fresh := s.sample(m, labels)
	switch {
	case sample == nil:
	case fresh:
		sample.Value = value
	case m.Fold == Min:
		sample.Value = min(sample.Value, value)
	case m.Fold == Max:
		sample.Value = max(sample.Value, value)
	default:
		sample.Value += value
	}
}

// Observe adds an observation to a histogram.
func (s *Set) Observe(m *Metric, value float64, labels ...string) { s.ObserveN(m, value, 1, labels...) }

// ObserveN adds n equal observations to a histogram; n = 0 makes the empty histogram appear.
func (s *Set) ObserveN(m *Metric, value, n float64, labels ...string) {
	if m.Kind != Histogram {
		panic("metric: " + m.Name + " is no histogram")
	}
	sample, fresh := s.sample(m, labels)
	if sample == nil {
		return
	}
	if fresh {
		sample.Buckets = make([]float64, len(m.Buckets)+1)
	}
	bucket, _ := slices.BinarySearch(m.Buckets, value)
	sample.Buckets[bucket] += n
	sample.Sum += value * n
}

// sample finds or makes the sample; nil where a label value must not be shown.
func (s *Set) sample(m *Metric, labels []string) (sample *Sample, fresh bool) {
	if len(labels) != len(m.Labels) {
		panic(fmt.Sprintf("metric: %s takes %d label values, got %d", m.Name, len(m.Labels), len(labels)))
	}
	var buf [128]byte
	key := append(buf[:0], m.Name...)
	for i, l := range m.Labels {
		v, ok := l.value(labels[i], s.bounds)
		if !ok {
			s.unknown = true
			return nil, false
		}
		key = append(append(key, 0xff), v...)
	}
	if sample, ok := s.samples[string(key)]; ok {
		return sample, false
	}
	sample = &Sample{Metric: m, Labels: strings.Split(string(key), "\xff")[1:]}
	s.samples[string(key)] = sample
	return sample, true
}

// UnknownVhost tells whether a number was left out because nobody bound its vhost: discovery should run again.
func (s *Set) UnknownVhost() bool { return s.unknown }

// Join adds the samples of another Set, which is of other metrics.
func (s *Set) Join(other *Set) {
	for key, sample := range other.samples {
		s.samples[key] = sample
	}
}

// OnFailure is what remains of a Set when its collector failed: the metrics declared to be told even then.
func (s *Set) OnFailure() *Set {
	rest := NewSet(s.bounds)
	for key, sample := range s.samples {
		if sample.Metric.OnFailure {
			rest.samples[key] = sample
		}
	}
	return rest
}

// Get returns the value of a gauge or counter; ok is false where it is absent.
func (s *Set) Get(m *Metric, labels ...string) (value float64, ok bool) {
	sample, ok := s.samples[strings.Join(append([]string{m.Name}, labels...), "\xff")]
	if !ok {
		return 0, false
	}
	return sample.Value, true
}

// All returns the samples sorted by name and label values. It is safe while nobody adds.
func (s *Set) All() []*Sample {
	all := make([]*Sample, 0, len(s.samples))
	for _, sample := range s.samples {
		all = append(all, sample)
	}
	slices.SortFunc(all, func(a, b *Sample) int {
		return cmp.Or(cmp.Compare(a.Metric.Name, b.Metric.Name), slices.Compare(a.Labels, b.Labels))
	})
	return all
}

// Text writes the Set as sorted exposition lines, for tests and for --output prometheus.
func (s *Set) Text() string {
	var b strings.Builder
	for _, sample := range s.All() {
		sample.write(&b)
	}
	return b.String()
}
