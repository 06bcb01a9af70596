// SPDX-License-Identifier: Apache-2.0

package database

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// startPostgres starts a server with an empty database of that name.
func startPostgres(t *testing.T, name string) (*service.Database, *Databases) {
	t.Helper()
	server := service.PostgresForTest(t, "")
	execute(t, &service.Database{Postgres: server, Name: "postgres"}, "CREATE DATABASE "+name)
	login, err := pgx.ParseConfig(server.AdminURL(name))
	if err != nil {
		t.Fatal(err)
	}
	databases := New(&Target{Name: name, Login: login})
	t.Cleanup(func() { databases.Close(context.Background()) })
	return &service.Database{Postgres: server, Name: name}, databases
}

func execute(t *testing.T, db *service.Database, sql string) {
	t.Helper()
	if err := db.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// TestSchemaIsReadAgain: the exporter may connect before ejabberd makes its tables, and stay connected while it is upgraded.
func TestSchemaIsReadAgain(t *testing.T) {
	db, databases := startPostgres(t, "ejabberd")
	var backend uint32
	look := func() (schema Schema) {
		t.Helper()
		err := databases.Use(t.Context(), Scrape, "ejabberd", func(_ context.Context, c *Conn) error {
			if pid := c.PgConn().PID(); backend == 0 {
				backend = pid
			} else if pid != backend {
				t.Error("connected once more")
			}
			schema = c.Schema
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return schema
	}
	older := func() {
		c := databases.lanes[Scrape].conn
		c.read = c.read.Add(-schemaAge)
	}
	if s := look(); s.Known || s.MultiHost || s.Has("users") {
		t.Errorf("an empty database is %+v", s)
	}
	execute(t, db, `CREATE TABLE users (username text, server_host text)`)
	if s := look(); s.Has("users") {
		t.Error("the schema is read each time")
	}
	older()
	if s := look(); !s.Known || !s.MultiHost || s.UserTypes || !s.Has("users") || s.Has("sm") {
		t.Errorf("with a table of users it is %+v", s)
	}
	execute(t, db, `ALTER TABLE users ADD COLUMN type smallint; CREATE TABLE sm (username text, server_host text)`)
	older()
	if s := look(); !s.UserTypes || !s.Has("sm") {
		t.Errorf("after an upgrade it is %+v", s)
	}
	// A connection over which it can't be read is replaced.
	broken := databases.lanes[Scrape].conn
	if _, err := broken.Exec(t.Context(), `BEGIN; SELECT 1/0`, pgx.QueryExecModeSimpleProtocol); err == nil {
		t.Error("the transaction is not broken")
	}
	older()
	backend = 0
	if s := look(); !s.UserTypes || databases.lanes[Scrape].conn == broken {
		t.Errorf("after a failure it is %+v", s)
	}
}

// TestSchemaWithoutUsers: where LDAP has the accounts the other tables tell which schema it is.
func TestSchemaWithoutUsers(t *testing.T) {
	db, databases := startPostgres(t, "ejabberd")
	for _, c := range []struct {
		sql  string
		want Schema
	}{
		// This one has the column in either schema.
		{`CREATE TABLE route (domain text, server_host text)`, Schema{}},
		{`CREATE TABLE spool (username text, server_host text)`, Schema{Known: true, MultiHost: true}},
		{`ALTER TABLE spool DROP COLUMN server_host`, Schema{Known: true}},
		{`CREATE TABLE users (username text, server_host text)`, Schema{Known: true, MultiHost: true}},
	} {
		execute(t, db, c.sql)
		err := databases.Use(t.Context(), Refresh, "ejabberd", func(ctx context.Context, conn *Conn) error {
			got, err := readSchema(ctx, conn.Conn)
			if got.Known != c.want.Known || got.MultiHost != c.want.MultiHost {
				t.Errorf("after %s it is %+v, want %+v", c.sql, got, c.want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestSampleWithoutStatistics: after pg_upgrade PostgreSQL knows nothing of its tables; a large one is not read as a whole then.
func TestSampleWithoutStatistics(t *testing.T) {
	db, databases := startPostgres(t, "ejabberd")
	execute(t, db, `
		CREATE UNLOGGED TABLE large (t text) WITH (autovacuum_enabled = off);
		ALTER TABLE large ALTER COLUMN t SET STORAGE PLAIN; -- one row in a page
		INSERT INTO large SELECT repeat('x', 5000) FROM generate_series(1, 30000);
		CREATE TABLE small (t text) WITH (autovacuum_enabled = off);
		INSERT INTO small SELECT 'x' FROM generate_series(1, 100000)`)
	err := databases.Use(t.Context(), Refresh, "ejabberd", func(ctx context.Context, c *Conn) error {
		for table, sampled := range map[string]bool{"large": true, "small": false} {
			clause, factor, err := c.Sample(ctx, table)
			if err != nil {
				return err
			}
			if sampled != (clause != "") || sampled != (factor > 1) {
				t.Errorf("%s: %q, %v", table, clause, factor)
			}
			if !sampled {
				continue
			}
			var n float64
			if err := c.QueryRow(ctx, `SELECT count(*) FROM `+table+clause).Scan(&n); err != nil {
				return err
			}
			if n *= factor; n < 27_000 || n > 33_000 {
				t.Errorf("%s has %v rows by a sample", table, n)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
