// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// page is what /metrics or /probe says: the value of each series.
type page map[string]float64

var sampleLine = regexp.MustCompile(`^([a-z_:][a-zA-Z0-9_:]*(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*\})?) (\S+)$`)

// read reads a page, and wants every line of it to be one of Prometheus', without anybody's name.
func read(t *testing.T, text string) page {
	t.Helper()
	p := page{}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "# ") {
			continue
		}
		parts := sampleLine.FindStringSubmatch(line)
		if parts == nil {
			t.Errorf("this is no sample: %q", line)
			continue
		}
		value, err := strconv.ParseFloat(parts[2], 64)
		if err != nil {
			t.Errorf("this is no number: %q", line)
		}
		p[parts[1]] = value
		if strings.Contains(line, service.Canary) || strings.Contains(line, "@") {
			t.Errorf("this must never be said: %s", line)
		}
	}
	return p
}

// failed are the collectors that say success 0, "probe" where that is what failed.
func (p page) failed() (names []string) {
	for series, value := range p {
		name, found := strings.CutPrefix(series, `ejabberd_exporter_collector_success{collector="`)
		switch {
		case value != 0:
		case found:
			names = append(names, strings.TrimSuffix(name, `"}`))
		case series == "probe_success":
			names = append(names, "probe")
		}
	}
	slices.Sort(names)
	return names
}

// down are the *_up series that say 0.
func (p page) down() (names []string) {
	for series, value := range p {
		name, _, _ := strings.Cut(series, "{")
		if value == 0 && strings.HasSuffix(name, "_up") && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// passing is what may change or be 0 from one second to the next though nothing is wrong.
var passing = regexp.MustCompile(`^(go_|process_|promhttp_|ejabberd_(exporter_|uptime_|erlang_processes|database_(connections|size|table)|process_(cpu|resident|open|start)|host_|listener_connections|connection_rtt|s2s_|log_last|log_messages|session_age|upload_file_age_seconds|upload_filesystem_(avail|inodes_free))|[a-z_]*(_up|_success)(\{|$))`)

// lies are the series of a page that say something else than the truth, or 0 of what it does not know: what is unknown must be
// absent. Those that begin with one of may can be told otherwise by this fault. Counters may grow, and may not fall.
func (p page) lies(truth page, may []string) (series []string) {
	for name := range maps.Keys(p) {
		was, known := truth[name]
		now := p[name]
		metric, _, _ := strings.Cut(name, "{")
		switch {
		case passing.MatchString(name):
		case slices.ContainsFunc(may, func(prefix string) bool { return strings.HasPrefix(name, prefix) }):
		case !strings.HasPrefix(name, "ejabberd_"):
		case !known && (now != 0 || strings.HasSuffix(metric, "_total")): // it was learnt meanwhile; a counter that starts
		case known && strings.HasSuffix(metric, "_total") && now >= was:
		case known && now == was:
		default:
			series = append(series, name)
		}
	}
	slices.Sort(series)
	return series
}

// said is what the page says of a series, in words.
func (p page) said(name string) string {
	if value, known := p[name]; known {
		return fmt.Sprint(value)
	}
	return "not known"
}

// TestLiesAreSeen: the judge of this suite can say no.
func TestLiesAreSeen(t *testing.T) {
	truth := page{"ejabberd_accounts": 7, "ejabberd_logins_total": 3, "ejabberd_up": 1, "ejabberd_uptime_seconds": 4}
	for _, c := range []struct {
		now  page
		may  []string
		lies int
	}{
		{page{}, nil, 0},
		{page{"ejabberd_up": 0}, nil, 0},
		{page{"ejabberd_accounts": 7, "ejabberd_logins_total": 4, "ejabberd_uptime_seconds": 9}, nil, 0},
		{page{"ejabberd_accounts": 0}, nil, 1},
		{page{"ejabberd_accounts": 6}, nil, 1},
		{page{"ejabberd_accounts": 0}, []string{"ejabberd_accounts"}, 0},
		{page{"ejabberd_logins_total": 2}, nil, 1},
		{page{"ejabberd_sessions": 0}, nil, 1},
		{page{"ejabberd_sessions": 1}, nil, 0},
	} {
		if got := c.now.lies(truth, c.may); len(got) != c.lies {
			t.Errorf("%v with %v: %v, want %d", c.now, c.may, got, c.lies)
		}
	}
}
