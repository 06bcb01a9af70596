// SPDX-License-Identifier: Apache-2.0

package exposition_test

import (
	"compress/gzip"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/exposition"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var (
	gauge     = &metric.Metric{Name: "ejabberd_things", Help: "Things", Source: "somewhere", Labels: []metric.Label{metric.OneOf("kind", "a", "b")}}
	counter   = &metric.Metric{Name: "ejabberd_events_total", Help: "Events", Source: "somewhere", Kind: metric.Counter}
	histogram = &metric.Metric{Name: "ejabberd_age_seconds", Help: "Ages", Source: "somewhere", Kind: metric.Histogram, Buckets: []float64{1, 10}, Snapshot: true, Refreshed: true}
)

// fixed is a scraper whose page never changes.
type fixed struct {
	deadline time.Duration // of the last scrape
	names    []string
}

func (f *fixed) Names() []string { return []string{"one", "two"} }

func (f *fixed) Scrape(ctx context.Context, names ...string) []*metric.Set {
	deadline, _ := ctx.Deadline()
	f.deadline, f.names = time.Until(deadline), names
	return []*metric.Set{set()}
}

func set() *metric.Set {
	s := metric.NewSet(nil)
	s.Add(gauge, 1, "a")
	s.Add(gauge, 2.5, "b")
	s.Add(counter, 7)
	s.Observe(histogram, 0.5)
	s.Observe(histogram, 99)
	return s
}

const page = `# HELP ejabberd_age_seconds Ages (scope: node; source: somewhere; refreshed; snapshot, do not use rate())
# TYPE ejabberd_age_seconds histogram
ejabberd_age_seconds_bucket{le="1"} 1
ejabberd_age_seconds_bucket{le="10"} 1
ejabberd_age_seconds_bucket{le="+Inf"} 2
ejabberd_age_seconds_sum 99.5
ejabberd_age_seconds_count 2
# HELP ejabberd_events_total Events (scope: node; source: somewhere)
# TYPE ejabberd_events_total counter
ejabberd_events_total 7
# HELP ejabberd_things Things (scope: node; source: somewhere)
# TYPE ejabberd_things gauge
ejabberd_things{kind="a"} 1
ejabberd_things{kind="b"} 2.5
`

func get(t *testing.T, handler http.Handler, url string, header ...string) (status int, body string) {
	t.Helper()
	request := httptest.NewRequest(http.MethodGet, url, nil)
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	answer := recorder.Result()
	defer answer.Body.Close()
	var reader io.Reader = answer.Body
	if answer.Header.Get("Content-Encoding") == "gzip" {
		var err error
		if reader, err = gzip.NewReader(answer.Body); err != nil {
			t.Fatal(err)
		}
	}
	text, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

var quiet = slog.New(slog.DiscardHandler)

func TestWriteMakesThePage(t *testing.T) {
	var b strings.Builder
	if err := exposition.Write(&b, set()); err != nil {
		t.Fatal(err)
	}
	if b.String() != page {
		t.Errorf("got\n%s\nwant\n%s", b.String(), page)
	}
}

func TestThePageHasTheProcessToo(t *testing.T) {
	scraper := &fixed{}
	status, body := get(t, exposition.Handler(scraper, quiet), "/metrics", "Accept-Encoding", "gzip")
	if status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	for _, want := range []string{"ejabberd_things{kind=\"b\"} 2.5\n", "\ngo_goroutines ", "\nprocess_open_fds "} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestCollectSelectsCollectors(t *testing.T) {
	scraper := &fixed{}
	handler := exposition.Handler(scraper, quiet)
	if _, body := get(t, handler, "/metrics?collect[]=two"); body != page || len(scraper.names) != 1 || scraper.names[0] != "two" {
		t.Errorf("scraped %v, page\n%s", scraper.names, body)
	}
	status, body := get(t, handler, "/metrics?collect[]=canary@example.org")
	if status != http.StatusBadRequest || !strings.Contains(body, "one, two") || strings.Contains(body, "canary") {
		t.Errorf("status %d, body %q", status, body)
	}
}

func TestTheDeadlineIsWhatPrometheusAllowsLessAMargin(t *testing.T) {
	for _, c := range []struct {
		header string
		want   time.Duration
	}{
		{"", 10 * time.Second},
		{"10", 9500 * time.Millisecond},
		{"1", 900 * time.Millisecond},
		{"0.5", 450 * time.Millisecond},
		{"60", 59500 * time.Millisecond},
		{"-1", 10 * time.Second},
		{"NaN", 10 * time.Second},
		{"1e300", 10 * time.Second},
		{"soon", 10 * time.Second},
	} {
		header := http.Header{}
		header.Set("X-Prometheus-Scrape-Timeout-Seconds", c.header)
		if got := exposition.Deadline(header); got != c.want {
			t.Errorf("%q: %v, want %v", c.header, got, c.want)
		}
	}
	scraper := &fixed{}
	get(t, exposition.Handler(scraper, quiet), "/metrics", "X-Prometheus-Scrape-Timeout-Seconds", "2")
	if scraper.deadline > 1800*time.Millisecond || scraper.deadline < time.Second {
		t.Errorf("the scrape had %v", scraper.deadline)
	}
}

func FuzzDeadline(f *testing.F) {
	for _, seed := range []string{"10", "0.1", "-1", "NaN", "Inf", "1e309", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		d := exposition.Deadline(http.Header{"X-Prometheus-Scrape-Timeout-Seconds": {value}})
		if d <= 0 || d > 10*time.Minute {
			t.Errorf("%q gives %v", value, d)
		}
	})
}

func TestNobodyReadsOn(t *testing.T) {
	ctx, hangUp := context.WithCancel(t.Context())
	hangUp()
	recorder := httptest.NewRecorder()
	exposition.Handler(&fixed{}, quiet).ServeHTTP(recorder, httptest.NewRequestWithContext(ctx, http.MethodGet, "/metrics", nil))
	if n := recorder.Body.Len(); n > 0 {
		t.Errorf("%d bytes were written for somebody who had hung up", n)
	}
}
