// SPDX-License-Identifier: Apache-2.0

package exposition

import (
	"io"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// registry holds the Sets of one scrape.
func registry(sets []*metric.Set) *prometheus.Registry {
	page := prometheus.NewRegistry()
	page.MustRegister(constant(sets))
	return page
}

// constant is a collector of what is already known. It describes nothing: the registry then checks each metric as it comes.
type constant []*metric.Set

func (constant) Describe(chan<- *prometheus.Desc) {}

func (c constant) Collect(out chan<- prometheus.Metric) {
	descriptions := map[*metric.Metric]*prometheus.Desc{}
	for _, set := range c {
		for _, sample := range set.All() {
			m := sample.Metric
			description := descriptions[m]
			if description == nil {
				names := make([]string, len(m.Labels))
				for i, l := range m.Labels {
					names[i] = l.Name
				}
				description = prometheus.NewDesc(m.Name, m.FullHelp(), names, nil)
				descriptions[m] = description
			}
			out <- constantMetric(description, sample)
		}
	}
}

func constantMetric(description *prometheus.Desc, sample *metric.Sample) prometheus.Metric {
	switch sample.Metric.Kind {
	case metric.Histogram:
		buckets := make(map[float64]uint64, len(sample.Metric.Buckets))
		count := 0.0
		for i, n := range sample.Buckets {
			count += n
			if i < len(sample.Metric.Buckets) {
				buckets[sample.Metric.Buckets[i]] = uint64(count)
			}
		}
		return prometheus.MustNewConstHistogram(description, uint64(count), sample.Sum, buckets, sample.Labels...)
	case metric.Counter:
		return prometheus.MustNewConstMetric(description, prometheus.CounterValue, sample.Value, sample.Labels...)
	default:
		return prometheus.MustNewConstMetric(description, prometheus.GaugeValue, sample.Value, sample.Labels...)
	}
}

// Write writes the Sets as a page in the text format, for --once.
func Write(w io.Writer, sets ...*metric.Set) error {
	families, err := registry(sets).Gather()
	if err != nil {
		return err
	}
	encoder := expfmt.NewEncoder(w, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			return err
		}
	}
	return nil
}
