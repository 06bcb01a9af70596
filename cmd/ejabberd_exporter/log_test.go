// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// TestAsItHappens does things to a real service and looks how the exporter counts them.
func TestAsItHappens(t *testing.T) {
	ports, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	s := realService(t, service.Options{
		Peer:         true,
		ExtraModules: fmt.Sprintf("  mod_metrics:\n    port: %d\n", ports[0]),
		ExtraConfig:  "sql_query_timeout: 2\n", // for lockUsers
	})
	daemon := serve(t, "--ejabberd.config="+s.Ejabberd.ConfigPath, "--log.level=debug")
	t.Run("events", func(t *testing.T) { eventsAreCounted(&doer{T: t, Service: s}, daemon) })
	t.Run("a new discovery", func(t *testing.T) { countersGoOn(&doer{T: t, Service: s}, daemon) })
	t.Run("log", func(t *testing.T) { theLogIsCounted(&doer{T: t, Service: s}, daemon) })
	noSecrets(t, daemon.scrape(t, 10*time.Second), daemon.log.String())
	daemon.stop()
	t.Run("once", func(t *testing.T) { nothingIsCountedOnce(t, s) })
}

// happened is the page of what is counted as it happens.
func (d *daemon) happened(t *testing.T) string {
	t.Helper()
	status, page := d.get(t, "/metrics?collect[]=events&collect[]=log", 5*time.Second)
	if status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	return page
}

// more are the series of which there may be more than what was done: ejabberd tries again, connection by connection.
var more = []string{`ejabberd_log_events_total{event="sql_error"}`, `ejabberd_log_events_total{event="sql_pool_overload"}`}

func theLogIsCounted(d *doer, exporter *daemon) {
	page := exporter.happened(d.T)
	sum := map[string]float64{}
	for line := range strings.Lines(page) {
		if series, _, ok := strings.Cut(line, " "); ok && !strings.HasPrefix(line, "#") {
			if n, _ := number(page, series); strings.HasSuffix(strings.SplitN(series, "{", 2)[0], "_total") {
				sum[series] = n
			}
		}
	}
	for _, deed := range deeds() {
		if err := deed.do(d); err != nil {
			d.Errorf("who %s: %v", deed.name, err)
		}
		for series, n := range deed.count {
			if _, there := sum[series]; !there {
				d.Errorf("%s does not start at 0", series)
			}
			sum[series] += n
		}
		// What was done stands in the log before the next is done, and is counted within seconds.
		if err := d.until(func() bool {
			page = exporter.happened(d.T)
			return !slices.ContainsFunc(keys(deed.count), func(series string) bool { n, _ := number(page, series); return n < sum[series] })
		}); err != nil {
			d.Errorf("who %s is not counted", deed.name)
		}
	}
	for series, expected := range sum {
		if strings.HasPrefix(series, "ejabberd_log_messages") || strings.HasPrefix(series, "ejabberd_exporter") || perVhost(series) {
			continue // further lines and events are written by the way
		}
		if n, _ := number(page, series); n != expected && !(n > expected && slices.Contains(more, series)) {
			d.Errorf("%s is %v, want %v", series, n, expected)
		}
	}
	for _, level := range []string{"info", "warning", "error"} {
		if n, _ := number(page, `ejabberd_log_messages_total{level="`+level+`"}`); n == 0 {
			d.Errorf("no message of level %s is counted", level)
		}
	}
	// What worked has a time, to the hour; what only failed or was never tried has none.
	for series, worked := range map[string]bool{
		`ejabberd_auth_last_success_timestamp_seconds{mechanism="PLAIN"}`:                        true,
		`ejabberd_auth_last_success_timestamp_seconds{mechanism="SCRAM-SHA-1-PLUS"}`:             true,
		`ejabberd_auth_last_success_timestamp_seconds{mechanism="SCRAM-SHA-1"}`:                  false,
		`ejabberd_s2s_auth_last_success_timestamp_seconds{direction="in",mechanism="EXTERNAL"}`:  true,
		`ejabberd_s2s_auth_last_success_timestamp_seconds{direction="out",mechanism="EXTERNAL"}`: true,
		`ejabberd_s2s_auth_last_success_timestamp_seconds{direction="out",mechanism="dialback"}`: false,
	} {
		at, told := number(page, series)
		if told != worked || told && (int64(at)%3600 != 0 || time.Since(time.Unix(int64(at), 0)) > 2*time.Hour) {
			d.Errorf("%s is told: %v (%v), want %v", series, told, at, worked)
		}
	}
	if at, ok := number(page, "ejabberd_log_last_line_timestamp_seconds"); !ok || time.Since(time.UnixMilli(int64(at*1000))).Abs() > 2*time.Minute {
		d.Errorf("the last line is of %v", at)
	}
	if *update {
		record(d, exporter)
	}
}

func perVhost(series string) bool { return strings.Contains(series, "vhost=") }

func keys(numbers map[string]float64) []string {
	var list []string
	for key := range numbers {
		list = append(list, key)
	}
	return list
}

// record keeps what this version of ejabberd wrote, for the tests of internal/logfile.
func record(d *doer, exporter *daemon) {
	version := regexp.MustCompile(`ejabberd_info\{.*version="(\d+\.\d+)`).FindStringSubmatch(exporter.scrape(d.T, 10*time.Second))
	if version == nil {
		d.Fatal("the page does not say which version this is")
	}
	var kept strings.Builder
	for _, path := range []string{d.Ejabberd.LogPath() + ".1", d.Ejabberd.LogPath()} {
		text, err := os.ReadFile(path)
		if err != nil {
			d.Fatal(err)
		}
		follows := 0 // reports of crashes go on for pages: the beginning is enough
		for line := range strings.Lines(string(text)) {
			if follows++; strings.HasPrefix(line, "2") {
				follows = 0
			}
			if follows < 4 {
				kept.WriteString(line)
			}
		}
	}
	dir := filepath.Join("..", "..", "internal", "logfile", "testdata", version[1])
	if err := os.MkdirAll(dir, 0o755); err != nil {
		d.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ejabberd.log"), []byte(kept.String()), 0o644); err != nil {
		d.Fatal(err)
	}
}

// countersGoOn: a new discovery is no reason to count anew.
func countersGoOn(d *doer, exporter *daemon) {
	logins := fmt.Sprintf("ejabberd_logins_total{vhost=%q}", d.Domains[0])
	const attempts = `ejabberd_auth_attempts_total{mechanism="SCRAM-SHA-1-PLUS"}`
	before := exporter.happened(d.T)
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		d.Fatal(err)
	}
	if err := d.until(func() bool { return strings.Contains(exporter.log.String(), "discovery ran again") }); err != nil {
		d.Fatal("discovery did not run again")
	}
	page := exporter.happened(d.T)
	for _, series := range []string{logins, attempts} {
		was, _ := number(before, series)
		if is, ok := number(page, series); !ok || is != was || is == 0 {
			d.Errorf("%s was %v before a new discovery, is %v", series, was, is)
		}
	}
}

// nothingIsCountedOnce: a process that ends at once has no counters to show, and --check says why.
func nothingIsCountedOnce(t *testing.T, s *service.Service) {
	var out strings.Builder
	run(t.Context(), []string{"--check", "--ejabberd.config=" + s.Ejabberd.ConfigPath}, &out, &out)
	if text := out.String(); !strings.Contains(text, "off     events ") || !strings.Contains(text, "ok      log ") {
		t.Errorf("--check says\n%s", text)
	}
	_, page, log := once(t, "--ejabberd.config="+s.Ejabberd.ConfigPath)
	absent(t, page, "ejabberd_logins_total", "ejabberd_auth_attempts_total", "ejabberd_log_messages_total", "ejabberd_exporter_events_dropped_total")
	for _, name := range []string{"events", "log"} {
		if !strings.Contains(log, "collector="+name+" reason=\"off: ") {
			t.Errorf("%s is not said to be off:\n%s", name, log)
		}
		if strings.Contains(page, `collector_success{collector="`+name+`"}`) {
			t.Errorf("%s is off, which is no failure and no success", name)
		}
	}
	noSecrets(t, log)
}
