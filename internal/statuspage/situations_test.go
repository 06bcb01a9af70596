// SPDX-License-Identifier: Apache-2.0

package statuspage

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/database"
	"github.com/chapril/ejabberd_exporter/internal/ejabberd"
	"github.com/chapril/ejabberd_exporter/internal/exposition"
	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/probes"
)

// now is when the pages of the tests are written.
var now = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)

// number is a number of a collector or a probe.
type number struct {
	name   string
	value  float64
	labels []string
}

// n reads `name{label,label}`.
func n(series string, value float64) number {
	name, labels, found := strings.Cut(strings.TrimSuffix(series, "}"), "{")
	if !found {
		return number{name: name, value: value}
	}
	return number{name, value, strings.Split(labels, ",")}
}

func vhostNumbers(vhost string, scale float64) []number {
	of := func(name string, value float64) number { return n(strings.Replace(name, "V", vhost, 1), value*scale) }
	return []number{
		of("ejabberd_accounts{V}", 1200), of("ejabberd_accounts_created{V,7d}", 14), of("ejabberd_accounts_never_logged_in{V}", 90),
		of("ejabberd_accounts_active{V,1d}", 260), of("ejabberd_accounts_active{V,7d}", 410), of("ejabberd_accounts_active{V,30d}", 600),
		of("ejabberd_accounts_active{V,90d}", 720), of("ejabberd_accounts_active{V,365d}", 980),
		of("ejabberd_sessions{V}", 310), of("ejabberd_accounts_online{V}", 240),
		of("ejabberd_session_connections{V,c2s_tls,ip4}", 200), of("ejabberd_session_connections{V,c2s_tls,ip6}", 100), of("ejabberd_session_connections{V,websocket,ip4}", 10),
		of("ejabberd_upload_files{V}", 5400), of("ejabberd_upload_bytes{V}", 9<<30), of("ejabberd_upload_accounts{V}", 300),
		of("ejabberd_upload_files_expired{V}", 0), of("ejabberd_upload_scan_errors{V}", 0),
		of("ejabberd_upload_accounts_over_quota{V,hard}", 2), of("ejabberd_upload_accounts_near_quota{V,hard}", 5),
		n("ejabberd_upload_quota_bytes{"+vhost+",soft}", 160<<20), n("ejabberd_upload_quota_bytes{"+vhost+",hard}", 200<<20),
		n("ejabberd_upload_retention_seconds{"+vhost+"}", 365*86400), of("ejabberd_muc_rooms_online{V}", 12), of("ejabberd_offline_messages{V}", 77),
		n("ejabberd_certificate_not_before_timestamp_seconds{c2s,"+vhost+"}", float64(now.AddDate(0, 0, -30).Unix())),
		n("ejabberd_certificate_not_after_timestamp_seconds{c2s,"+vhost+"}", float64(now.AddDate(0, 0, 60).Unix())),
		n("ejabberd_certificate_matches_file{c2s,"+vhost+"}", 1),
	}
}

// serverNumbers are those without a vhost.
var serverNumbers = []number{
	n("ejabberd_up", 1), n("ejabberd_info{23.01-1,mail.example.org}", 1), n("ejabberd_uptime_seconds", 12*86400), n("ejabberd_exporter_config_stale", 0),
	n("ejabberd_s2s_connections{in}", 41), n("ejabberd_s2s_connections{out}", 38), n("ejabberd_cluster_nodes{running}", 1),
	n("ejabberd_listener_up{5222,ip4}", 1), n("ejabberd_listener_up{5222,ip6}", 1), n("ejabberd_listener_up{5269,ip4}", 1),
	n("ejabberd_listener_connections{5222,ip4}", 200), n("ejabberd_listener_connections{5222,ip6}", 110), n("ejabberd_listener_connections{5269,ip4}", 41),
	n("ejabberd_upload_filesystem_size_bytes{1}", 100<<30), n("ejabberd_upload_filesystem_avail_bytes{1}", 55<<30),
	n("ejabberd_database_up{ejabberd}", 1), n("ejabberd_database_size_bytes{ejabberd}", 1.5*(1<<30)), n("ejabberd_database_connection_limit{ejabberd}", 97),
	n("ejabberd_database_connections{ejabberd,ejabberd}", 10), n("ejabberd_database_pool_expected{ejabberd}", 10),
	n("ejabberd_database_table_size_bytes{ejabberd,archive}", 1<<30), n("ejabberd_database_table_size_bytes{ejabberd,spool}", 1<<20),
}

// some are the collectors of the tests, so that a new one does not change every page here.
var some = []collector.Definition{
	collector.Server, collector.Cluster, collector.Accounts, collector.Activity, collector.Sessions, collector.Online, collector.Connections,
	collector.S2S, collector.Listeners, collector.Certificates, collector.UploadTree, collector.UploadLimits, collector.UploadFilesystem,
	collector.Rooms, collector.Offline, collector.DatabaseServer, collector.Tables, collector.Findings,
}

// healthy is a service with these vhosts where all is well.
func healthy(vhosts ...string) Facts {
	numbers := slices.Clone(serverNumbers)
	for i, vhost := range vhosts {
		numbers = append(numbers, vhostNumbers(vhost, float64(len(vhosts)-i))...)
	}
	f := Facts{
		Now: now, Version: "1.2.3", Vhosts: vhosts, Targets: vhosts, Metrics: "/metrics",
		Ports: map[string]string{"5222": "clients", "5269": "servers"},
	}
	bounds := metric.Bounds{}
	bounds.Bind("vhost", 0, vhosts...)
	bounds.Bind("name", 0, vhosts...)
	bounds.Bind("database", 0, "ejabberd")
	bounds.Bind("port", 0, "5222", "5269")
	for _, d := range some {
		set := metric.NewSet(bounds)
		fill(set, d.Metrics, numbers)
		if d.Name == collector.UploadTree.Name {
			for _, vhost := range vhosts {
				store(set, d.Metrics, vhost)
			}
		}
		f.Collectors = append(f.Collectors, collector.State{Definition: d, Set: set, Good: now.Add(-12 * time.Second), Every: 10 * time.Second})
	}
	for _, d := range []collector.Definition{collector.Orphans, collector.UploadOrphans} {
		f.Disabled = append(f.Disabled, Disabled{d, "switched off: --collector." + d.Name + " switches it on"})
	}
	return f
}

func fill(set *metric.Set, metrics []*metric.Metric, numbers []number) {
	for _, m := range metrics {
		for _, n := range numbers {
			if n.name == m.Name {
				set.Add(m, n.value, n.labels...)
			}
		}
	}
}

// store makes accounts with 3, 120 and 250 MiB.
func store(set *metric.Set, metrics []*metric.Metric, vhost string) {
	for _, m := range metrics {
		if m.Name == "ejabberd_upload_account_bytes" {
			set.ObserveN(m, 3<<20, 200, vhost)
			set.ObserveN(m, 120<<20, 98, vhost)
			set.ObserveN(m, 250<<20, 2, vhost)
		}
	}
}

// change alters the state of some collectors.
func (f Facts) change(how func(*collector.State), names ...string) Facts {
	f.Collectors = slices.Clone(f.Collectors)
	for i := range f.Collectors {
		if slices.Contains(names, f.Collectors[i].Name) {
			how(&f.Collectors[i])
		}
	}
	return f
}

// failing makes collectors fail that never worked; rest is what they say all the same.
func (f Facts) failing(err error, rest []number, names ...string) Facts {
	return f.change(func(s *collector.State) {
		bounds := metric.Bounds{}
		bounds.Bind("database", 0, "ejabberd")
		set := metric.NewSet(bounds)
		fill(set, s.Metrics, rest)
		s.Set, s.Err, s.Good = set, err, time.Time{}
	}, names...)
}

// from are the collectors of a source.
func from(source collector.Source) (names []string) {
	for _, d := range some {
		if d.Source == source {
			names = append(names, d.Name)
		}
	}
	return names
}

// sight is what a probe saw, with an endpoint for each family.
func sight(module, target string, err error, endpoints ...probes.Endpoint) exposition.Sight {
	set := metric.NewSet(nil)
	report := &probes.Report{Set: set, Endpoints: endpoints}
	p := probes.C2S()
	for _, e := range endpoints {
		if !e.Works && !e.Untestable {
			fill(set, p.Metrics, []number{n(fmt.Sprintf("probe_xmpp_failure_info{%s,%s}", e.Phase, e.Reason), 1)})
			report.Note(probes.Critical, e.Host, "text of a stranger")
		}
	}
	fill(set, p.Metrics, []number{n("probe_ssl_earliest_cert_expiry", float64(now.AddDate(0, 0, 60).Unix()))})
	return exposition.Sight{
		Module: module, Help: p.Help, Target: target, Report: report, Err: err,
		Good: err == nil && report.Worst() == probes.OK, Began: now.Add(-40 * time.Second),
	}
}

func endpoint(family, phase, reason string) probes.Endpoint {
	return probes.Endpoint{
		Service: "xmpp-client", Host: "xmpp.example.org", Port: 5222, Family: family, Works: reason == "", Phase: phase, Reason: reason,
	}
}

var errNoAnswer = fmt.Errorf("ejabberd status: connection refused: %w", ejabberd.ErrUnreachable)

// situations are what the pages of testdata show.
func situations() map[string]Facts {
	two := healthy("example.org", "example.net")
	two.Configured = true
	two.Sights = []exposition.Sight{
		sight("c2s", "example.org", nil, endpoint("ip4", "", ""), endpoint("ip6", "", "")),
		sight("c2s", "example.net", nil, endpoint("ip4", "", "")),
	}
	all := map[string]Facts{"healthy": two}

	down := two.failing(errNoAnswer, []number{n("ejabberd_up", 0)}, append(from(collector.API), "activity", "banned")...)
	all["ejabberd_down"] = down.change(func(s *collector.State) {
		s.Set = metric.NewSet(metric.Bounds{"port": {"5222": "5222", "5269": "5269"}})
		fill(s.Set, s.Metrics, []number{n("ejabberd_listener_up{5222,ip4}", 0), n("ejabberd_listener_up{5269,ip4}", 0)})
	}, "listeners").failing(errors.New("no certificate is served: no answer on port 5222"), nil, "certificates")

	denied := &database.Error{Database: "ejabberd", SQLState: "42501"}
	role := two.failing(denied, []number{n("ejabberd_database_up{ejabberd}", 1)}, from(collector.Database)...)
	role = role.failing(fmt.Errorf("upload docroot: %w: let the exporter list it: `ejabberd_exporter --check` prints the lines for systemd", fs.ErrPermission), nil, "uploads", "upload_filesystem")
	role.Remedies = []Remedy{{"For PostgreSQL", "GRANT SELECT (username) ON users TO ejabberd_exporter;\n"}}
	all["role_missing"] = role

	all["stale"] = two.change(func(s *collector.State) {
		s.Stale, s.Err, s.Good = true, errors.New("PostgreSQL database ejabberd: no connection left for the exporter"), now.Add(-17*time.Minute)
	}, "accounts").change(func(s *collector.State) {
		s.Set, s.Good, s.Running = nil, time.Time{}, true
	}, "uploads").change(func(s *collector.State) { s.Set, s.Running = nil, true }, "s2s")

	failing := two
	refused := &probes.Failure{Phase: probes.Auth, Reason: probes.Refused, Err: errors.New("text of a stranger")}
	failing.Sights = []exposition.Sight{
		sight("c2s", "example.org", nil, endpoint("ip4", "", ""), endpoint("ip6", probes.Connect, probes.Timeout)),
		sight("c2s", "example.net", nil, endpoint("ip4", probes.Connect, probes.Timeout)),
		sight("login", "example.org", refused, endpoint("ip4", "", "")),
		sight("echo", "example.org", errors.New("text of a stranger")),
		sight("upload", "", probes.ErrOtherDomain),
		{Module: "s2s", Help: probes.S2S().Help, Target: "example.org", Running: true},
		sight("web", "example.org", nil, probes.Endpoint{Service: "bosh", Host: "xmpp.example.org", Port: 443, Family: "ip6", Untestable: true}),
	}
	all["probe_failing"] = failing

	only := Facts{Now: now, Version: "1.2.3", ProbeOnly: true, Metrics: "/metrics", Targets: []string{"example.org"}}
	for _, d := range some {
		only.Collectors = append(only.Collectors, collector.State{Definition: d, Err: fmt.Errorf("%w: no ejabberd on this host", collector.ErrOff)})
	}
	all["nothing_watched"] = only
	only.Configured, only.Sights = true, two.Sights[:1]
	all["probe_only"] = only

	all["no_vhosts"] = healthy()

	var many []string
	for i := range 20 {
		many = append(many, fmt.Sprintf("host-%02d.example.org", i))
	}
	crowd := healthy(many...)
	crowd.Configured, crowd.LeftOut = true, 3
	for i, vhost := range many {
		e := endpoint("ip4", "", "")
		if i%9 == 8 {
			e = endpoint("ip4", probes.Handshake, probes.Certificate)
		}
		crowd.Sights = append(crowd.Sights, sight("c2s", vhost, nil, e))
	}
	all["20_vhosts"] = crowd

	all["running_out"] = runningOut(two)
	return all
}

// runningOut is a service of which everything is about to end.
func runningOut(f Facts) Facts {
	bounds := metric.Bounds{"vhost": {"example.org": "example.org"}, "name": {"example.org": "example.org"}, "database": {"ejabberd": "ejabberd"}}
	numbers := append(vhostNumbers("example.org", 1), n("ejabberd_up", 1), n("ejabberd_exporter_config_stale", 1),
		n("ejabberd_upload_filesystem_size_bytes{1}", 100<<30), n("ejabberd_upload_filesystem_avail_bytes{1}", 1<<30),
		n("ejabberd_upload_filesystem_inodes{1}", 1000000), n("ejabberd_upload_filesystem_inodes_free{1}", 70000),
		n("ejabberd_database_connection_limit{ejabberd}", 97), n("ejabberd_database_connections{ejabberd,ejabberd}", 90),
		n("ejabberd_database_pool_expected{ejabberd}", 100), n("ejabberd_cluster_node_up{second.example.org}", 0),
		n("ejabberd_config_finding{api_open}", 1), n("ejabberd_config_finding{backlog_small}", 1), n("ejabberd_config_finding{sweep_late}", 1), n("ejabberd_config_finding{log_wiped}", 0))
	for i := range numbers {
		switch numbers[i].name {
		case "ejabberd_certificate_not_after_timestamp_seconds":
			numbers[i].value = float64(now.AddDate(0, 0, 2).Unix())
		case "ejabberd_certificate_matches_file":
			numbers[i].value = 0
		case "ejabberd_upload_files_expired", "ejabberd_upload_scan_errors":
			numbers[i].value = 1
		}
	}
	var names []string
	for _, d := range some {
		names = append(names, d.Name)
	}
	return f.change(func(s *collector.State) {
		s.Set = metric.NewSet(bounds)
		fill(s.Set, s.Metrics, numbers)
		if s.Name == collector.UploadTree.Name {
			store(s.Set, s.Metrics, "example.org")
		}
	}, names...)
}
