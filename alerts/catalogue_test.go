// SPDX-License-Identifier: Apache-2.0

package alerts_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/exposition"
	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/xmpp/sasl"
	"github.com/chapril/ejabberd_exporter/probes"
)

// targetLabels are those that a Prometheus configuration gives, as examples/prometheus.yml does.
var targetLabels = []string{"job", "instance", "module", "service", "pod"}

// TestRulesAskForWhatThereIs: metrics, labels and the values of closed labels are those of the catalogue.
func TestRulesAskForWhatThereIs(t *testing.T) {
	known, all := catalogue(), rules(t)
	for _, r := range all {
		expr := unfold(all, r.Expr)
		for _, how := range misuses(known, expr) {
			t.Errorf("%s: %s", r.name(), how)
		}
		for _, name := range recordedName.FindAllString(expr, -1) {
			t.Errorf("%s uses %s, which no rule records", r.name(), name)
		}
	}
}

// TestInputsAreWhatTheExporterSays: a rule that fires on invented series would never fire at home.
func TestInputsAreWhatTheExporterSays(t *testing.T) {
	known := catalogue()
	for path, f := range cases(t) {
		for _, group := range f.Tests {
			for _, input := range group.InputSeries {
				for _, how := range invented(known, input.Series) {
					t.Errorf("%s, %s: %s", path, group.Name, how)
				}
			}
		}
	}
}

// TestTheCatalogueSaysNo proves that the tests above can fail.
func TestTheCatalogueSaysNo(t *testing.T) {
	known := catalogue()
	for expr, want := range map[string]string{
		`ejabberd_down == 1`:                                         "does not exist",
		`ejabberd_accounts_created > 3`:                              "names no window",
		`ejabberd_accounts_active{window="2d"} > 3`:                  "window=2d",
		`ejabberd_sessions{host="x"} > 3`:                            "no label host",
		`sum by (room) (ejabberd_sessions)`:                          "nothing here has a label room",
		`ejabberd_database_up == 0`:                                  "two would alert twice",
		`rate(ejabberd_upload_file_size_bytes_bucket[5m])`:           "snapshot",
		`ejabberd_log_events_total{event=~"sql_error|nonsense"} > 0`: "event=nonsense",
	} {
		if said := strings.Join(misuses(known, expr), "\n"); !strings.Contains(said, want) {
			t.Errorf("%s: said %q, want %q", expr, said, want)
		}
	}
	if said := strings.Join(invented(known, `ejabberd_upload_slots_total{job="a", vhost="x"}`), "\n"); !strings.Contains(said, "vhost") {
		t.Errorf("said %q of an invented label", said)
	}
}

// catalogue has every series that the exporter shows, by name. Those of a histogram are three.
func catalogue() map[string]*metric.Metric {
	known := map[string]*metric.Metric{"up": {Name: "up"}}
	add := func(metrics []*metric.Metric) {
		for _, m := range metrics {
			known[m.Name] = m
			if m.Kind == metric.Histogram {
				known[m.Name+"_bucket"], known[m.Name+"_sum"], known[m.Name+"_count"] = m, m, m
			}
		}
	}
	for _, d := range collector.All {
		add(d.Metrics)
	}
	add(collector.SelfMetrics)
	add(exposition.ProbeMetrics)
	for _, p := range probes.All(sasl.Authenticate) {
		add(p.Metrics)
	}
	return known
}

var (
	selector     = regexp.MustCompile(`\b((?:ejabberd|probe)_[a-z0-9_]+|up)\b(?:\{([^}]*)\})?`)
	matcher      = regexp.MustCompile(`(\w+) *(=~|!~|!=|=) *"([^"]*)"`)
	grouping     = regexp.MustCompile(`\b(?:by|without|on|ignoring|group_left) \(([^)]*)\)`)
	recordedName = regexp.MustCompile(`\b[a-z_]+:[a-z0-9_]+:[a-z0-9]+\b`)
	rated        = regexp.MustCompile(`\b(?:rate|irate|increase|resets)\(((?:ejabberd|probe)_[a-z0-9_]+)`)
)

// misuses says what in an expression is not as the catalogue has it.
func misuses(known map[string]*metric.Metric, expr string) (how []string) {
	labels := map[string]bool{}
	for _, found := range selector.FindAllStringSubmatch(expr, -1) {
		m := known[found[1]]
		if m == nil {
			how = append(how, found[1]+" does not exist")
			continue
		}
		if m.Scope != metric.Node && m.Scope != metric.Probe && !strings.Contains(expr, "without (instance") {
			how = append(how, found[1]+" is the same on every exporter of a cluster: two would alert twice without max without (instance, pod)")
		}
		for _, l := range m.Labels {
			labels[l.Name] = true
			if l.Name == "window" && !strings.Contains(found[2], "window=") {
				how = append(how, found[1]+" names no window")
			}
		}
		for _, condition := range matcher.FindAllStringSubmatch(found[2], -1) {
			how = append(how, wrongLabel(m, condition[1], strings.Split(condition[3], "|")...)...)
		}
	}
	for _, found := range grouping.FindAllStringSubmatch(expr, -1) {
		for label := range strings.SplitSeq(found[1], ",") {
			if label = strings.TrimSpace(label); label != "" && !labels[label] && !slices.Contains(targetLabels, label) {
				how = append(how, "nothing here has a label "+label)
			}
		}
	}
	for _, found := range rated.FindAllStringSubmatch(expr, -1) {
		if m := known[found[1]]; m != nil && m.Snapshot {
			how = append(how, found[1]+" is a snapshot, which has no rate")
		}
	}
	return how
}

// invented says what in a series is not as the exporter has it.
func invented(known map[string]*metric.Metric, series string) (how []string) {
	found := selector.FindStringSubmatch(series)
	if found == nil || known[found[1]] == nil {
		return []string{"no such series: " + series}
	}
	m, has := known[found[1]], map[string]bool{}
	for _, label := range matcher.FindAllStringSubmatch(found[2], -1) {
		has[label[1]] = true
		how = append(how, wrongLabel(m, label[1], label[3])...)
	}
	for _, l := range m.Labels {
		if !has[l.Name] {
			how = append(how, fmt.Sprintf("%s without %s", series, l.Name))
		}
	}
	return how
}

// wrongLabel says how a label of a metric, or a value of it, can not be.
func wrongLabel(m *metric.Metric, name string, values ...string) (how []string) {
	if slices.Contains(targetLabels, name) || name == "le" && m.Kind == metric.Histogram {
		return nil
	}
	at := slices.IndexFunc(m.Labels, func(l metric.Label) bool { return l.Name == name })
	if at < 0 {
		return []string{fmt.Sprintf("%s has no label %s, but %v", m.Name, name, m.Labels)}
	}
	closed := m.Labels[at].Values()
	for _, value := range values {
		if len(closed) > 0 && !slices.Contains(closed, value) {
			how = append(how, fmt.Sprintf("%s never has %s=%s", m.Name, name, value))
		}
	}
	return how
}

// sized are metrics whose numbers follow the size of a service: their rules have to be right on a small and on a large one.
func sized(known map[string]*metric.Metric, expr string) bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(known)), func(name string) bool {
		return regexp.MustCompile(`\b`+name+`\b`).MatchString(expr) && followsSize.MatchString(name)
	})
}

var followsSize = regexp.MustCompile(`^ejabberd_(accounts|account_credentials|sessions|auth_|s2s_(connections|auth)|log_events|upload_(files$|files_expired|` +
	`evicted|store_errors)|offline|database_(connections|pool|table)|erlang_processes$|process_open_fds|host_tcp)`)
