// SPDX-License-Identifier: Apache-2.0

// Bench builds the service of internal/scale and measures on it what the exporter costs, beside what people use today:
//
//	bench build   builds the service, unless it stands
//	bench hold    starts it and waits for Ctrl-C
//	bench run     measures, and writes docs/benchmarks.md and docs/explain.md
//	bench clear   removes what was built
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/chapril/ejabberd_exporter/internal/scale"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are what the flags say.
type options struct {
	dir    string
	factor float64
	bin    string // where the programs lie
	docs   string // where the pages are written; empty: nowhere
	only   string
	curve  string
	log    *slog.Logger
}

func run(ctx context.Context, args []string, notes io.Writer) error {
	o := options{log: slog.New(slog.NewTextHandler(notes, nil))}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&o.dir, "dir", "/var/tmp/ejabberd-exporter-scale", "directory where the service stands")
	flags.Float64Var(&o.factor, "size", 1, "multiple of a million accounts")
	flags.StringVar(&o.bin, "bin", "bin", "directory of the programs, as make build leaves them")
	flags.StringVar(&o.docs, "docs", "", "directory of the pages to write")
	flags.StringVar(&o.only, "only", "", "parts to measure, separated by commas; all without it")
	flags.StringVar(&o.curve, "curve", "", "further multiples to measure the growth at, separated by commas")
	verbs := map[string]func(context.Context, options) error{"build": build, "hold": hold, "run": measure, "clear": remove}
	if len(args) == 0 || verbs[args[0]] == nil {
		return errors.New("say build, hold, run or clear")
	}
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	return verbs[args[0]](ctx, o)
}

func build(ctx context.Context, o options) error {
	s, err := scale.Open(ctx, o.dir, o.factor, o.log)
	if err != nil {
		return err
	}
	s.Stop()
	return nil
}

func hold(ctx context.Context, o options) error {
	s, err := scale.Open(ctx, o.dir, o.factor, o.log)
	if err != nil {
		return err
	}
	defer s.Stop()
	if err := s.LogIn(ctx, o.log); err != nil {
		return err
	}
	o.log.InfoContext(ctx, "it runs until Ctrl-C", "configuration", s.Ejabberd.ConfigPath)
	<-ctx.Done()
	return nil
}

func remove(_ context.Context, o options) error { return os.RemoveAll(o.dir) }
