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

// minStep is the shortest step of queries with $__rate_interval, which Grafana makes four times as long. The examples scrape the
// exporter every 30 seconds; Grafana's default of 15 would leave one sample in the interval now and then, and no line.
const minStep = "30s"

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
	return m.Name + suffix + "{" + strings.Join(append(all, matchers...), ", ") + "}"
}

// gauge is what a gauge says now.
func gauge(name string, matchers ...string) string {
	m := declared(name)
	return once(m, selector(m, "", matchers))
}

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

// bucketRate is how fast the buckets of a histogram that counts grow.
func bucketRate(name string, matchers ...string) string {
	m := declared(name)
	return once(m, "rate("+selector(m, "_bucket", matchers)+"[$__rate_interval])")
}

// once takes a number once that all nodes of a cluster tell alike. The label pod is what Kubernetes adds.
func once(m *metric.Metric, expr string) string {
	if m.Scope == metric.Node || m.Scope == metric.Probe {
		return expr
	}
	return "max without (instance, pod) (" + expr + ")"
}

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
