// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// vitals is what an exporter holds.
type vitals struct {
	goroutines, descriptors, memory float64
}

func (p page) vitals() vitals {
	return vitals{p["go_goroutines"], p["process_open_fds"], p["process_resident_memory_bytes"]}
}

const mebibyte = 1 << 20

// What one fault may leave behind, for the collector of garbage and for idle connections that come and go by themselves.
const (
	spareGoroutines  = 6
	spareDescriptors = 4
	spareMemory      = 24 * mebibyte
)

// leaks says what the exporter holds more than before; empty for nothing.
func (v vitals) leaks(before vitals) string {
	var more []string
	for _, what := range []struct {
		name              string
		now, before, more float64
	}{
		{"goroutines", v.goroutines, before.goroutines, spareGoroutines},
		{"descriptors", v.descriptors, before.descriptors, spareDescriptors},
		{"bytes of memory", v.memory, before.memory, spareMemory},
	} {
		if what.now > what.before+what.more {
			more = append(more, fmt.Sprintf("%v %s, %v before", what.now, what.name, what.before))
		}
	}
	return strings.Join(more, "; ")
}

// databaseConnections counts the sockets of a process that lead to PostgreSQL. The kernel knows that even while PostgreSQL hangs
// and its pg_stat_activity answers nobody.
func databaseConnections(t *testing.T, pid, port int) (n int) {
	t.Helper()
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	towards := map[string]bool{}
	for line := range strings.Lines(string(table)) {
		columns := strings.Fields(line)
		if len(columns) > 9 && strings.HasSuffix(columns[2], fmt.Sprintf(":%04X", port)) {
			towards["socket:["+columns[9]+"]"] = true
		}
	}
	open, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range open {
		if socket, err := os.Readlink(path); err == nil && towards[socket] {
			n++
		}
	}
	return n
}

// activity is what PostgreSQL itself says of the exporter's role: connections, and when the last statement began.
func activity(t *testing.T, url string) (connections int, last time.Time, ok bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	admin, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, last, false // it is what was broken
	}
	defer func() { _ = admin.Close(ctx) }()
	err = admin.QueryRow(ctx, "SELECT count(*), coalesce(max(query_start), 'epoch') FROM pg_stat_activity WHERE usename = 'ejabberd_exporter'").Scan(&connections, &last)
	return connections, last, err == nil
}
