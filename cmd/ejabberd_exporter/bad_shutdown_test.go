// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// TestShutdownLetsAScrapeFinish: a scrape that waits for an ejabberd that hangs still gets its page, with what else is known,
// and when the exporter has ended nothing of it runs any more. Not parallel: goroutines of other tests would count.
func TestShutdownLetsAScrapeFinish(t *testing.T) {
	p := newPatient(t, service.Options{NamesByAPI: true})
	http.DefaultClient.CloseIdleConnections() //nolint:forbidigo // what the tests ask with
	before := goleak.IgnoreCurrent()
	for name, hang := range map[string]func(syscall.Signal) error{"ejabberd": p.Ejabberd.Signal, "PostgreSQL": p.Postgres.Signal} {
		t.Run(name+" hangs", func(t *testing.T) {
			d := p.serve(t)
			page := d.scrape(t, scrapeTimeout) // has connections
			success(t, page)
			fresh := p.serve(t) // has none
			if err := hang(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := hang(syscall.SIGCONT); err != nil {
					t.Fatal(err)
				}
			}()
			answered := make(chan struct{})
			go func() {
				defer close(answered)
				page = pageOf(t, fresh.URL)
			}()
			eventually(t, scrapeTimeout, "scrape under way", func() bool { return strings.Contains(stacks(), "collector.(*flight).take") })
			fresh.stop()
			<-answered
			want(t, page, map[string]float64{`ejabberd_upload_files{vhost="chapril.test"}`: 0})
			if strings.Count(page, "ejabberd_exporter_collector_success{") == strings.Count(page, "\"} 1\n") {
				t.Error("nothing was waited for: this tests nothing")
			}
			for _, exporter := range []*daemon{d, fresh} {
				if exit := exporter.stopped(t); exit != 0 {
					t.Errorf("exit %d after SIGTERM:\n%s", exit, exporter.log)
				}
				if strings.Contains(exporter.log.String(), "cut off") || strings.Contains(exporter.log.String(), "level=ERROR") {
					t.Errorf("shutting down was not in order:\n%s", exporter.log)
				}
			}
		})
	}
	http.DefaultClient.CloseIdleConnections() //nolint:forbidigo // what the tests ask with
	goleak.VerifyNone(t, before)
}

// stacks are what all goroutines do now.
func stacks() string {
	text := make([]byte, 1<<20)
	return string(text[:runtime.Stack(text, true)])
}

// pageOf scrapes once, on a connection of its own.
func pageOf(t *testing.T, url string) string {
	ctx, cancel := context.WithTimeout(t.Context(), scrapeTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/metrics", nil)
	if err != nil {
		t.Error(err)
		return ""
	}
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", "5")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		t.Errorf("the scrape was cut off: %v", err)
		return ""
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Errorf("the page was cut off: %v", err)
	}
	return string(page)
}

// TestSignals: the program itself ends in order on what systemd and Ctrl-C send.
func TestSignals(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			program, address := child(t, "--ejabberd.config="+file(t, "ejabberd.yml", uploadsIn(t.TempDir())))
			d := &daemon{URL: "http://" + address}
			eventually(t, 10*time.Second, "answer", func() bool {
				status, _ := d.get(t, "/-/ready", time.Second)
				return status == http.StatusOK
			})
			if err := program.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if err := program.Wait(); err != nil {
				t.Errorf("ended badly: %v", err)
			}
		})
	}
}
