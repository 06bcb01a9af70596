// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/page"
	"github.com/chapril/ejabberd_exporter/internal/service"
)

// checkEjabberd asks check_ejabberd about an exporter until it says what it has to.
func checkEjabberd(t *testing.T, d *daemon, code int, says string, args ...string) {
	t.Helper()
	last := ""
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%q: %s", args, last)
		}
	})
	eventually(t, 30*time.Second, "check_ejabberd that says "+says, func() bool {
		var out strings.Builder
		got := page.Plugin().Run(append(args, "--url="+d.URL+"/metrics"), &out)
		last = out.String()
		first, _, _ := strings.Cut(last, "\n")
		return got == code && strings.Contains(first, says)
	})
	noSecrets(t, last)
}

// TestCheckEjabberd: the plugin on the page of a real exporter of a real service, when all is well and when it is not.
func TestCheckEjabberd(t *testing.T) {
	t.Parallel()
	p := newPatient(t, service.Options{NamesByAPI: true})
	d := p.serve(t)
	accounts := fmt.Sprintf("ejabberd_accounts{vhost=%q}", p.Domains[0])
	is := p.Truth.Accounts(p.Domains[0])

	checkEjabberd(t, d, 0, " is up, database answers, all ")
	checkEjabberd(t, d, 0, fmt.Sprintf("ejabberd accounts %s %d | ejabberd_accounts_%s=%d;;%d", p.Domains[0], is, p.Domains[0], is, is),
		"-c", fmt.Sprintf("%s=%d", accounts, is))
	checkEjabberd(t, d, 2, fmt.Sprintf("CRITICAL - ejabberd accounts %s %d is below %d", p.Domains[0], is, is+1), "-c", fmt.Sprintf("%s=%d:", accounts, is+1))
	checkEjabberd(t, d, 1, "WARNING - certificate: ", "-w", "days_left(ejabberd_certificate_not_after_timestamp_seconds)=100%:")
	checkEjabberd(t, d, 3, "collector upload_orphans is off", "-w", "ejabberd_upload_orphan_bytes=0")

	t.Run("from a file", func(t *testing.T) {
		text := filepath.Join(t.TempDir(), "ejabberd.prom")
		if err := os.WriteFile(text, []byte(d.scrape(t, scrapeTimeout)), 0o600); err != nil {
			t.Fatal(err)
		}
		checkEjabberd(t, d, 0, " is up, database answers, all ", "--file="+text)
	})
	t.Run("a collector fails", func(t *testing.T) {
		if err := p.Database.Exec(t.Context(), "REVOKE ALL ON users FROM ejabberd_exporter; REVOKE SELECT (username, server_host, created_at) ON users FROM ejabberd_exporter"); err != nil {
			t.Fatal(err)
		}
		blind := p.serve(t)
		checkEjabberd(t, blind, 3, "UNKNOWN - ")
		checkEjabberd(t, blind, 3, "collector accounts failed or was late: ejabberd_exporter --check on its host says why", "-c", accounts+"=1000")
		grantRole(t, p.Service)
	})
	t.Run("the database is down", func(t *testing.T) {
		p.Postgres.Stop()
		checkEjabberd(t, d, 2, "CRITICAL - database ejabberd: PostgreSQL does not answer")
		checkEjabberd(t, d, 2, "CRITICAL - min ejabberd database up 0 is below 1", "-c", "min(ejabberd_database_up)=1:")
		checkEjabberd(t, d, 3, "collector database failed or was late", "-w", "sum(ejabberd_database_size_bytes)=1000000000000")
		if err := p.Postgres.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("ejabberd is down", func(t *testing.T) {
		p.Ejabberd.Kill()
		checkEjabberd(t, d, 2, "CRITICAL - ejabberd does not answer its admin API: is it running?")
		checkEjabberd(t, d, 2, "CRITICAL - ejabberd up 0 is below 1", "-c", "ejabberd_up=1:")
		checkEjabberd(t, d, 3, "ejabberd_uptime_seconds: collector server failed or was late", "-c", "ejabberd_uptime_seconds=60:")
	})
	t.Run("the exporter is down", func(t *testing.T) {
		d.stopped(t)
		checkEjabberd(t, d, 3, "UNKNOWN - the exporter does not answer at 127.0.0.1:")
	})
}
