// SPDX-License-Identifier: Apache-2.0

package service

import (
	"cmp"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// RootVariable names the Root of the services of tests, in the environment: so any test runs on another Debian release.
const RootVariable = "EJABBERD_ROOT"

// ForTest starts a service for a test and stops it at the test's end. Where the Debian packages are missing it skips the
// test, or fails it if the environment says REQUIRE_SERVERS=1.
func ForTest(t testing.TB, options Options) *Service {
	t.Helper()
	Require(t)
	options.Root = cmp.Or(options.Root, Root(os.Getenv(RootVariable)))
	options.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	s, err := Start(ctx, options)
	if err != nil {
		t.Fatalf("start the service: %v", err)
	}
	t.Cleanup(s.Stop)
	return s
}

// Require skips the test where the servers' Debian packages are missing, or fails it if the environment says
// REQUIRE_SERVERS=1.
func Require(t testing.TB) {
	t.Helper()
	packages := []struct{ name, file string }{
		{"ejabberd", "/usr/sbin/ejabberdctl"},
		{"erlang-p1-pgsql", "/usr/lib/erlang/lib/p1_pgsql-*"},
		{"postgresql", "/usr/lib/postgresql/*/bin/postgres"},
		{"prosody", "/usr/bin/prosody"},
		{"prometheus", "/usr/bin/prometheus"},
	}
	for _, p := range packages {
		if found, err := filepath.Glob(p.file); err == nil && len(found) > 0 {
			continue
		}
		if os.Getenv("REQUIRE_SERVERS") == "1" {
			t.Fatalf("no real servers: apt-get install %s", p.name)
		}
		t.Skipf("no real servers: apt-get install %s", p.name)
	}
}
