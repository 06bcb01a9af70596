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
