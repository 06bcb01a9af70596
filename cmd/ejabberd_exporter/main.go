// SPDX-License-Identifier: Apache-2.0

// Ejabberd_exporter shows the state of an ejabberd server to Prometheus: /metrics for what is counted from inside, /probe for
// what is seen from outside.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/prometheus/common/promslog"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/discovery"
	"github.com/chapril/ejabberd_exporter/internal/secret"
)

// Exit codes of --once: everything was collected, some of it, nothing. --check uses the first two.
const (
	exitAll     = 0
	exitSome    = 1
	exitNothing = 2
)

// gcPercent is how much garbage may gather beside what is kept, which is mostly what is known of uploads. A scrape makes little of
// it: looking for it four times as often as Go does by default costs less than the memory is worth.
const gcPercent = 25

func main() {
	secret.NoCore()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program with its surroundings as parameters.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	settings, exit := parse(args, stdout, stderr)
	if settings == nil {
		return exit
	}
	settings.log.Writer = stderr
	logger := promslog.New(&settings.log)
	code, err := settings.do(ctx, stdout, logger)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "ejabberd_exporter:", err)
		if code == 0 {
			code = exitSome
		}
	}
	return code
}

// do runs the mode that the flags ask for.
func (s *settings) do(ctx context.Context, stdout io.Writer, logger *slog.Logger) (int, error) {
	if s.healthcheck {
		return 0, healthcheck(ctx, (*s.web.WebListenAddresses)[0])
	}
	if s.grants {
		_, err := fmt.Fprint(stdout, grants(s.enabled(collector.All)))
		return 0, err
	}
	if s.discover {
		s.discovery.Facts = "" // they are what it writes
	}
	found, err := discovery.Discover(ctx, s.discovery, nil)
	if err != nil {
		return exitNothing, err
	}
	w := newWatch(s.watched)
	w.attach(found)
	definitions := s.enabled(collector.All)
	switch {
	case s.command == commandDoctor:
		defer closeFound(found)
		return s.doctor(ctx, found, stdout)
	case s.command == commandUploads:
		defer closeFound(found)
		return s.uploads(ctx, found, stdout)
	case s.command == commandPrivacy:
		defer closeFound(found)
		return s.privacyReport(ctx, found, stdout)
	case s.discover:
		if found.Sources.Blocked != nil {
			return exitNothing, found.Sources.Blocked
		}
		if found.ProbeOnly {
			logger.Info("no ejabberd found on this host, the facts say so; name one with --ejabberd.config")
		}
		return 0, found.Config.Write(stdout)
	case s.check:
		defer closeFound(found)
		w.follower.Point(w.log(found.Config)) // to see whether it may be read
		return check(ctx, found, definitions, s.onceTimeout, stdout)
	case s.once:
		defer closeFound(found)
		return s.printOnce(ctx, found, definitions, stdout, logger)
	}
	return 0, s.serve(ctx, found, w, definitions, logger)
}
