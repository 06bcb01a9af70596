// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// dismiss cuts the exporter's connections.
const dismiss = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'ejabberd_exporter'"

// ofPostgres is what happens to PostgreSQL.
var ofPostgres = []fault{
	{
		name: "PostgreSQL hangs (SIGSTOP)", fails: "database ejabberd_database_up",
		begin: func(t *testing.T, s *stage) (end func()) {
			deliver(t, s.Postgres.Signal, syscall.SIGSTOP)
			return func() { deliver(t, s.Postgres.Signal, syscall.SIGCONT) }
		},
	},
	{
		name: "tables are locked for minutes", begin: locked, lasts: 150 * time.Second,
	},
	{
		name: "all connections of PostgreSQL are taken", fails: "database",
		begin: func(t *testing.T, s *stage) (end func()) {
			var all []*pgx.Conn
			url := s.Postgres.URL(s.Database.Role, s.Database.Password, s.Database.Name)
			for full := 0; full < 2; full++ { // once more when the exporter has lost its own
				for {
					conn, err := pgx.Connect(t.Context(), url)
					if err != nil {
						break
					}
					all = append(all, conn)
				}
				s.execute(t, dismiss)
			}
			return func() {
				for _, conn := range all {
					_ = conn.Close(context.WithoutCancel(t.Context()))
				}
			}
		},
	},
	{
		name: "the exporter's role may not log in any more", fails: "database",
		begin: func(t *testing.T, s *stage) (end func()) {
			s.execute(t, "ALTER ROLE ejabberd_exporter NOLOGIN", dismiss)
			return func() { s.execute(t, "ALTER ROLE ejabberd_exporter LOGIN") }
		},
	},
	{
		name: "the exporter's role may read no table any more",
		begin: func(t *testing.T, s *stage) (end func()) {
			s.execute(t, "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ejabberd_exporter")
			return func() { s.grant(t) }
		},
	},
	{
		name: "PostgreSQL is restarted", quick: true,
		begin: func(t *testing.T, s *stage) (end func()) {
			done := make(chan error, 1)
			go func() {
				s.Postgres.Stop()
				done <- s.Postgres.Start(t.Context())
			}()
			return func() {
				if err := <-done; err != nil {
					t.Fatal(err)
				}
			}
		},
	},
	{
		name: "PostgreSQL is killed", fails: "database ejabberd_database_up",
		begin: func(t *testing.T, s *stage) (end func()) {
			deliver(t, s.Postgres.Signal, syscall.SIGKILL)
			return func() {
				s.Postgres.Stop() // waits until it is gone
				if err := s.Postgres.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		},
	},
}

// locked holds tables as a migration would.
func locked(t *testing.T, s *stage) (end func()) {
	conn, err := pgx.Connect(t.Context(), s.Postgres.AdminURL(s.Database.Name))
	must(t, err)
	for _, sql := range []string{"BEGIN", "LOCK TABLE users, last, spool, archive IN ACCESS EXCLUSIVE MODE"} {
		_, err := conn.Exec(t.Context(), sql)
		must(t, err)
	}
	return func() { _ = conn.Close(context.WithoutCancel(t.Context())) }
}
