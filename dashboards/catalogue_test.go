// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// foreign are the metrics of others that boards may ask for: Prometheus's own, and those of the exporter's process.
var foreign = []string{"up", "process_cpu_seconds_total", "process_resident_memory_bytes", "ALERTS"}

// ofEverySeries are labels that Prometheus adds, and the module that the examples' scrape configuration adds to probes.
var ofEverySeries = []string{"job", "instance", "module", "le", "pod"}

// notShown are the metrics that no board asks for, and why.
var notShown = map[string]string{
	"ejabberd_upload_added_files_total":                   "bytes are shown, files tell nothing more",
	"ejabberd_upload_removed_files_total":                 "bytes are shown",
	"ejabberd_upload_files":                               "bytes and ages are shown",
	"ejabberd_upload_file_size_bytes":                     "what accounts store is shown, which the quota counts",
	"ejabberd_upload_orphan_accounts":                     "what they left behind is shown",
	"ejabberd_sessions_per_account":                       "the mean is shown",
	"ejabberd_process_start_time_seconds":                 "restarts are annotations, of the uptime",
	"ejabberd_archive_oldest_timestamp_seconds":           "shown by store, over all domains",
	"ejabberd_offline_oldest_timestamp_seconds":           "shown by store, over all domains",
	"ejabberd_cluster_node_up":                            "nodes are shown by state",
	"ejabberd_cluster_node_uptime_seconds":                "restarts are annotations",
	"probe_ssl_earliest_cert_expiry":                      "each certificate is shown",
	"probe_xmpp_certificate_not_before_timestamp_seconds": "when it ends matters",
	"probe_xmpp_sasl_mechanism_offered":                   "changes with the configuration alone",
	"probe_xmpp_channel_binding_offered":                  "changes with the configuration alone",
	"probe_xmpp_retries":                                  "a detail for /probe?debug=true",
	"probe_xmpp_s2s_external":                             "needs a certificate of the probe's own",
	"probe_xmpp_dns_min_ttl_seconds":                      "a detail of the zone",
	"probe_xmpp_srv_targets":                              "SRV records are shown",
	"probe_xmpp_ping_success":                             "its duration is shown",
	"probe_xmpp_components_failed":                        "fails probe_success",
	"probe_xmpp_abuse_contact":                            "changes with the configuration alone",
	"probe_xmpp_block_listed":                             "check_xmpp_login warns of it",
	"probe_xmpp_messages_lost":                            "fails probe_success",
	"probe_xmpp_upload_max_file_size_bytes":               "changes with the configuration alone",
	"probe_xmpp_exposed_open":                             "fails probe_success",
}

// asked is a query as it stands in a board, with the variables in it.
type asked struct{ board, panel, expr string }

// allQueries are those of panels and annotations, and the selectors of variables.
func allQueries() []asked {
	var all []asked
	for _, b := range boards() {
		for _, p := range b.panels() {
			for _, q := range p.show {
				all = append(all, asked{b.name, p.title, q.expr})
			}
		}
		for _, a := range annotations() {
			expr, _ := a.Target["expr"].(string)
			all = append(all, asked{b.name, a.Name, expr})
		}
		for _, v := range variables(b.hosts) {
			if inner, ok := strings.CutPrefix(*v.Query.String, "label_values("); ok {
				all = append(all, asked{b.name, "$" + v.Name, inner[:strings.LastIndex(inner, ",")]})
			}
		}
	}
	return all
}

// TestQueriesKnowTheCatalogue: every name and label exists, and is used as its declaration allows.
func TestQueriesKnowTheCatalogue(t *testing.T) {
	for _, q := range allQueries() {
		for _, complaint := range judge(q.expr) {
			t.Errorf("%s, %s: %s\n%s", q.board, q.panel, complaint, q.expr)
		}
	}
}

// TestJudgeSays proves that it can say no.
func TestJudgeSays(t *testing.T) {
	for expr, want := range map[string]string{
		`sum(ejabberd_sesions)`:                                               "ejabberd_sesions does not exist",
		`ejabberd_up{vhost="a"}`:                                              "has no label vhost",
		`sum by (host) (ejabberd_logins_total)`:                               "no metric here has the label host",
		`sum(ejabberd_sessions{job=~"$job"})`:                                 "max without (instance",
		`max by (vhost) (ejabberd_sessions)`:                                  "max without (instance",
		`max without (instance, pod) (ejabberd_accounts_created)`:             "names no window",
		`max without (instance, pod) (ejabberd_accounts_active{window="2d"})`: "2d is no window",
		`rate(ejabberd_session_age_seconds_bucket[2m])`:                       "is a snapshot",
		`ejabberd_logins_total`:                                               "is a counter",
		`rate(ejabberd_erlang_processes[2m])`:                                 "is a gauge",
		`ejabberd_session_age_seconds`:                                        "is a histogram",
		`ejabberd_up_bucket`:                                                  "does not exist",
		`ejabberd_s2s_connections{direction="up"}`:                            "up is no direction",
		`rate(ejabberd_logins_total[5m])`:                                     "[$__rate_interval]",
		`sum(`:                                                                "parse",
		`max without (instance) (ejabberd_accounts_created{window=~"1h|1w"})`: "1w is no window",
	} {
		if said := strings.Join(judge(expr), "; "); !strings.Contains(said, want) {
			t.Errorf("%s: says %q, want %q", expr, said, want)
		}
	}
}

func parse(expr string) (parser.Expr, error) {
	return parser.NewParser(parser.Options{}).ParseExpr(strings.ReplaceAll(expr, "$__rate_interval", "2m"))
}

// judge says what is wrong with a query.
func judge(expr string) (complaints []string) {
	say := func(parts ...string) { complaints = append(complaints, strings.Join(parts, " ")) }
	tree, err := parse(expr)
	if err != nil {
		return []string{"it does not parse: " + err.Error()}
	}
	if strings.Contains(strings.NewReplacer("[$__rate_interval]", "", "[30d]", "", month, "", seldom, "", walks, "").Replace(expr), "[") {
		say("the only ranges are [$__rate_interval], a month, that of the hourly probe and that of the walk through the uploads")
	}
	known := slices.Clone(ofEverySeries)
	parser.Inspect(tree, func(node parser.Node, path []parser.Node) error {
		selected, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		names := named(selected)
		for _, name := range names {
			known = append(known, judgeSelector(name, selected, path, say)...)
		}
		return nil
	})
	parser.Inspect(tree, func(node parser.Node, _ []parser.Node) error {
		if aggregate, ok := node.(*parser.AggregateExpr); ok {
			for _, label := range aggregate.Grouping {
				if !slices.Contains(known, label) {
					say("no metric here has the label", label)
				}
			}
		}
		return nil
	})
	return complaints
}

// named are the names that a selector asks for: variables ask for one of several.
func named(selected *parser.VectorSelector) []string {
	if selected.Name != "" {
		return []string{selected.Name}
	}
	for _, m := range selected.LabelMatchers {
		if m.Name == model.MetricNameLabel {
			return m.SetMatches()
		}
	}
	return nil
}

// judgeSelector says what is wrong with one selector, and returns the labels that its metric has.
func judgeSelector(name string, selected *parser.VectorSelector, path []parser.Node, say func(...string)) []string {
	if slices.Contains(foreign, name) {
		return []string{"version"}
	}
	m := catalogue[name]
	bucket := false
	if m == nil {
		if base, ok := strings.CutSuffix(name, "_bucket"); ok && catalogue[base] != nil && catalogue[base].Kind == metric.Histogram {
			m, bucket = catalogue[base], true
		}
	}
	if m == nil {
		say(name, "does not exist: docs/metrics.md has the names")
		return nil
	}
	inVariable := selected.Name == ""
	judgeLabels(m, selected, inVariable, say)
	if !inVariable {
		judgeUse(m, bucket, path, say)
	}
	var has []string
	for _, l := range m.Labels {
		has = append(has, l.Name)
	}
	return has
}

func judgeLabels(m *metric.Metric, selected *parser.VectorSelector, inVariable bool, say func(...string)) {
	matched := map[string]*labels.Matcher{}
	for _, matcher := range selected.LabelMatchers {
		matched[matcher.Name] = matcher
		if matcher.Name == model.MetricNameLabel || slices.Contains(ofEverySeries, matcher.Name) {
			continue
		}
		i := slices.IndexFunc(m.Labels, func(l metric.Label) bool { return l.Name == matcher.Name })
		if i < 0 {
			say(m.Name, "has no label", matcher.Name)
			continue
		}
		values := m.Labels[i].Values()
		if values == nil || strings.HasPrefix(matcher.Value, "$") {
			continue
		}
		asksFor := []string{matcher.Value}
		if matcher.Type == labels.MatchRegexp || matcher.Type == labels.MatchNotRegexp {
			if asksFor = matcher.SetMatches(); asksFor == nil && !slices.ContainsFunc(values, matcher.Matches) {
				say(matcher.Value, "matches no", matcher.Name)
			}
		}
		for _, value := range asksFor {
			if !slices.Contains(values, value) {
				say(value, "is no", matcher.Name)
			}
		}
	}
	if hasLabel(m, "window") && matched["window"] == nil && !inVariable {
		say(m.Name, "names no window: windows contain each other")
	}
}

func judgeUse(m *metric.Metric, bucket bool, path []parser.Node, say func(...string)) {
	function, deduplicated := "", false
	for _, node := range path {
		switch node := node.(type) {
		case *parser.Call:
			function = node.Func.Name
		case *parser.AggregateExpr:
			if (node.Op == parser.MAX || node.Op == parser.MIN) && node.Without && slices.Contains(node.Grouping, "instance") {
				deduplicated = true
			}
		}
	}
	counts := slices.Contains([]string{"rate", "increase"}, function)
	switch {
	case m.Kind == metric.Histogram && !bucket:
		say(m.Name, "is a histogram: ask for its buckets")
	case m.Snapshot && counts:
		say(m.Name, "is a snapshot, which goes down:", function, "on it is nonsense")
	case m.Kind == metric.Counter && !counts, m.Kind == metric.Histogram && !m.Snapshot && !counts:
		say(m.Name, "is a counter: it wants rate()")
	case m.Kind == metric.Gauge && counts:
		say(m.Name, "is a gauge:", function, "on it is nonsense")
	}
	if m.Scope != metric.Node && m.Scope != metric.Probe && !deduplicated {
		say(m.Name, "is told alike by every node of a cluster: max without (instance, pod)")
	}
}

// TestEverythingIsShown: a metric that no board has is one that nobody will see.
func TestEverythingIsShown(t *testing.T) {
	shown := map[string]bool{}
	for _, q := range allQueries() {
		tree, err := parse(q.expr)
		if err != nil {
			t.Fatal(err)
		}
		parser.Inspect(tree, func(node parser.Node, _ []parser.Node) error {
			if selected, ok := node.(*parser.VectorSelector); ok {
				shown[strings.TrimSuffix(selected.Name, "_bucket")] = true
			}
			return nil
		})
	}
	for _, name := range slices.Sorted(maps.Keys(catalogue)) {
		switch why, excused := notShown[name]; {
		case !shown[name] && !excused:
			t.Errorf("no board shows %s: add it to one, or say in notShown why not", name)
		case shown[name] && excused:
			t.Errorf("%s is shown, though notShown says %q", name, why)
		}
	}
	for name := range notShown {
		declared(name)
	}
}
