// SPDX-License-Identifier: Apache-2.0

package scaling_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// usage is what a program says of itself.
type usage struct{ cpu, memory, goroutines, descriptors float64 }

func usageOf(t *testing.T, url string) usage {
	t.Helper()
	page, err := fetch(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	return usage{value(page, "process_cpu_seconds_total"), value(page, "process_resident_memory_bytes"), value(page, "go_goroutines"), value(page, "process_open_fds")}
}

// value is that of a series without labels.
func value(page []byte, name string) float64 {
	for line := range strings.Lines(string(page)) {
		if text, ok := strings.CutPrefix(line, name+" "); ok {
			n, _ := strconv.ParseFloat(strings.TrimSpace(text), 64)
			return n
		}
	}
	return 0
}

// measure looks at everybody for two minutes and writes down what that cost.
func (s *stage) measure(t *testing.T) {
	t.Helper()
	everybody := []string{"http://" + s.exporters[0], "http://" + s.exporters[1], s.shards[0].URL, s.shards[1].URL, s.global.base}
	before := make([]usage, len(everybody))
	for i, url := range everybody {
		before[i] = usageOf(t, url)
	}
	asked, began := s.names.Asked(), time.Now()
	pages := measurePages(t) // takes two minutes
	seconds := time.Since(began).Seconds()
	probes := float64(s.targets) * seconds / s.interval.Seconds()
	after := make([]usage, len(everybody))
	for i, url := range everybody {
		after[i] = usageOf(t, url)
	}
	share := func(i int) string { return fmt.Sprintf("%.1f %% of a core", 100*(after[i].cpu-before[i].cpu)/seconds) }
	memory := func(i int) string { return fmt.Sprintf("%.0f MB resident", after[i].memory/1e6) }
	ask := func(base, expression string) float64 {
		n, err := number(base, expression)
		if err != nil {
			t.Error(err)
		}
		return n
	}
	page, err := fetch("http://" + s.exporters[0] + "/probe?module=c2s&target=" + s.domains[len(s.domains)-1])
	if err != nil {
		t.Fatal(err)
	}
	exporters := after[0].cpu + after[1].cpu - before[0].cpu - before[1].cpu
	rows := [][2]string{
		{"one probe of one endpoint (c2s: DNS from the cache, TCP, STARTTLS, handshake)", fmt.Sprintf("%.1f ms of processor time, %.0f samples, %.1f kB",
			1000*exporters/probes, ask(s.global.base, `max(scrape_samples_scraped{job="xmpp"})`), float64(len(page))/1e3)},
		{fmt.Sprintf("an exporter that probes half of %d domains a minute", s.targets), fmt.Sprintf("%s, %s, %.0f goroutines, %.0f descriptors",
			share(0), memory(0), after[0].goroutines, after[0].descriptors)},
		{
			"questions to the DNS once the answers are there: what does not exist (SRV of direct TLS, IPv6) is asked again after a minute",
			fmt.Sprintf("%.1f for each probe", float64(s.names.Asked()-asked)/probes),
		},
		{"a shard of Prometheus", fmt.Sprintf("%s, %s, %.0f series", share(2), memory(2), ask(s.shards[0].URL, `count({__name__!=""})`))},
		{"the global view: " + s.global.name, fmt.Sprintf("%s, %s, %.0f series", share(4), memory(4), ask(s.global.base, `count({__name__!=""})`))},
	}
	rows = append(rows, pages...)
	writeFigures(t, s, rows)
	for i := range s.exporters {
		if grown := after[i].memory - before[i].memory; grown > 16e6 {
			t.Errorf("exporter %d grew by %.0f MB in %.0f probes", i, grown/1e6, probes/2)
		}
		if after[i].goroutines > before[i].goroutines+500 {
			t.Errorf("exporter %d has %.0f goroutines, had %.0f", i, after[i].goroutines, before[i].goroutines)
		}
	}
}

const figuresBegin, figuresEnd = "<!-- figures: written by make test-scaling -->\n", "<!-- end of figures -->\n"

// writeFigures puts the table into docs/scaling.md.
func writeFigures(t *testing.T, s *stage, rows [][2]string) {
	t.Helper()
	const path = "../../docs/scaling.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), figuresBegin)
	_, tail, closed := strings.Cut(rest, figuresEnd)
	if !ok || !closed {
		t.Fatalf("%s has no place for the figures", path)
	}
	var table strings.Builder
	fmt.Fprintf(&table, "Measured on %s, %d domains every %s, on %d cores shared by all: %s.\n\n| what | cost |\n|---|---|\n",
		time.Now().Format(time.DateOnly), s.targets, strings.TrimSuffix(s.interval.String(), "0s"), runtime.NumCPU(), versions(t))
	for _, row := range rows {
		fmt.Fprintf(&table, "| %s | %s |\n", row[0], row[1])
	}
	if err := os.WriteFile(path, []byte(head+figuresBegin+table.String()+figuresEnd+tail), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Log(table.String())
}

// versions are those of what ran.
func versions(t *testing.T) string {
	t.Helper()
	prometheus, err := exec.Command("prometheus", "--version").CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	ejabberd, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", "ejabberd").Output()
	if err != nil {
		t.Fatal(err)
	}
	module, err := os.ReadFile("../../tools/victoriametrics/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	victoria := regexp.MustCompile(`github.com/VictoriaMetrics/VictoriaMetrics (v\S+)`).FindStringSubmatch(string(module))
	fields := strings.Fields(string(prometheus))
	return fmt.Sprintf("Go %s, Prometheus %s, VictoriaMetrics %s, ejabberd %s", strings.TrimPrefix(runtime.Version(), "go"), fields[2], victoria[1], ejabberd)
}
