// SPDX-License-Identifier: Apache-2.0

// Package exposition shows Sets of numbers to Prometheus. It is the only room that makes Prometheus metrics, so nothing reaches
// a page that did not pass through internal/metric and its closed labels.
package exposition

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// Scraper is what a page is made from. Implemented by *collector.Exporter.
type Scraper interface {
	Scrape(ctx context.Context, names ...string) []*metric.Set
	Names() []string
}

const (
	scrapeTimeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds"
	defaultDeadline     = 10 * time.Second
	maxDeadline         = 10 * time.Minute
)

// Handler serves /metrics: what the scraper has to say, and the figures of this process.
func Handler(scraper Scraper, logger *slog.Logger) http.Handler {
	process := prometheus.NewRegistry()
	process.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		names := r.URL.Query()["collect[]"]
		for _, name := range names {
			if !slices.Contains(scraper.Names(), name) {
				http.Error(w, "unknown collector in collect[]; there are: "+strings.Join(scraper.Names(), ", "), http.StatusBadRequest)
				return
			}
		}
		ctx, cancel := context.WithTimeout(r.Context(), Deadline(r.Header))
		defer cancel()
		sets := scraper.Scrape(ctx, names...)
		if r.Context().Err() != nil {
			return // nobody reads on: those who hang up shall not cost the others the time to write pages
		}
		page := prometheus.Gatherers{registry(sets)}
		if len(names) == 0 {
			page = append(page, process)
		}
		Serve(w, r, page, logger)
	})
}

// Serve writes the page in the format that the client asks for.
func Serve(w http.ResponseWriter, r *http.Request, page prometheus.Gatherer, logger *slog.Logger) {
	promhttp.HandlerFor(page, promhttp.HandlerOpts{
		ErrorLog:      slog.NewLogLogger(logger.Handler(), slog.LevelError),
		ErrorHandling: promhttp.ContinueOnError,
	}).ServeHTTP(w, r)
}

// Deadline is how long a scrape may take: what Prometheus allows, less a tenth or half a second, whichever is less, so that the
// page arrives in time.
func Deadline(header http.Header) time.Duration {
	seconds, err := strconv.ParseFloat(header.Get(scrapeTimeoutHeader), 64)
	allowed := time.Duration(seconds * float64(time.Second))
	if err != nil || allowed <= 0 || allowed > maxDeadline {
		return defaultDeadline
	}
	return allowed - min(allowed/10, 500*time.Millisecond)
}
