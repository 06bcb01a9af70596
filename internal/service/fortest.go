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

// PostgresForTest starts PostgreSQL alone for a test, that of this machine or of another release, and stops it at the test's end.
func PostgresForTest(t testing.TB, root Root) *Postgres {
	t.Helper()
	Require(t)
	dir, err := os.MkdirTemp("", "postgres-") // not t.TempDir: PostgreSQL runs as another user, who must get through to it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	server, err := StartPostgres(t.Context(), root, filepath.Join(dir, "pg"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	return server
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
		{"prometheus-alertmanager", "/usr/bin/prometheus-alertmanager"},
	}
	for _, p := range packages {
		RequirePackage(t, p.name, p.file)
	}
}

// BrowserForTest starts a browser for a test and stops it at the test's end. Where there is none it does as Require.
func BrowserForTest(t testing.TB) *Browser {
	t.Helper()
	RequirePackage(t, "chromium", ChromiumPath)
	b, err := StartBrowser()
	if err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	t.Cleanup(b.Stop)
	return b
}

// RequirePackage does as Require for one more package, by a file of it; patterns are allowed.
func RequirePackage(t testing.TB, name, file string) {
	t.Helper()
	if found, err := filepath.Glob(file); err == nil && len(found) > 0 {
		return
	}
	if os.Getenv("REQUIRE_SERVERS") == "1" {
		t.Fatalf("no real servers: apt-get install %s", name)
	}
	t.Skipf("no real servers: apt-get install %s", name)
}
