// SPDX-License-Identifier: Apache-2.0

package page_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/page"
)

// check runs the plugin.
func check(t *testing.T, args ...string) (code int, output string) {
	t.Helper()
	var out strings.Builder
	code = page.Plugin().Run(args, &out)
	return code, out.String()
}

// serve serves a page: lines, in which AGO(SECONDS) and IN(DAYS) are times.
func serve(t *testing.T, lines ...string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(written(lines...))) }))
	t.Cleanup(server.Close)
	return server.URL
}

func written(lines ...string) string {
	text := strings.Join(lines, "\n") + "\n"
	for _, unit := range []struct {
		name    string
		seconds float64
	}{{"AGO", -1}, {"IN", 86400}} {
		for {
			before, rest, found := strings.Cut(text, unit.name+"(")
			if !found {
				break
			}
			number, after, _ := strings.Cut(rest, ")")
			var n float64
			if _, err := fmt.Sscan(number, &n); err != nil {
				panic(err)
			}
			text = before + fmt.Sprintf("%.3f", float64(time.Now().UnixMilli())/1000+n*unit.seconds) + after
		}
	}
	return text
}

// works are what the exporter says of a collector that works.
func works(name string, ago float64) string {
	return fmt.Sprintf("ejabberd_exporter_collector_success{collector=%q} 1\nejabberd_exporter_collector_last_success_timestamp_seconds{collector=%q} AGO(%v)", name, name, ago)
}

func fails(name string) string {
	return fmt.Sprintf("ejabberd_exporter_collector_success{collector=%q} 0", name)
}

// brokeDown are what the exporter says of a collector that failed, and worked before.
func brokeDown(name string, ago float64) string {
	return strings.Replace(works(name, ago), "} 1\n", "} 0\n", 1)
}

// refreshed adds an interval of five minutes.
func refreshed(name string, ago float64) string {
	return works(name, ago) + fmt.Sprintf("\nejabberd_exporter_collector_refresh_interval_seconds{collector=%q} 300", name)
}

const certificate = `ejabberd_certificate_not_after_timestamp_seconds{source="c2s",name="example.org"} IN(%v)
ejabberd_certificate_not_before_timestamp_seconds{source="c2s",name="example.org"} IN(%v)`

// well is the page of a healthy server.
var well = []string{
	works("server", 1), works("database", 1), works("listeners", 1), refreshed("accounts", 200), refreshed("certificates", 200), works("sessions", 30),
	"ejabberd_up 1", `ejabberd_info{version="23.01",node="localhost"} 1`, "ejabberd_exporter_config_stale 0",
	`ejabberd_database_up{database="ejabberd"} 1`,
	`ejabberd_listener_up{port="5222",family="ip4"} 1`, `ejabberd_listener_up{port="5222",family="ip6"} 1`,
	fmt.Sprintf(certificate, 60.4, -29.6), `ejabberd_certificate_matches_file{source="c2s",name="example.org"} 1`,
	`ejabberd_accounts{vhost="example.org"} 41`, `ejabberd_accounts{vhost="example.net"} 9`,
	`ejabberd_sessions{vhost="example.org"} 7`,
	"go_goroutines 12",
}

// but is the healthy page with some lines replaced: the old line's beginning, the new line.
func but(changes ...string) []string {
	page := strings.Join(well, "\n")
	for i := 0; i < len(changes); i += 2 {
		var lines []string
		for line := range strings.SplitSeq(page, "\n") {
			if strings.HasPrefix(line, changes[i]) {
				line = changes[i+1]
			}
			lines = append(lines, line)
		}
		page = strings.Join(lines, "\n")
	}
	return strings.Split(page, "\n")
}

// failed turns the success of a collector to 0.
func failed(name string) []string {
	return []string{fmt.Sprintf("ejabberd_exporter_collector_success{collector=%q}", name), fails(name)}
}

const labels = "up database_up collectors_failed listeners_down cert_days"

// TestUsual: without any threshold it judges what every ejabberd has.
func TestUsual(t *testing.T) {
	for name, c := range map[string]struct {
		page []string
		code int
		says string // how the status line begins
		perf string // how the performance data begin
	}{
		"well": {
			well, 0, "EJABBERD OK - ejabberd 23.01 is up, database answers, all 2 listeners are there, 6 collectors work, certificates are good for 60 days",
			"up=1;;;0 database_up=1;;;0 collectors_failed=0;;;0 listeners_down=0;;;0 cert_days=60.",
		},
		"ejabberd is down": {
			but(append(failed("server"), "ejabberd_up", "ejabberd_up 0")...),
			2, "EJABBERD CRITICAL - ejabberd does not answer its admin API: is it running? (and 1 more)", "up=0;;;0 database_up=1;;;0 collectors_failed=1;",
		},
		"the database is down": {
			but(append(failed("database"), "ejabberd_database_up", `ejabberd_database_up{database="ejabberd"} 0`)...),
			2, "EJABBERD CRITICAL - database ejabberd: PostgreSQL does not answer", "up=1;;;0 database_up=0;",
		},
		"there is no database": {
			but("ejabberd_database_up", "", `ejabberd_exporter_collector_success{collector="database"}`, ""),
			0, "EJABBERD OK - ejabberd 23.01 is up, all 2 listeners are there", "up=1;;;0 database_up=U;",
		},
		"nobody listens": {
			but(`ejabberd_listener_up{port="5222",family="ip6"}`, `ejabberd_listener_up{port="5222",family="ip6"} 0`),
			2, "EJABBERD CRITICAL - port 5222 ip6: nobody listens there, though ejabberd.yml says so; ", "up=1;;;0 database_up=1;;;0 collectors_failed=0;;;0 listeners_down=1;",
		},
		"a collector fails": {
			but(failed("accounts")...),
			3, "EJABBERD UNKNOWN - collector accounts failed or late: ejabberd_exporter --check on its host says why", "up=1;;;0 database_up=1;;;0 collectors_failed=1;",
		},
		"a collector is stale": {
			but(`ejabberd_exporter_collector_last_success_timestamp_seconds{collector="accounts"}`, works("accounts", 1000)),
			3, "EJABBERD UNKNOWN - collector accounts without news for three intervals or more", "up=1;",
		},
		"the page is old": {
			[]string{works("server", 7200), refreshed("accounts", 7200), "ejabberd_up 1"},
			3, "EJABBERD UNKNOWN - the page is old: no collector succeeded for 2h0m0s; does the exporter still run?", "up=U;;;0 database_up=U;",
		},
		"ejabberd has been down for hours": {
			[]string{brokeDown("server", 7200), brokeDown("accounts", 7200), "ejabberd_up 0"},
			2, "EJABBERD CRITICAL - ejabberd does not answer its admin API: is it running? (and 1 more)", "up=0;;;0 database_up=U;;;0 collectors_failed=2;",
		},
		"the page is old, and was not good": {
			[]string{works("server", 7200), brokeDown("accounts", 9000), "ejabberd_up 1"},
			3, "EJABBERD UNKNOWN - the page is old: no collector succeeded for 2h0m0s; does the exporter still run?", "up=U;",
		},
		"a certificate expires": {
			but("ejabberd_certificate_not_before", "", "ejabberd_certificate_not_after", fmt.Sprintf(certificate, 4.4, -85.6)),
			2, "EJABBERD CRITICAL - certificate: 4 days left, wanted 9:", "up=1;;;0 database_up=1;;;0 collectors_failed=0;;;0 listeners_down=0;;;0 cert_days=4.",
		},
		"a certificate has expired": {
			but("ejabberd_certificate_not_after", fmt.Sprintf(certificate, -2.4, -92)),
			2, "EJABBERD CRITICAL - certificate: expired 2 days ago", "up=1;",
		},
		"a certificate was renewed and not loaded": {
			but("ejabberd_certificate_matches_file", `ejabberd_certificate_matches_file{source="c2s",name="example.org"} 0`),
			1, "EJABBERD WARNING - example.org c2s: serves another certificate than lies on disk", "up=1;",
		},
		"the exporter knows other hosts": {
			but("ejabberd_exporter_config_stale", "ejabberd_exporter_config_stale 1"),
			1, "EJABBERD WARNING - ejabberd serves other hosts than the exporter knows of: restart ejabberd_exporter", "up=1;",
		},
		"the exporter only probes": {
			[]string{works("listeners", 1)},
			3, "EJABBERD UNKNOWN - the exporter watches no ejabberd", "up=U;",
		},
		"the metric is gone": {
			but("ejabberd_up", ""),
			3, "EJABBERD UNKNOWN - ejabberd_up: the page does not have it, though collector server works", "up=U;",
		},
		"another exporter": {
			[]string{"node_load1 0.5"},
			3, "EJABBERD UNKNOWN - there is nothing of ejabberd_exporter on the page: is it the right address?", "up=U;",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, output := check(t, "--url", serve(t, c.page...))
			saw(t, code, output, c.code, c.says, c.perf, labels)
		})
	}
}

// saw checks a result: code, how text and performance data begin, and their labels.
func saw(t *testing.T, code int, output string, wantCode int, says, perf, labels string) {
	t.Helper()
	first, _, _ := strings.Cut(output, "\n")
	text, data, _ := strings.Cut(first, " | ")
	var names []string
	for item := range strings.FieldsSeq(data) {
		name, _, _ := strings.Cut(item, "=")
		names = append(names, name)
	}
	if code != wantCode || !strings.HasPrefix(text, says) || !strings.HasPrefix(data, perf) || strings.Join(names, " ") != labels {
		t.Errorf("got %d %s\nwant %d %s | %s…, labels %s", code, output, wantCode, says, perf, labels)
	}
	if strings.Count(output, "|") != 1 {
		t.Errorf("more than one | in %s", output)
	}
}

// TestThresholds: one figure for each metric, under the same label in every state.
func TestThresholds(t *testing.T) {
	for _, c := range []struct {
		page   []string
		args   string
		code   int
		says   string
		perf   string
		labels string
	}{
		{
			well, "-c ejabberd_accounts{vhost=\"example.org\"}=~:50", 0,
			"EJABBERD OK - ejabberd accounts example.org 41", "ejabberd_accounts_example.org=41;;~:50", "ejabberd_accounts_example.org",
		},
		{
			well, "-w ejabberd_accounts{vhost=example.org}=40 -c ejabberd_accounts{vhost=example.org}=50", 1,
			"EJABBERD WARNING - ejabberd accounts example.org 41 is above 40", "ejabberd_accounts_example.org=41;40;50", "ejabberd_accounts_example.org",
		},
		{
			well, "-c sum(ejabberd_accounts)=49", 2,
			"EJABBERD CRITICAL - sum ejabberd accounts 50 is above 49", "sum_ejabberd_accounts=50;;49", "sum_ejabberd_accounts",
		},
		{
			well, "-c min(ejabberd_accounts)=10: -w max(ejabberd_accounts)=40 -w count(ejabberd_accounts)=@2", 2,
			"EJABBERD CRITICAL - min ejabberd accounts 9 is below 10 (and 2 more)", "min_ejabberd_accounts=9;;10: max_ejabberd_accounts=41;40 count_ejabberd_accounts=2;@2",
			"min_ejabberd_accounts max_ejabberd_accounts count_ejabberd_accounts",
		},
		{
			well, "-c ejabberd_accounts=10", 3,
			"EJABBERD UNKNOWN - ejabberd_accounts: 2 series match: name one by its labels, or say sum(…), min(…) or max(…)", "ejabberd_accounts=U;;10", "ejabberd_accounts",
		},
		{
			well, "-w ejabberd_accounts{vhost=example.com}=10", 3,
			`EJABBERD UNKNOWN - ejabberd_accounts{vhost="example.com"}: no series has these labels; there is {vhost="example.org"} {vhost="example.net"}`,
			"ejabberd_accounts_example.com=U;10", "ejabberd_accounts_example.com",
		},
		{
			well, "-w go_goroutines=10", 1, "EJABBERD WARNING - go goroutines 12 is above 10", "go_goroutines=12;10", "go_goroutines",
		},
		{
			well, "-w go_threads=10", 3, "EJABBERD UNKNOWN - go_threads: the page has no such metric", "go_threads=U;10", "go_threads",
		},
		{
			well, "-w ejabberd_acounts=10", 3, "EJABBERD UNKNOWN - ejabberd_acounts: this check_ejabberd knows no such metric", "ejabberd_acounts=U;10", "ejabberd_acounts",
		},
		{
			well, "-w ejabberd_offline_messages=10", 3,
			"EJABBERD UNKNOWN - ejabberd_offline_messages: collector offline is off", "ejabberd_offline_messages=U;10", "ejabberd_offline_messages",
		},
		{
			but(failed("accounts")...), "-w sum(ejabberd_accounts)=1000", 3,
			"EJABBERD UNKNOWN - sum(ejabberd_accounts): collector accounts failed or was late", "sum_ejabberd_accounts=U;1000", "sum_ejabberd_accounts",
		},
		{
			but(`ejabberd_exporter_collector_last_success_timestamp_seconds{collector="accounts"}`, works("accounts", 901)),
			"-w sum(ejabberd_accounts)=1000", 3,
			"EJABBERD UNKNOWN - sum(ejabberd_accounts): collector accounts last succeeded 15m", "sum_ejabberd_accounts=U;1000", "sum_ejabberd_accounts",
		},
		{
			but(`ejabberd_exporter_collector_last_success_timestamp_seconds{collector="sessions"}`, works("sessions", 200)),
			"-w sum(ejabberd_sessions)=1000 --max-age 4m", 0,
			"EJABBERD OK - sum ejabberd sessions 7", "sum_ejabberd_sessions=7;1000", "sum_ejabberd_sessions",
		},
		{
			but(append(failed("server"), "ejabberd_up", "ejabberd_up 0")...), "-c ejabberd_up=1: -c ejabberd_uptime_seconds=60:", 2,
			"EJABBERD CRITICAL - ejabberd up 0 is below 1 (and 1 more)", "ejabberd_up=0;;1: ejabberd_uptime_seconds=U;;60:", "ejabberd_up ejabberd_uptime_seconds",
		},
		{
			well, "-w days_left(ejabberd_certificate_not_after_timestamp_seconds)=70%: -c days_left(ejabberd_certificate_not_after_timestamp_seconds)=20:", 1,
			"EJABBERD WARNING - certificate: 60 days left, wanted 63:", "days_left_ejabberd_certificate_not_after_timestamp_seconds=60.",
			"days_left_ejabberd_certificate_not_after_timestamp_seconds",
		},
		{
			append(well, works("archive", 1), `ejabberd_archive_oldest_timestamp_seconds{vhost="a"} AGO(90)`, `ejabberd_archive_oldest_timestamp_seconds{vhost="b"} AGO(900)`),
			"-w age(ejabberd_archive_oldest_timestamp_seconds)=600", 1,
			"EJABBERD WARNING - age ejabberd archive oldest timestamp seconds 900", "age_ejabberd_archive_oldest_timestamp_seconds=900", "age_ejabberd_archive_oldest_timestamp_seconds",
		},
		{
			but("go_goroutines", "go_goroutines NaN"), "-w go_goroutines=10", 3,
			"EJABBERD UNKNOWN - go_goroutines: the page has no number for it", "go_goroutines=U;10", "go_goroutines",
		},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Parallel()
			code, output := check(t, append(strings.Fields(c.args), "--url", serve(t, c.page...))...)
			saw(t, code, output, c.code, c.says, c.perf, c.labels)
			code, output = check(t, append(strings.Fields(c.args), "--url", "http://127.0.0.1:1/metrics")...)
			saw(t, code, output, 3, "EJABBERD UNKNOWN - the exporter does not answer at 127.0.0.1:1: connection refused", "", c.labels)
		})
	}
}

func TestWrongThresholds(t *testing.T) {
	for _, c := range []struct{ args, says string }{
		{"-w 10", `"10": want METRIC=RANGE`},
		{"-w ejabberd_up=", `range ""`},
		{"-w ejabberd_up=20:10", "starts above its end"},
		{"-w ejabberd_up=abc", `range "abc"`},
		{"-w ejabberd_up=10%", "percent is of the lifetime of certificates"},
		{"-w =10", "it names no metric"},
		{"-w mean(ejabberd_up)=10", `"mean" is none of sum, min, max, count, age, days_left`},
		{"-w sum(ejabberd_up=10", "has no closing parenthesis"},
		{"-w ejabberd_up{vhost}=10", `"vhost" is no label: want name=value`},
		{"-w ejabberd_up{vhost=a,}=10", `"" is no label`},
		{"-w ejabberd_up{vhost=~a.*}=10", "is no label"},
		{"-w ejabberd_up{vhost=a=10", "labels stand in braces"},
		{"-w ejabberd_up_in_clear.x=10", "labels stand in braces"},
		{"-w ejabberd_up=1 -w ejabberd_up=2", "ejabberd_up is given twice"},
		{"-w ejabberd_up{a=x}=1 -w ejabberd_up{b=x}=2", "would have the same name in performance data"},
		{"-w ejabberd_archive_oldest_timestamp_seconds=10", "is a time: say age(ejabberd_archive_oldest_timestamp_seconds), in seconds, or days_left("},
		{"-w age(ejabberd_up)=10", "ejabberd_up is no time: age is for metrics that end in _timestamp_seconds"},
		{"--domain example.org", "unknown long flag '--domain'"},
		{"--max-age never", "parse error"},
	} {
		code, output := check(t, strings.Fields(c.args)...)
		if code != 3 || !strings.HasPrefix(output, "EJABBERD UNKNOWN - ") || !strings.Contains(output, c.says) || !strings.Contains(output, "see check_ejabberd --help") {
			t.Errorf("%s: got %d %s, want 3 and %s", c.args, code, output, c.says)
		}
	}
}

func TestOutputs(t *testing.T) {
	url := serve(t, well...)
	_, output := check(t, "--url", url, "--output", "prometheus", "-c", "sum(ejabberd_accounts)=1")
	for _, line := range []string{"probe_success 1\n", `ejabberd_accounts{vhost="example.org"} 41` + "\n"} {
		if !strings.Contains(output, line) {
			t.Errorf("no %q in\n%s", line, output)
		}
	}
	_, output = check(t, "--url", url, "--output", "json", "-c", "sum(ejabberd_accounts)=1")
	for _, part := range []string{`"plugin": "check_ejabberd"`, `"state": "CRITICAL"`, `"label": "sum_ejabberd_accounts"`, `"value": 50`, `"critical": "1"`} {
		if !strings.Contains(output, part) {
			t.Errorf("no %q in\n%s", part, output)
		}
	}
}
