// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/service"
)

// TestTheRoleSeesNothingPersonal: the GRANTs are the wall. Whoever steals the role can undo its settings, but reads no password,
// message, contact or session, and writes nothing: on the schemas of this machine's ejabberd and of those that EJABBERD_ROOTS names.
func TestTheRoleSeesNothingPersonal(t *testing.T) {
	t.Parallel()
	service.Require(t)
	for _, root := range append([]string{""}, strings.Fields(os.Getenv(rootsVariable))...) {
		t.Run(filepath.Base(cmp.Or(root, "here")), func(t *testing.T) {
			theRoleSeesNothingPersonal(t, service.PostgresForTest(t, service.Root(root)))
		})
	}
}

func theRoleSeesNothingPersonal(t *testing.T, server *service.Postgres) {
	for _, schema := range []string{"pg.new.sql", "pg.sql"} {
		t.Run(schema, func(t *testing.T) {
			db := makeDatabase(t, server, schema)
			prepareRole(t, db)
			role, err := pgx.Connect(t.Context(), server.URL("ejabberd_exporter", rolePassword, db.Name))
			if err != nil {
				t.Fatal(err)
			}
			defer role.Close(t.Context())
			wantExactly(t, db)
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

// personal are names of columns that are about what people say, know or hold secret, in any table of any release.
var personal = []string{
	"password", "serverkey", "salt", "storedkey", "xml", "txt", "peer", "bare_peer", "nick", "subscribers", "data", "vcard", "token", "resource", "info", "opts", "name", "payload",
	"publisher", "service", "node", "lphoto", "photo",
}

// wantExactly wants the role to read the columns that the collectors declare, and nothing else of what is there; and to write nothing.
func wantExactly(t *testing.T, db *service.Database) {
	t.Helper()
	admin, err := pgx.Connect(t.Context(), db.Postgres.AdminURL(db.Name))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(t.Context())
	rows, err := admin.Query(t.Context(), `SELECT c.relname, a.attname, has_column_privilege('ejabberd_exporter', c.oid, a.attnum, 'SELECT'),
			has_column_privilege('ejabberd_exporter', c.oid, a.attnum, 'INSERT, UPDATE, REFERENCES')
				OR has_table_privilege('ejabberd_exporter', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')`)
	if err != nil {
		t.Fatal(err)
	}
	type column struct {
		Table, Name  string
		Reads, Write bool
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[column])
	if err != nil {
		t.Fatal(err)
	}
	declared, read := collector.Columns(collector.ByDefault()), 0
	for _, c := range all {
		if wanted := slices.Contains(declared[c.Table], c.Name); c.Reads != wanted {
			t.Errorf("%s.%s: may be read: %v, declared: %v", c.Table, c.Name, c.Reads, wanted)
		}
		if c.Reads && slices.Contains(personal, c.Name) {
			t.Errorf("%s.%s is personal, and is read", c.Table, c.Name)
		}
		if c.Write {
			t.Errorf("%s.%s may be written", c.Table, c.Name)
		}
		if c.Reads {
			read++
		}
	}
	if read < 10 || len(all) < 5*read/2 {
		t.Errorf("%d of %d columns are read: this test looks for the wrong thing", read, len(all))
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
