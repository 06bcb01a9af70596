// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/discovery"
	"github.com/chapril/ejabberd_exporter/internal/exposition"
	"github.com/chapril/ejabberd_exporter/internal/statistics"
)

const (
	// drain is how long scrapes under way may go on after SIGTERM: longer than any scrape's deadline by default.
	drain = 15 * time.Second
	// rediscoverEvery bounds how often a vhost that nobody knows makes discovery run again.
	rediscoverEvery = time.Minute
)

func build() collector.Build {
	return collector.Build{
		Version:   cmp.Or(version.Version, "unknown"), // set by make build
		Revision:  version.GetRevision(),
		GoVersion: runtime.Version(),
	}
}

// serve answers HTTP until ctx ends, then lets what is under way finish.
func (s *settings) serve(ctx context.Context, found *discovery.Found, w *watch, definitions []collector.Definition, logger *slog.Logger) error {
	logger.Info("starting", "version", version.Version, "vhosts", len(found.Sources.Vhosts), "config", found.Config.Path)
	if found.ProbeOnly {
		logger.Info("no ejabberd found on this host: only /probe is served; name one with --ejabberd.config or --ejabberd.url")
	}
	for _, note := range found.Notes {
		logger.Info("something is kept from the exporter", "note", note)
	}
	stopWatch := s.startWatch(w, found)
	defer stopWatch()
	exporter := collector.New(definitions, found.Sources, build(), logger)
	rediscovery, cancel := context.WithCancel(context.WithoutCancel(ctx)) // scrapes under way still need the sources
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.rediscover(rediscovery, exporter, found, w, logger)
	}()
	defer func() { cancel(); <-done }() // closes the sources
	defer closeExporter(exporter)       // so what reads them ends before

	prober, err := s.probing(exporter, logger)
	if err != nil {
		return err
	}
	go prober.onHangup(ctx)
	lookout := exposition.NewLookout(prober.Prober)
	defer closeLookout(lookout)
	page, err := (&status{s, exporter, prober, lookout, definitions}).handler(logger)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           calm(s.handler(exporter, prober, page, logger), logger),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second, // of small answers; within sets that of the others
		IdleTimeout:       5 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		// What clients did wrong comes with their addresses: only for who asks for it.
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- web.ListenAndServe(server, s.web, logger) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	logger.Info("shutting down, scrapes under way may finish")
	ctx, cancelDrain := context.WithTimeout(context.Background(), drain)
	defer cancelDrain()
	if err := server.Shutdown(ctx); err != nil {
		return fmt.Errorf("scrapes were cut off: %w", err)
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// handler is everything that is served.
func (s *settings) handler(exporter *collector.Exporter, prober *probing, page http.Handler, logger *slog.Logger) http.Handler {
	ok := func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") }
	mux := http.NewServeMux()
	mux.Handle("GET "+s.metrics, within(exposition.Handler(exporter, logger)))
	mux.Handle("GET /probe", within(prober))
	if prober.path != "" {
		mux.HandleFunc("POST /-/reload", prober.serveReload)
	}
	mux.HandleFunc("GET /-/healthy", ok)
	mux.HandleFunc("GET /-/ready", ok)
	if s.statistics {
		mux.Handle("GET /statistics.json", within(statistics.Handler(s.statisticsOf(exporter))))
	}
	if s.metrics != "/" {
		mux.Handle("GET /{$}", within(page))
	}
	return mux
}

// metricsPath is a path at which nothing else is served.
type metricsPath string

func (p *metricsPath) String() string { return string(*p) }

func (p *metricsPath) Set(v string) error {
	switch {
	case !strings.HasPrefix(v, "/") || path.Clean(v) != v || strings.ContainsAny(v, " {}?#%"):
		return errors.New("write a path like /metrics")
	case v == "/probe" || v == "/statistics.json" || strings.HasPrefix(v, "/-/"):
		return errors.New("something else is served there: write a path like /metrics")
	}
	*p = metricsPath(v)
	return nil
}

// within gives each answer its own write deadline: what the scrape may take, and some time for a slow reader.
func within(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		deadline := time.Now().Add(exposition.Deadline(r.Header) + 10*time.Second)
		_ = http.NewResponseController(w).SetWriteDeadline(deadline) // not every writer of a test has one
		next.ServeHTTP(w, r)
	})
}

// calm answers 500 where a page panics. What net/http would log of it could be anybody's data, and names the client.
func calm(next http.Handler, logger *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				logger.Error("panic: this is a bug of the exporter, please report it", "page", r.Pattern)
				http.Error(w, "this is a bug of the exporter, please report it", http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// rediscover looks again when a collector meets a vhost that nobody knew, and on SIGHUP.
func (s *settings) rediscover(ctx context.Context, exporter *collector.Exporter, found *discovery.Found, w *watch, logger *slog.Logger) {
	defer func() { closeFound(found) }()
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for last := time.Now(); ; last = time.Now() {
		select {
		case <-ctx.Done():
			return
		case <-hup:
		case <-exporter.UnknownVhost():
			select {
			case <-time.After(time.Until(last.Add(rediscoverEvery))):
			case <-ctx.Done():
				return
			}
			if !found.Changed(s.discovery) {
				continue // the facts are older than the vhost: only a restart, which makes them anew, helps
			}
		}
		again, err := discovery.Discover(ctx, s.discovery, found)
		if err != nil {
			logger.Error("discovery failed, going on with what is known", "reason", err)
			continue
		}
		logger.Info("discovery ran again", "vhosts", len(again.Sources.Vhosts))
		w.attach(again)
		s.point(w, again)
		exporter.Replace(again.Sources)
		closeFound(found)
		found = again
	}
}

// healthcheck asks the exporter that listens on this address.
func healthcheck(ctx context.Context, address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("--web.listen-address is not understood: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	for _, scheme := range []string{"http", "https"} {
		err = healthy(ctx, scheme+"://"+net.JoinHostPort(host, port)+"/-/healthy")
		if err == nil {
			return nil
		}
	}
	return fmt.Errorf("the exporter on %s is not healthy: %w", address, err)
}

func healthy(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil) //nolint:gosec // the operator's own flag
	if err != nil {
		return err
	}
	// Our own process on our own address: its certificate is for other names.
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}} //nolint:gosec // see above
	answer, err := client.Do(request)                                                                                                   //nolint:gosec // the operator's own flag
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusUnauthorized {
		return fmt.Errorf("HTTP %d", answer.StatusCode)
	}
	return nil
}
