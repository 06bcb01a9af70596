// SPDX-License-Identifier: Apache-2.0

// Package metric holds what every measurement of this project is made of: metrics declared as data, and Sets of numbers.
//
// It is also the privacy gate. A Set takes numbers, and label values only from closed lists, from lists bound at discovery
// (vhost, node, port …) or of a fixed syntax. There is no free-text label, so no account name, address, room or file name can
// become one. It imports the standard library only.
package metric

import "strings"

// Kind is the Prometheus type of a metric.
type Kind int

// The kinds of metrics.
const (
	Gauge Kind = iota
	Counter
	Histogram
)

func (k Kind) String() string { return [...]string{"gauge", "counter", "histogram"}[k] }

// Scope says over what a number counts: two exporters of one cluster show the same number for everything but Node.
type Scope int

// The scopes of metrics. Probe is what is seen from outside.
const (
	Node Scope = iota
	Cluster
	Database
	Filesystem
	Probe
)

func (s Scope) String() string {
	return [...]string{"node", "cluster", "database", "filesystem", "probe"}[s]
}

// Fold says how values of vhosts beyond --vhosts.max are joined into vhost="other".
type Fold int

// The ways to fold: counts are summed, limits and oldest timestamps take the smallest, newest ones the largest.
const (
	Sum Fold = iota
	Min
	Max
)

// Metric declares one metric. The declaration is what documentation, checks and dashboards are made from.
type Metric struct {
	Name   string // full name, with unit and suffix
	Help   string // one sentence, no full stop at the end
	Source string // the command, query or file that it comes from
	Kind   Kind
	Scope  Scope
	Fold   Fold
	Labels []Label

	// Buckets are the upper bounds of a Histogram, without +Inf.
	Buckets []float64
	// Snapshot marks a histogram of what exists now: its counts go down, rate() on it is nonsense.
	Snapshot bool
	// Refreshed marks a value that is served from a snapshot instead of being read at each scrape.
	Refreshed bool
	// OnFailure marks the few metrics that are told even when their collector fails: only those named *_up.
	OnFailure bool
}

// FullHelp is the HELP line: the sentence, then scope, source and how fresh the value is.
func (m *Metric) FullHelp() string {
	var b strings.Builder
	b.WriteString(m.Help)
	b.WriteString(" (scope: " + m.Scope.String() + "; source: " + m.Source)
	if m.Refreshed {
		b.WriteString("; refreshed")
	}
	if m.Snapshot {
		b.WriteString("; snapshot, do not use rate()")
	}
	b.WriteString(")")
	return b.String()
}
