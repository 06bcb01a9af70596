// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// query is one query of a panel.
type query struct {
	expr   string
	legend string
	format format
}

type format int

const (
	instant format = iota // the state at the end of the time range, unknown if nothing is known then
	history               // one line
	rows                  // the state now, as rows of a table
	cells                 // buckets of a histogram
)

// minStep is the shortest step of queries with $__rate_interval, which Grafana makes four times as long. It goes before the Scrape
// interval of Grafana's data source, so it has to do for who scrapes every two minutes, as docs/privacy.md says one may: with less,
// there would be one sample in the interval, and no line.
const minStep = "1m"

func now(expr, legend string) query { return query{expr: expr, legend: legend, format: instant} }

func over(expr, legend string) query { return query{expr: expr, legend: legend, format: history} }

// selector picks a metric's series that the variables of the board ask for. Probes are told apart by domain: the examples' scrape
// configuration makes it their instance.
func selector(m *metric.Metric, suffix string, matchers []string) string {
	all := []string{`job=~"$job"`}
	if m.Scope == metric.Probe {
		all = append(all, `instance=~"$vhost"`)
	} else {
		all = append(all, `instance=~"$instance"`)
	}
	if hasLabel(m, "vhost") {
		all = append(all, `vhost=~"$vhost"`)
	}
	if m.Scope == metric.Probe && !strings.HasPrefix(m.Name, "probe_xmpp_") {
		all = append(all, ourProbes)
	}
	return m.Name + suffix + "{" + strings.Join(append(all, matchers...), ", ") + "}"
}

// gauge is what a gauge says now.
func gauge(name string, matchers ...string) string {
	m := declared(name)
	return once(m, selector(m, "", matchers))
}

// each is what a gauge says now on every node, for sums of several gauges: those are done before once takes one.
func each(name string, matchers ...string) string { return selector(declared(name), "", matchers) }

// seldom is how far back a probe is looked for that runs once an hour, as examples/prometheus.yml has it for uploads: twice, and some
// minutes. Prometheus looks back five minutes by itself. The alerts use the same.
const seldom = "[130m]"

// uploading is the module of that probe.
const uploading = `module="upload"`

// probed is what a gauge of all modules said when they last ran.
func probed(name string, matchers ...string) string {
	hourly := gauge(name, append([]string{uploading}, matchers...)...)
	return "(" + gauge(name, append([]string{`module!="upload"`}, matchers...)...) + " or " + latest(hourly) + ")"
}

// latest is what a probe said that runs once an hour.
func latest(selected string) string { return "last_over_time(" + selected + seldom + ")" }

// buckets are those of a histogram that is a snapshot.
func buckets(name string, matchers ...string) string {
	m := declared(name)
	return once(m, selector(m, "_bucket", matchers))
}

// rate is how fast a counter grows, per second.
func rate(name string, matchers ...string) string {
	m := declared(name)
	return once(m, "rate("+selector(m, "", matchers)+"[$__rate_interval])")
}

// The directory of the uploads is walked every 15 minutes, so what counts there stands still in between: over a shorter time its rate
// is 0 mostly, and a quantile of it nothing.
const walks = "[1h]"

// walkRate is how fast a counter grows that a walk counts.
func walkRate(name string, matchers ...string) string {
	m := declared(name)
	return once(m, "rate("+selector(m, "", matchers)+walks+")")
}

// walkBucketRate is how fast the buckets of such a histogram grow.
func walkBucketRate(name string, matchers ...string) string {
	m := declared(name)
	return once(m, "rate("+selector(m, "_bucket", matchers)+walks+")")
}

// once takes a number once that all nodes of a cluster tell alike. The label pod is what Kubernetes adds.
func once(m *metric.Metric, expr string) string {
	if m.Scope == metric.Node || m.Scope == metric.Probe {
		return expr
	}
	return most(expr)
}

// most is the most that any node of a cluster tells. A share is of one node: the most of one number and the most of another may be of
// two, and a full disk hides behind an empty one.
func most(expr string) string { return "max without (instance, pod) (" + expr + ")" }

// least is the least that any node tells.
func least(expr string) string { return "min without (instance, pod) (" + expr + ")" }

func sum(expr string) string { return "sum(" + expr + ")" }

func sumBy(labels, expr string) string { return fmt.Sprintf("sum by (%s) (%s)", labels, expr) }

func minOf(expr string) string { return "min(" + expr + ")" }

func minBy(labels, expr string) string { return fmt.Sprintf("min by (%s) (%s)", labels, expr) }

func maxOf(expr string) string { return "max(" + expr + ")" }

func maxBy(labels, expr string) string { return fmt.Sprintf("max by (%s) (%s)", labels, expr) }

// quantile reads a snapshot.
func quantile(q, by, bucketsExpr string) string {
	if by != "" {
		by = ", " + by
	}
	return fmt.Sprintf("histogram_quantile(%s, sum by (le%s) (%s))", q, by, bucketsExpr)
}

// perHour makes rates of rare things readable.
func perHour(expr string) string { return "3600 * " + expr }

// daysLeft is how many days there are until a moment.
func daysLeft(expr string) string { return "(" + expr + " - time()) / 86400" }

// age is how long ago a moment is.
func age(expr string) string { return "time() - " + expr }

// A month is looked back over without recording rules, so that it shows what was scraped before somebody thought of asking. Prometheus
// takes the steps of a subquery at round times: what is now is asked for beside it, or a fresh Prometheus would know nothing.
const month = "[30d:10m]"

// lastOfMonth is the latest of the times that a gauge told within a month, whatever its exporter has forgotten since.
func lastOfMonth(name string, matchers ...string) string {
	return "max_over_time(" + selector(declared(name), "", matchers) + "[30d])"
}

// hoursOfMonth is in how many hours of a month it was, of a time that is told to the hour.
func hoursOfMonth(name string, matchers ...string) string {
	return "changes(" + selector(declared(name), "", matchers) + "[30d]) + 1"
}

// seenInMonth is when an expression was last above 0.
func seenInMonth(expr string) string {
	seen := "timestamp(" + expr + " > 0)"
	return seen + " or max_over_time(" + seen + month + ")"
}

// daysSince is how many days ago a moment was.
func daysSince(expr string) string { return "(time() - (" + expr + ")) / 86400" }

// daysLooked is on how many days of a month an expression had a value, in steps of ten minutes.
func daysLooked(expr string) string {
	return "(count_over_time((" + expr + ")" + month + ") or 0 * (" + expr + ")) / 144"
}
