// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"

	"github.com/chapril/ejabberd_exporter/internal/ejabberd"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var (
	collectorLabel = metric.BoundTo("collector")
	commandLabel   = metric.OneOf("command", slices.Concat(ejabberd.Commands())...)
)

// What the exporter says of itself.
var (
	success = &metric.Metric{
		Name: "ejabberd_exporter_collector_success", Source: "exporter", Labels: []metric.Label{collectorLabel},
		Help: "Whether the collector's last finished run succeeded, or 0 where it did not answer before the deadline",
	}
	duration = &metric.Metric{
		Name: "ejabberd_exporter_collector_duration_seconds", Source: "exporter", Labels: []metric.Label{collectorLabel},
		Help: "How long the collector's last finished run took",
	}
	lastSuccess = &metric.Metric{
		Name: "ejabberd_exporter_collector_last_success_timestamp_seconds", Source: "exporter", Labels: []metric.Label{collectorLabel},
		Help: "When the collector's last successful run ended",
	}
	refreshInterval = &metric.Metric{
		Name: "ejabberd_exporter_collector_refresh_interval_seconds", Source: "exporter", Labels: []metric.Label{collectorLabel},
		Help: "How often a refreshed collector runs at most, stretched so that its runs use at most 1 % of the time",
	}
	apiRequests = &metric.Metric{
		Name: "ejabberd_exporter_api_requests_total", Source: "exporter", Kind: metric.Counter,
		Labels: []metric.Label{commandLabel, metric.Like("code", `[1-5][0-9][0-9]|error|timeout`)},
		Help:   "Requests to ejabberd's admin API by command and HTTP status",
	}
	apiSeconds = &metric.Metric{
		Name: "ejabberd_exporter_api_request_seconds_total", Source: "exporter", Kind: metric.Counter,
		Labels: []metric.Label{commandLabel},
		Help:   "Time spent waiting for ejabberd's admin API by command",
	}
	buildInfo = &metric.Metric{
		Name: "ejabberd_exporter_build_info", Source: "exporter",
		Labels: []metric.Label{
			metric.Like("version", `[0-9A-Za-z.+~-]{1,40}`), metric.Like("revision", `[0-9a-z-]{1,48}`), metric.Like("goversion", `go[0-9A-Za-z.+: -]{1,40}`),
		},
		Help: "Always 1; the labels say what was built",
	}
)

// SelfMetrics are the metrics that the Exporter adds to those of the collectors.
var SelfMetrics = []*metric.Metric{success, duration, lastSuccess, refreshInterval, apiRequests, apiSeconds, buildInfo}

// report says how the collector fares.
func (f *flight) report(t taken, out *metric.Set) {
	name := f.definition.Name
	switch {
	case t.late:
		out.Add(success, 0, name)
		return
	case t.last == nil, t.last.off():
		return
	case t.last.err == nil:
		out.Add(success, 1, name)
	default:
		out.Add(success, 0, name)
	}
	out.Add(duration, t.last.took.Seconds(), name)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.good != nil {
		out.Add(lastSuccess, float64(f.good.end.UnixMilli())/1000, name)
	}
	if f.definition.Refresh > 0 {
		out.Add(refreshInterval, f.interval().Seconds(), name)
	}
}

// reportSelf adds what is known without any collector.
func (e *Exporter) reportSelf(out *metric.Set) {
	out.Add(buildInfo, 1, e.build.Version, e.build.Revision, e.build.GoVersion)
	api := e.sources.Load().API
	if api == nil {
		return
	}
	for _, c := range api.Requests() {
		out.Add(apiRequests, float64(c.N), c.Command, c.Code)
		out.Add(apiSeconds, c.Seconds, c.Command)
	}
}
