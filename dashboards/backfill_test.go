// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/service"
)

// between is how often the world is scraped.
const between = 4 * time.Minute

// firstDay is that of the first history; each has a day of its own in one Prometheus, and one of silence after it, or the next would
// begin with its last samples. Fifteen days are kept.
var firstDay = time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC)

// startHistories writes a day for each history into the blocks of a Prometheus, and starts it.
func startHistories(t *testing.T, all []story) *server {
	t.Helper()
	service.Require(t)
	dir := t.TempDir()
	for i := range all {
		all[i].midnight = firstDay.AddDate(0, 0, 2*i)
		path := filepath.Join(dir, "history.om")
		if err := all[i].write(path); err != nil {
			t.Fatal(err)
		}
		backfill := exec.CommandContext(t.Context(), "promtool", "tsdb", "create-blocks-from", "--max-block-duration=24h", "openmetrics", path, filepath.Join(dir, "data"))
		if said, err := backfill.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", backfill, err, said)
		}
	}
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, []byte("scrape_configs: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	running, err := service.StartPrometheus(t.Context(), dir, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(running.Stop)
	return &server{url: running.URL, variables: everything()}
}

// write writes a history as OpenMetrics.
func (h *story) write(path string) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if closed := file.Close(); err == nil {
			err = closed
		}
	}()
	out := bufio.NewWriter(file)
	for _, s := range append(allSeries(), targetsUp()...) {
		name := s.Name
		if s.Kind == metric.Histogram {
			name += "_bucket"
		}
		var labels []string
		for _, key := range slices.Sorted(maps.Keys(s.labels)) {
			labels = append(labels, fmt.Sprintf("%s=%q", key, s.labels[key]))
		}
		prefix := name + "{" + strings.Join(labels, ",") + "} "
		for of := time.Duration(0); of < day; of += s.scraped() {
			at := h.midnight.Add(of)
			m := moment{of: of.Truncate(s.counted()), at: float64(at.Truncate(s.counted()).Unix())}
			value := usual(s, m)
			if h.change != nil {
				value = h.change(s, m, value)
			}
			if !math.IsNaN(value) {
				_, _ = fmt.Fprintf(out, "%s%g %d\n", prefix, value, at.Unix()) // Flush tells the error
			}
		}
	}
	if _, err := out.WriteString("# EOF\n"); err != nil {
		return err
	}
	return out.Flush()
}

// scraped is how often a series is.
func (s *series) scraped() time.Duration {
	if s.labels["module"] == "upload" {
		return time.Hour
	}
	return between
}

// counted is how often what it tells is looked at.
func (s *series) counted() time.Duration {
	if slices.Contains(collector.UploadTree.Metrics, s.Metric) {
		return collector.UploadTree.Refresh
	}
	return s.scraped()
}

// targetsUp are what Prometheus says itself, and processes of theirs: ours, and those of others who are in every Prometheus.
func targetsUp() (all []*series) {
	for _, name := range []string{"up", "process_cpu_seconds_total", "process_resident_memory_bytes"} {
		m := &metric.Metric{Name: name}
		all = append(all, &series{Metric: m, labels: targets(m)[0]}, &series{Metric: m, labels: map[string]string{"job": "node", "instance": "127.0.0.1:9100"}})
	}
	for _, name := range []string{"probe_success", "probe_duration_seconds"} {
		all = append(all, &series{Metric: declared(name), labels: map[string]string{"job": "blackbox", "instance": "www.example.org"}})
	}
	return all
}
