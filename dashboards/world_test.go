// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// world is where the histories of these tests happen: a server of two domains, whose series are those of the catalogue. Of labels
// with many values a few are enough.
var world = map[string][]string{
	"vhost":      {"example.org", "example.net"},
	"name":       {"example.org", "conference.example.org"},
	"target":     {"xmpp.example.org"},
	"port":       {"5222", "5223", "5269"},
	"srv":        {"xmpp-client", "xmpps-client", "xmpp-server"},
	"database":   {"ejabberd", "rooms"},
	"node":       {"localhost"},
	"peer":       {"example.com"},
	"version":    {"1.2", "1.3"},
	"revision":   {"none"},
	"goversion":  {"go1.26"},
	"code":       {"200"},
	"filesystem": {"1"},
	"command":    {"stats", "status"},
	"mechanism":  {"PLAIN", "SCRAM-SHA-1", "EXTERNAL", "dialback"},
	"phase":      {"resolve", "connect", "handshake"},
	"reason":     {"refused", "timeout", "dns", "quota", "expired", "too_large", "kernel"},
	"collector":  collectorNames(),
}

func collectorNames() (names []string) {
	for _, d := range collector.All {
		names = append(names, d.Name)
	}
	return names
}

// service of each port, since not every service is on every port.
var servicePort = map[string]string{"xmpp-client": "5222", "xmpps-client": "5223", "xmpp-server": "5269"}

// modules of the probes. The upload runs once an hour, in a job of its own.
var modules = []string{"c2s", "s2s", "upload"}

// has says which module tells of what: here, the upload tells what it tells alone, and what all do.
func has(module string, m *metric.Metric) bool {
	switch {
	case strings.HasPrefix(m.Name, "probe_xmpp_upload_"):
		return module == "upload"
	case module == "upload":
		return slices.Contains([]string{
			"probe_success", "probe_duration_seconds", "probe_xmpp_failure_info", "probe_xmpp_phase_duration_seconds",
		}, m.Name)
	}
	return true
}

// series is one of the world's.
type series struct {
	*metric.Metric
	labels map[string]string
	bucket float64 // upper bound, of a histogram
}

func (s *series) is(name string, labels ...string) bool {
	if s.Name != name {
		return false
	}
	for _, l := range labels {
		key, value, _ := strings.Cut(l, "=")
		if s.labels[key] != value {
			return false
		}
	}
	return true
}

// all are the series of the world.
func allSeries() (all []*series) {
	for _, name := range slices.Sorted(maps.Keys(catalogue)) {
		m := catalogue[name]
		for _, target := range targets(m) {
			for _, labels := range combinations(target, m.Labels) {
				all = append(all, withBuckets(&series{Metric: m, labels: labels})...)
			}
		}
	}
	return all
}

// secondNode is a further node of the cluster. It tells of the database and of its disk as well.
const secondNode = "127.0.0.2:9334"

// targets are the labels that Prometheus adds.
func targets(m *metric.Metric) (all []map[string]string) {
	switch m.Scope {
	case metric.Node, metric.Cluster:
		return []map[string]string{{"job": "ejabberd", "instance": "127.0.0.1:9334"}}
	case metric.Database, metric.Filesystem:
		return []map[string]string{{"job": "ejabberd", "instance": "127.0.0.1:9334"}, {"job": "ejabberd", "instance": secondNode}}
	}
	for _, domain := range world["vhost"] {
		for _, module := range modules {
			if !has(module, m) {
				continue
			}
			job := "xmpp"
			if module == "upload" {
				job = "xmpp-upload"
			}
			all = append(all, map[string]string{"job": job, "instance": domain, "module": module})
		}
	}
	return all
}

// combinations are all sets of values that the labels may have at once in this world.
func combinations(start map[string]string, labels []metric.Label) []map[string]string {
	all := []map[string]string{start}
	for _, label := range labels {
		var more []map[string]string
		for _, value := range valuesHere(label) {
			for _, known := range all {
				next := maps.Clone(known)
				next[label.Name] = value
				if here(next) {
					more = append(more, next)
				}
			}
		}
		all = more
	}
	return all
}

func valuesHere(label metric.Label) []string {
	chosen, declared := world[label.Name], label.Values()
	switch {
	case declared == nil:
		return chosen
	case chosen == nil:
		return declared
	}
	if both := slices.DeleteFunc(slices.Clone(chosen), func(v string) bool { return !slices.Contains(declared, v) }); len(both) > 0 {
		return both
	}
	return declared
}

// here says whether there is such a thing: a service is on its port, and a module looks at its services.
func here(labels map[string]string) bool {
	if srv, ok := labels["srv"]; ok {
		if port, told := labels["port"]; told && servicePort[srv] != port {
			return false
		}
		return (srv == "xmpp-server") == (labels["module"] == "s2s")
	}
	return true
}

func withBuckets(s *series) []*series {
	if s.Kind != metric.Histogram {
		return []*series{s}
	}
	var all []*series
	for _, bound := range append(slices.Clone(s.Buckets), math.Inf(1)) {
		labels := maps.Clone(s.labels)
		labels["le"] = strconv.FormatFloat(bound, 'g', -1, 64)
		all = append(all, &series{Metric: s.Metric, labels: labels, bucket: bound})
	}
	return all
}

// moment is a time of the day that is told, and the time in all.
type moment struct {
	of time.Duration // since midnight
	at float64       // Unix time
}

func (m moment) hours() float64 { return m.of.Hours() }

// nothing is a sample that is not there.
var nothing = math.NaN()

const day = 24 * time.Hour

// usual is what a series says on a day without events.
func usual(s *series, m moment) float64 {
	tide := 1 + math.Sin((m.hours()-10)/24*2*math.Pi) // 0 at 4 in the morning, 2 at 16
	steady, known := plain[s.Name]
	switch {
	case s.is("probe_duration_seconds", "job=blackbox"):
		return 30
	case s.labels["job"] == "node", s.labels["job"] == "blackbox":
		return 0 // what others look at is down, and none of our business
	case s.is("probe_xmpp_failure_info"):
		return nothing
	case s.is("probe_xmpp_tls_legacy_accepted", "version=1.1"):
		return 1 // since ever
	case known:
		return steady
	case s.is("ejabberd_sessions"), s.is("ejabberd_accounts_online"), s.is("ejabberd_session_connections", "connection=c2s_tls"):
		return math.Round(200 + 100*tide)
	case s.is("ejabberd_accounts_created", "window=1h"):
		return math.Round(tide)
	case s.is("ejabberd_database_connections", "role=ejabberd"):
		return 20
	case strings.HasSuffix(s.Name, "_not_after_timestamp_seconds"), s.is("probe_ssl_earliest_cert_expiry"):
		return m.at - m.of.Seconds() + 60*86400
	case strings.HasSuffix(s.Name, "_not_before_timestamp_seconds"):
		return m.at - m.of.Seconds() - 30*86400
	case s.is("ejabberd_process_start_time_seconds"):
		return m.at - m.of.Seconds() - 86400
	case strings.HasSuffix(s.Name, "_timestamp_seconds"):
		return m.at - 60
	case s.is("ejabberd_uptime_seconds"):
		return 86400 + m.of.Seconds()
	case s.Kind == metric.Histogram && s.Snapshot:
		return bucketed(s, 400)
	case s.Kind == metric.Histogram:
		return 0 // nothing was evicted
	case s.is("ejabberd_upload_removed_bytes_total", "reason=quota"), s.is("ejabberd_upload_removed_files_total", "reason=quota"):
		return 0
	case s.Kind == metric.Counter:
		return 1000 + m.of.Seconds()/60 // one a minute
	case strings.HasSuffix(s.Name, "_seconds"):
		return 0.05
	}
	return 1
}

// bucketed spreads a number evenly over the buckets.
func bucketed(s *series, number float64) float64 {
	at := slices.Index(s.Buckets, s.bucket)
	if at < 0 {
		return number
	}
	return math.Round(number * float64(at+1) / float64(len(s.Buckets)+1))
}

var plain = map[string]float64{
	"ejabberd_accounts":                                    1000,
	"ejabberd_accounts_active":                             600,
	"ejabberd_accounts_never_logged_in":                    100,
	"ejabberd_s2s_connections":                             40,
	"ejabberd_database_pool_expected":                      20,
	"ejabberd_database_connection_limit":                   97,
	"ejabberd_upload_filesystem_size_bytes":                100e9,
	"ejabberd_upload_filesystem_avail_bytes":               60e9,
	"ejabberd_upload_filesystem_inodes":                    1e6,
	"ejabberd_upload_filesystem_inodes_free":               8e5,
	"ejabberd_upload_accounts_over_quota":                  0,
	"ejabberd_upload_accounts_near_quota":                  3,
	"ejabberd_upload_quota_bytes":                          200e6,
	"ejabberd_upload_retention_seconds":                    365 * 86400,
	"ejabberd_process_open_fds":                            500,
	"ejabberd_process_max_fds":                             65536,
	"ejabberd_erlang_port_limit":                           32768,
	"ejabberd_erlang_processes":                            2000,
	"ejabberd_erlang_process_limit":                        262144,
	"ejabberd_exporter_config_stale":                       0,
	"ejabberd_config_finding":                              0,
	"probe_xmpp_tls_legacy_accepted":                       0,
	"ejabberd_upload_scan_errors":                          0,
	"ejabberd_upload_files_expired":                        0,
	"probe_xmpp_plain_before_tls":                          0,
	"probe_xmpp_certificate_names_uncovered":               0,
	"probe_xmpp_srv_unresolved":                            0,
	"ejabberd_exporter_collector_refresh_interval_seconds": 300,
}

func hourly(hours float64) time.Duration { return time.Duration(hours * float64(time.Hour)) }
