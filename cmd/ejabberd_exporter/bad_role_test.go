// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/service"
)

// TestTheRoleSeesNothingPersonal: the GRANTs are the wall. Whoever steals the role can undo its settings, but reads no password,
// message, contact or session, and writes nothing.
func TestTheRoleSeesNothingPersonal(t *testing.T) {
	t.Parallel()
	service.Require(t)
	server := startPostgres(t)
	for _, schema := range []string{"pg.new.sql", "pg.sql"} {
		t.Run(schema, func(t *testing.T) {
			db := makeDatabase(t, server, schema)
			prepareRole(t, db)
			role, err := pgx.Connect(t.Context(), server.URL("ejabberd_exporter", rolePassword, db.Name))
			if err != nil {
				t.Fatal(err)
			}
			defer role.Close(t.Context())
			const readOnly, denied = "25006", "42501"
			wantRefused(t, role, readOnly, "UPDATE users SET username = username", "CREATE TABLE mine (x int)", "CREATE TEMPORARY TABLE mine (x int)")
			if _, err := role.Exec(t.Context(), "SET default_transaction_read_only = off"); err != nil {
				t.Fatal(err)
			}
			if _, err := role.Exec(t.Context(), "SELECT count(username) FROM users"); err != nil {
				t.Errorf("what it is for: %v", err)
			}
			wantRefused(t, role, denied,
				"SELECT password FROM users", "SELECT serverkey FROM users", "SELECT salt FROM users", "SELECT * FROM users",
				"SELECT xml FROM spool", "SELECT xml FROM archive", "SELECT txt FROM archive", "SELECT bare_peer FROM archive",
				"SELECT jid FROM rosterusers", "SELECT nick FROM rosterusers", "SELECT data FROM private_storage", "SELECT vcard FROM vcard",
				"SELECT opts FROM muc_room", "SELECT token FROM oauth_token", "SELECT resource FROM sm", "SELECT info FROM sm",
				"UPDATE users SET username = username", "DELETE FROM last", "INSERT INTO users (username, password) VALUES ('a', '')", "TRUNCATE spool",
				"SELECT username FROM users FOR UPDATE", "DO $$ BEGIN LOCK TABLE users IN ACCESS EXCLUSIVE MODE; END $$",
				"CREATE TABLE mine (x int)", "CREATE SCHEMA mine", "ALTER TABLE users ADD COLUMN mine int", "GRANT SELECT ON users TO PUBLIC",
				"CREATE ROLE mine", "SET ROLE postgres", "SELECT pg_read_file('postgresql.conf')", "COPY users (username) TO PROGRAM 'cat'",
			)

			// Every role may make temporary tables, unless that is taken from all of them: the line is printed, but commented out,
			// since others may need it.
			const temporary = "CREATE TEMPORARY TABLE mine (x int)"
			if _, err := role.Exec(t.Context(), temporary); err != nil {
				t.Errorf("PostgreSQL is stricter than the printed remark says: %v", err)
			}
			_, line, found := strings.Cut(grants(collector.ByDefault()), "\n-- REVOKE TEMPORARY ON DATABASE ")
			if !found {
				t.Fatal("--grants does not print how to forbid temporary tables")
			}
			_, rest, _ := strings.Cut(line, " ")
			rest, _, _ = strings.Cut(rest, "\n")
			execute(t, db, "REVOKE TEMPORARY ON DATABASE "+db.Name+" "+rest)
			wantRefused(t, role, denied, strings.Replace(temporary, "mine", "other", 1))
		})
	}
}

// wantRefused wants each statement to be refused with a SQLSTATE.
func wantRefused(t *testing.T, role *pgx.Conn, state string, statements ...string) {
	t.Helper()
	for _, sql := range statements {
		_, err := role.Exec(t.Context(), sql)
		if refused := (*pgconn.PgError)(nil); !errors.As(err, &refused) || refused.Code != state {
			t.Errorf("%s: %v, want SQLSTATE %s", sql, err, state)
		}
	}
}
