// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/exposition"
	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/probes"
)

// catalogue are the metrics that there are, by name, as the exporter declares them.
var catalogue = func() map[string]*metric.Metric {
	all := slices.Concat(collector.SelfMetrics, exposition.ProbeMetrics)
	for _, d := range collector.All {
		all = append(all, d.Metrics...)
	}
	for _, p := range probes.All(nil) { // nobody logs in here
		all = append(all, p.Metrics...)
	}
	byName := make(map[string]*metric.Metric, len(all))
	for _, m := range all {
		byName[m.Name] = m
	}
	return byName
}()

// declared finds a metric. A board with a name that does not exist is not written.
func declared(name string) *metric.Metric {
	m := catalogue[name]
	if m == nil {
		panic(name + " is not in the catalogue: docs/metrics.md has the names")
	}
	return m
}

func hasLabel(m *metric.Metric, name string) bool {
	return slices.ContainsFunc(m.Labels, func(l metric.Label) bool { return l.Name == name })
}
