// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/service"
)

// fromDatabase are the collectors that ask PostgreSQL. The ejabberd of these tests is too old for bans.
var fromDatabase = slices.DeleteFunc(from(collector.Database), func(name string) bool { return name == "banned" })

const databaseIsUp = `ejabberd_database_up{database="ejabberd"}`

// TestPostgresHasABadDay: what ejabberd itself knows stays true, and nothing that only PostgreSQL knows is said to be 0.
func TestPostgresHasABadDay(t *testing.T) {
	t.Parallel()
	p := newPatient(t, service.Options{NamesByAPI: true})
	if _, err := p.LogIn(t.Context(), service.Session{Account: p.Admin, Resource: service.Canary, Family: "ip4"}); err != nil {
		t.Fatal(err)
	}
	here, there := p.Domains[0], p.Domains[1]
	inMemory := map[string]float64{ // what ejabberd knows without its database
		"ejabberd_up": 1,
		fmt.Sprintf(`ejabberd_sessions{vhost="%s"}`, here): 1, fmt.Sprintf(`ejabberd_sessions{vhost="%s"}`, there): 0,
		fmt.Sprintf(`ejabberd_accounts_online{vhost="%s"}`, here): 1, fmt.Sprintf(`ejabberd_accounts_online{vhost="%s"}`, there): 0,
	}
	counted := map[string]float64{
		fmt.Sprintf(`ejabberd_accounts{vhost="%s"}`, here):                    float64(p.Truth.Accounts(here)),
		fmt.Sprintf(`ejabberd_accounts{vhost="%s"}`, there):                   0,
		fmt.Sprintf(`ejabberd_accounts_never_logged_in{vhost="%s"}`, here):    float64(p.Truth.NeverLoggedIn(here)),
		fmt.Sprintf(`ejabberd_accounts_active{vhost="%s",window="1d"}`, here): 1,
	}
	t.Run("is asked by many", func(t *testing.T) { twoConnections(t, p) })
	veteran := p.serve(t) // has seen better days
	page := veteran.scrape(t, scrapeTimeout)
	success(t, page)
	want(t, page, inMemory)
	want(t, page, counted)

	p.Postgres.Stop()
	early := p.serve(t) // is there before PostgreSQL

	t.Run("down", func(t *testing.T) {
		page := early.failing(t, of("is PostgreSQL running", fromDatabase...))
		want(t, page, inMemory)
		want(t, page, map[string]float64{databaseIsUp: 0})
		nothingFromSQL(t, p)
	})
	t.Run("down while serving", func(t *testing.T) {
		eventually(t, 15*time.Second, databaseIsUp+" 0", func() bool {
			up, ok := number(veteran.scrape(t, scrapeTimeout), databaseIsUp)
			return ok && up == 0
		})
		page := veteran.scrape(t, scrapeTimeout)
		success(t, page, "database")
		want(t, page, inMemory)
		want(t, page, counted) // what was counted lately is still served, with its age
		if lines := veteran.said("collector failed", "database"); len(lines) != 1 || strings.Count(veteran.log.String(), "collector failed") != 1 {
			t.Errorf("want one line about the database:\n%s", veteran.log)
		}
		if err := p.Postgres.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		veteran.recovers(t, 15*time.Second, "database")
	})
	t.Run("hangs", func(t *testing.T) {
		healthy := p.serve(t)
		success(t, healthy.scrape(t, scrapeTimeout))
		if err := p.Postgres.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := p.Postgres.Signal(syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
			p.well(t)
		}()
		d := p.serve(t)
		page := d.scrape(t, scrapeTimeout)
		want(t, page, inMemory)
		eventually(t, 20*time.Second, "complaint of each collector", func() bool { // two of them share a connection
			d.scrape(t, scrapeTimeout)
			return strings.Count(d.log.String(), "collector failed") == len(fromDatabase)
		})
		page = d.failing(t, of("is PostgreSQL overloaded, or a firewall in between?", fromDatabase...))
		want(t, page, map[string]float64{databaseIsUp: 0})
		eventually(t, 15*time.Second, databaseIsUp+" 0 where it was 1", func() bool {
			up, ok := number(healthy.scrape(t, scrapeTimeout), databaseIsUp)
			return ok && up == 0
		})
	})
	t.Run("locks tables", func(t *testing.T) {
		release := lock(t, p.Database, "users, last")
		page := p.serve(t).failing(t, of("a table is locked", "accounts", "activity", "credentials", "names", "newcomers", "oldest", "tables"))
		want(t, page, inMemory)
		want(t, page, map[string]float64{databaseIsUp: 1})
		eventually(t, time.Second, "end of our waiting for the lock", func() bool { return waiters(t, p.Database) == 0 })
		release()
		p.well(t)
	})
	t.Run("forbids a table", func(t *testing.T) {
		execute(t, p.Database, "REVOKE SELECT (username, server_host, created_at) ON users FROM ejabberd_exporter")
		page := p.serve(t).failing(t, of("permission denied: grant what `ejabberd_exporter --check` prints (SQLSTATE 42501)", "accounts", "credentials", "names", "newcomers"))
		want(t, page, inMemory)
		want(t, page, map[string]float64{databaseIsUp: 1})
		execute(t, p.Database, grants(collector.ByDefault()))
		p.well(t)
	})
	t.Run("refuses the password", func(t *testing.T) {
		wrong := &patient{p.Service, []string{"--ejabberd.config=" + p.Ejabberd.ConfigPath, "--database.password-file=" + file(t, "wrong", service.Canary)}}
		page := wrong.serve(t).failing(t, of("login refused: create the role with `ejabberd_exporter --check`, and set its password", fromDatabase...))
		want(t, page, inMemory)
		want(t, page, map[string]float64{databaseIsUp: 1}) // a refusal is an answer
	})
	t.Run("lacks the role", func(t *testing.T) {
		execute(t, p.Database, "ALTER ROLE ejabberd_exporter RENAME TO somebody_else")
		page := p.serve(t).failing(t, of("login refused: create the role with `ejabberd_exporter --check`", fromDatabase...))
		want(t, page, inMemory)
		execute(t, p.Database, "ALTER ROLE somebody_else RENAME TO ejabberd_exporter")
		p.well(t)
	})
	t.Run("lacks the database", func(t *testing.T) {
		url := fmt.Sprintf("postgres://ejabberd_exporter@127.0.0.1:%d/nothing", p.Postgres.Port)
		page := p.serve(t, "--database.url="+url).failing(t, of("no such database: name it with --database.url", fromDatabase...))
		want(t, page, inMemory)
	})
	early.recovers(t, 40*time.Second, fromDatabase...)
	if n := strings.Count(veteran.log.String(), "collector failed"); n > 2 {
		t.Errorf("the veteran complained %d times about two outages:\n%s", n, veteran.log)
	}
}

// twoConnections has many ask a new exporter at once, and wants it to hold two connections and no more.
func twoConnections(t *testing.T, p *patient) {
	t.Helper()
	watch, err := pgx.Connect(t.Context(), p.Postgres.AdminURL(p.Database.Name))
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close(t.Context())
	d := p.serve(t)
	var scrapers sync.WaitGroup
	for range 50 {
		scrapers.Go(func() { d.get(t, "/metrics", scrapeTimeout) })
	}
	done := make(chan struct{})
	go func() { scrapers.Wait(); close(done) }()
	most := 0
	for looking := true; looking; {
		select {
		case <-done:
			looking = false
		default:
		}
		var n int
		if err := watch.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE usename = 'ejabberd_exporter'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		most = max(most, n)
	}
	if most != 2 {
		t.Errorf("%d connections at a time, want the 2 that there may be", most)
	}
}

func execute(t *testing.T, db *service.Database, sql string) {
	t.Helper()
	if err := db.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// lock holds tables as a migration would, until released.
func lock(t *testing.T, db *service.Database, tables string) (release func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), db.Postgres.AdminURL(db.Name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "BEGIN"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "LOCK TABLE "+tables+" IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := conn.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// waiters is how many sessions of the exporter wait for a lock.
func waiters(t *testing.T, db *service.Database) int64 {
	t.Helper()
	n, err := db.Count(t.Context(), `SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND usename = 'ejabberd_exporter'`)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// nothingFromSQL looks through ejabberd's log for calls that would have made it ask its database: with PostgreSQL down it
// answers those with 200 and 0, after a minute.
func nothingFromSQL(t *testing.T, p *patient) {
	t.Helper()
	log, err := os.ReadFile(p.Ejabberd.LogPath())
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	for line := range strings.Lines(string(log)) {
		_, call, found := strings.Cut(line, "API call ")
		if !found || !strings.Contains(line, "127.0.0.1:") { // the test's own come through a socket
			continue
		}
		calls++
		name, arguments, _ := strings.Cut(call, " ")
		switch name {
		case "status", "registered_vhosts", "list_cluster", "muc_online_rooms", "connected_users_number", "connected_users", "connected_users_info", "incoming_s2s_number", "outgoing_s2s_number":
			continue
		case "stats", "stats_host":
			if strings.Contains(arguments, "uptimeseconds") || strings.Contains(arguments, "processes") || strings.Contains(arguments, "onlineusers") {
				continue
			}
		}
		t.Errorf("the exporter makes ejabberd ask its database: %s", call)
	}
	if calls == 0 {
		t.Error("ejabberd's log has no call of the exporter's")
	}
}
