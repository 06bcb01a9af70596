// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/discovery"
	"github.com/chapril/ejabberd_exporter/internal/exposition"
)

// printOnce prints the page when all collectors have answered or time is up.
func (s *settings) printOnce(ctx context.Context, found *discovery.Found, definitions []collector.Definition, stdout io.Writer, logger *slog.Logger) (int, error) {
	exporter := collector.New(definitions, found.Sources, build(), logger)
	defer closeExporter(exporter)
	ctx, cancel := context.WithTimeout(ctx, s.onceTimeout)
	defer cancel()
	sets := exporter.Scrape(ctx)
	if err := exposition.Write(stdout, sets...); err != nil {
		return exitNothing, err
	}
	good, bad := collector.Tally(sets[0])
	switch {
	case good == 0:
		return exitNothing, nil
	case bad > 0:
		return exitSome, nil
	}
	return exitAll, nil
}

// grace is how long shutting down may take before it goes on without what does not answer.
const grace = 2 * time.Second

func closeExporter(exporter *collector.Exporter) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	exporter.Close(ctx)
}

func closeLookout(lookout *exposition.Lookout) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	lookout.Close(ctx)
}

func closeFound(found *discovery.Found) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	found.Close(ctx)
}
