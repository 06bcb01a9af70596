// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/service"
)

// rolePassword is the password of the exporter's PostgreSQL role in tests.
const rolePassword = "role-" + service.Canary

// realService starts a service and makes the exporter's role by the lines that --grants prints.
func realService(t *testing.T, options service.Options) *service.Service {
	t.Helper()
	s := service.ForTest(t, options)
	if s.Database != nil {
		grantRole(t, s)
	}
	t.Setenv("PGPASSWORD", rolePassword)
	return s
}

func grantRole(t *testing.T, s *service.Service) {
	t.Helper()
	for _, sql := range []string{grants(collector.All), "ALTER ROLE ejabberd_exporter PASSWORD '" + rolePassword + "'"} {
		if err := s.Database.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
}

// once runs the program with --once.
func once(t *testing.T, args ...string) (exit int, page, log string) {
	t.Helper()
	var out, complaints strings.Builder
	exit = run(t.Context(), append([]string{"--once"}, args...), &out, &complaints)
	return exit, out.String(), complaints.String()
}

// number finds the value of a series, as Prometheus writes it; ok is false where the page does not have it.
func number(page, series string) (value float64, ok bool) {
	for line := range strings.Lines(page) {
		if rest, found := strings.CutPrefix(line, series+" "); found {
			value, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			return value, err == nil
		}
	}
	return 0, false
}

// want compares the page with what it must say.
func want(t *testing.T, page string, numbers map[string]float64) {
	t.Helper()
	for series, expected := range numbers {
		if got, ok := number(page, series); !ok || got != expected {
			t.Errorf("%s is %v (there: %v), want %v", series, got, ok, expected)
		}
	}
}

// absent fails for every line of the page that begins with one of the names.
func absent(t *testing.T, page string, names ...string) {
	t.Helper()
	for line := range strings.Lines(page) {
		for _, name := range names {
			if strings.HasPrefix(line, name+"{") || strings.HasPrefix(line, name+" ") {
				t.Errorf("unknown must be absent: %s", strings.TrimSpace(line))
			}
		}
	}
}

// success wants success 1 for every collector of the page but those that must have failed.
func success(t *testing.T, page string, failed ...string) {
	t.Helper()
	must := map[string]string{}
	for _, name := range failed {
		must[name] = "0"
	}
	for line := range strings.Lines(page) {
		rest, found := strings.CutPrefix(line, `ejabberd_exporter_collector_success{collector="`)
		if !found {
			continue
		}
		name, value, _ := strings.Cut(strings.TrimSpace(rest), `"} `)
		if value != "1" && must[name] != value {
			t.Errorf("collector %s has success %s", name, value)
		}
		if value == "1" && must[name] != "" {
			t.Errorf("collector %s succeeds though it can't", name)
		}
		delete(must, name)
	}
	for name := range must {
		t.Errorf("collector %s says nothing, want success 0", name)
	}
}

// noSecrets fails if anything that only the service's users should know stands in one of the texts.
func noSecrets(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		for line := range strings.Lines(text) {
			if strings.Contains(line, service.Canary) || strings.Contains(line, "@") {
				t.Errorf("this must never be said: %s", line)
			}
		}
	}
}

// daemon is an exporter that serves.
type daemon struct {
	URL  string
	stop context.CancelFunc
	exit chan int
	log  *lockedLog
}

// lockedLog is a log that can be read while it is written.
type lockedLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// serve starts the exporter on a free port, waits until it serves, and stops it at the test's end.
func serve(t *testing.T, args ...string) *daemon {
	t.Helper()
	d := launch(t, args...)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	end := time.After(10 * time.Second)
	for {
		if status, _ := d.get(t, "/-/ready", time.Second); status == http.StatusOK {
			return d
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("the exporter does not start:\n%s", d.log)
		}
	}
}

// launch starts the exporter on a free port and stops it at the test's end.
func launch(t *testing.T, args ...string) *daemon {
	t.Helper()
	ports, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", ports[0])
	ctx, cancel := context.WithCancel(context.Background())
	d := &daemon{URL: "http://" + address, stop: cancel, exit: make(chan int, 1), log: &lockedLog{}}
	go func() {
		d.exit <- run(ctx, append([]string{"--web.listen-address=" + address}, args...), io.Discard, d.log)
	}()
	t.Cleanup(func() { d.stopped(t) })
	return d
}

// stopped stops the exporter and gives its exit code.
func (d *daemon) stopped(t *testing.T) (exit int) {
	t.Helper()
	d.stop()
	select {
	case exit = <-d.exit:
		d.exit <- exit // for whoever asks again
	case <-time.After(30 * time.Second):
		t.Error("the exporter does not stop")
	}
	return exit
}

// get asks the exporter as Prometheus would, with a scrape timeout; status 0 is no answer.
func (d *daemon) get(t *testing.T, path string, timeout time.Duration) (status int, body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", fmt.Sprint(timeout.Seconds()))
	answer, err := http.DefaultClient.Do(request) //nolint:forbidigo // a test
	if err != nil {
		return 0, ""
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, string(text)
	}
	return answer.StatusCode, string(text)
}

// scrape wants a page within the timeout.
func (d *daemon) scrape(t *testing.T, timeout time.Duration) string {
	t.Helper()
	status, page := d.get(t, "/metrics", timeout)
	if status != http.StatusOK {
		t.Fatalf("/metrics: status %d within %v\n%s", status, timeout, d.log)
	}
	return page
}

// file writes a file for one test.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
