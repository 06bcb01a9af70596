// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// TestNewcomers: who came back is told from who did not, on both schemas and with several rows for an account.
func TestNewcomers(t *testing.T) {
	server := startPostgres(t)
	// Made that long ago, and when the last session ended after that.
	accounts := []struct{ name, made, ended string }{
		{"quiet-canary", "30 minutes", ""},       // registered and went
		{"online-canary", "30 minutes", ""},      // registered and stayed
		{"short-canary", "3 hours", "9 minutes"}, // was there once, when the account was made
		{"back-canary", "3 hours", "2 hours"},    // came back
		{"week-canary", "5 days", ""},
		{"old-canary", "40 days", ""},
		{"nolast-canary", "20 days", "never"}, // no row in last
	}
	tables := func(host string) string {
		column, value := "", ""
		if host != "" {
			column, value = ", server_host", ", '"+host+"'"
		}
		var sql strings.Builder
		for _, a := range accounts {
			made := "localtimestamp - interval '" + a.made + "'"
			fmt.Fprintf(&sql, "INSERT INTO users (username, password, created_at%s) VALUES ('%s', '', %s%s);\n", column, a.name, made, value)
			if a.ended != "never" {
				ended := "now() - interval '" + a.made + "' + interval '" + strings.TrimSpace(a.ended+" 0 seconds") + "'"
				fmt.Fprintf(&sql, "INSERT INTO last (username, seconds, state%s) VALUES ('%s', extract(epoch FROM %s)::bigint::text, ''%s);\n", column, a.name, ended, value)
			}
		}
		return sql.String()
	}
	online := func(src *Sources) {
		src.API = &fakeAPI{vhosts: src.Vhosts, online: map[string]string{"online-canary": "one.test"}}
	}
	want := `
		ejabberd_accounts_created_unused{vhost="one.test",window="1d"} 2
		ejabberd_accounts_created_unused{vhost="one.test",window="1h"} 1
		ejabberd_accounts_created_unused{vhost="one.test",window="30d"} 4
		ejabberd_accounts_created_unused{vhost="one.test",window="7d"} 3`
	const nobody = `
		ejabberd_accounts_created_unused{vhost="two.test",window="1d"} 0
		ejabberd_accounts_created_unused{vhost="two.test",window="1h"} 0
		ejabberd_accounts_created_unused{vhost="two.test",window="30d"} 0
		ejabberd_accounts_created_unused{vhost="two.test",window="7d"} 0`

	src := fill(t, server, "new", "pg.new.sql", tables("one.test"), "one.test", "two.test")
	online(src)
	collect(t, Newcomers, src, want+nobody)
	src.AccountsInSQL = []string{"one.test"}
	collect(t, Newcomers, src, want)
	src.InSQL["mod_last"] = nil
	off(t, Newcomers, src, "nothing of mod_last")

	src = fill(t, server, "old", "pg.sql", tables(""), "one.test")
	online(src)
	collect(t, Newcomers, src, want)

	// From 25.03 on: who changed the password after 40 days is not new, who is new counts once.
	src = fill(t, server, "types", "pg.new.sql", `
		ALTER TABLE users ADD COLUMN type smallint NOT NULL DEFAULT 0, DROP CONSTRAINT users_pkey, ADD PRIMARY KEY (server_host, username, type);`+
		tables("one.test")+`
		INSERT INTO users (username, server_host, type, password) VALUES ('old-canary', 'one.test', 2, ''), ('quiet-canary', 'one.test', 2, '')`,
		"one.test", "two.test")
	online(src)
	collect(t, Newcomers, src, want+nobody)
}

// TestNames: the same shape again and again is told from people's names, and a few names are no reason to say anything.
func TestNames(t *testing.T) {
	src := fill(t, startPostgres(t), "ejabberd", "pg.new.sql", `
		INSERT INTO users (username, server_host, password, created_at)
			SELECT 'canary' || lpad(n::text, 4, '0'), 'robots.test', '', localtimestamp - interval '1 minute' FROM generate_series(1, 40) n;
		INSERT INTO users (username, server_host, password, created_at)
			SELECT repeat('Ä', n % 7) || repeat('x', n) || repeat('.', n % 3) || n, 'people.test', '', localtimestamp - interval '2 hours' FROM generate_series(1, 40) n;
		INSERT INTO users (username, server_host, password) SELECT 'canary' || n, 'few.test', '' FROM generate_series(1, 19) n;
		-- Two shapes, as often: one bit of log2(64).
		INSERT INTO users (username, server_host, password, created_at)
			SELECT CASE WHEN n % 2 = 0 THEN 'canary' ELSE 'canary.' END || 1000 + n, 'two.test', '', localtimestamp - interval '5 days' FROM generate_series(1, 64) n`,
		"robots.test", "people.test", "few.test", "two.test")
	out := metric.NewSet(src.Bounds)
	if err := Names.Collect(t.Context(), src, out); err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, s := range out.All() {
		got[strings.Join(s.Labels, " ")] = s.Value
	}
	want := map[string]float64{
		"robots.test 1h": 0, "robots.test 1d": 0, "robots.test 7d": 0, "robots.test 30d": 0,
		"people.test 1d": 1, "people.test 7d": 1, "people.test 30d": 1,
		"two.test 7d": 1. / 6, "two.test 30d": 1. / 6,
	}
	for labels, ratio := range want {
		if have, ok := got[labels]; !ok || have < ratio-1e-9 || have > ratio+1e-9 {
			t.Errorf("%s: %v (%v), want %v", labels, have, ok, ratio)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%v, want %v", got, want)
	}
	src.AccountsInSQL = nil
	collect(t, Names, src, "")
}
