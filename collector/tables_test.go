// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/chapril/ejabberd_exporter/internal/database"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// TestSomebodyElsesLock: ejabberd's tables are measured while a table of another program in the same database is locked.
func TestSomebodyElsesLock(t *testing.T) {
	server := startPostgres(t)
	src := fill(t, server, "ejabberd", "pg.new.sql", `CREATE TABLE elsewhere (n int)`, "one.test")
	other, err := pgx.Connect(t.Context(), server.AdminURL("ejabberd"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(t.Context())
	if _, err := other.Exec(t.Context(), `BEGIN; LOCK TABLE elsewhere`); err != nil {
		t.Fatal(err)
	}
	out := metric.NewSet(src.Bounds)
	if err := Tables.Collect(t.Context(), src, out); err != nil {
		t.Fatal(err)
	}
	for _, table := range bigTables {
		if size, ok := out.Get(tableSize, "ejabberd", table); !ok || size <= 0 {
			t.Errorf("table %s has %v bytes", table, size)
		}
	}
}

// TestNothingIsCompiled: neither connection lets PostgreSQL compile what it is asked (decision 27).
func TestNothingIsCompiled(t *testing.T) {
	src := fill(t, startPostgres(t), "ejabberd", "pg.new.sql", `SELECT`, "one.test")
	for _, lane := range []database.Lane{database.Scrape, database.Refresh} {
		err := src.Databases.Use(t.Context(), lane, "ejabberd", func(ctx context.Context, db *database.Conn) error {
			var jit string
			err := db.QueryRow(ctx, "SHOW jit").Scan(&jit)
			if jit != "off" {
				t.Errorf("lane %d: jit is %q", lane, jit)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// TestTablesNeverAnalysed: up to PostgreSQL 13 the catalogue says 0 rows until it has counted some, later -1.
func TestTablesNeverAnalysed(t *testing.T) {
	src := fill(t, startPostgres(t), "ejabberd", "pg.new.sql", `
		ALTER TABLE last SET (autovacuum_enabled = off); ALTER TABLE spool SET (autovacuum_enabled = off);
		ALTER TABLE vcard SET (autovacuum_enabled = off); ALTER TABLE users SET (autovacuum_enabled = off);
		INSERT INTO last (username, server_host, seconds, state) VALUES ('a', 'one.test', '0', '');
		INSERT INTO vcard (username, server_host, vcard) VALUES ('a', 'one.test', '');
		INSERT INTO users (username, server_host, password) VALUES ('a', 'one.test', '');
		ANALYZE users;
		ANALYZE vcard;
		UPDATE pg_class SET reltuples = 0, relpages = 0 WHERE relname IN ('last', 'spool');
		UPDATE pg_class SET reltuples = 0 WHERE relname = 'vcard' -- as if its row had been deleted`, "one.test")
	out := metric.NewSet(src.Bounds)
	if err := Tables.Collect(t.Context(), src, out); err != nil {
		t.Fatal(err)
	}
	for table, want := range map[string]float64{"last": -1, "spool": 0, "vcard": 0, "users": 1} {
		if n, known := out.Get(tableRows, "ejabberd", table); known != (want >= 0) || known && n != want {
			t.Errorf("%s has %v rows (%v), want %v", table, n, known, want)
		}
		if _, known := out.Get(tableSize, "ejabberd", table); !known {
			t.Errorf("%s has no size", table)
		}
	}
}
