// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/chapril/ejabberd_exporter/internal/database"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// bigTables are those of ejabberd's tables that grow with its users, the largest of each module's.
var bigTables = []string{
	"archive", "last", "muc_room", "private_storage", "pubsub_item", "push_session", "rosterusers", "spool", "users", "vcard",
}

var (
	tableLabel = metric.OneOf("table", bigTables...)

	tableSize = &metric.Metric{
		Name: "ejabberd_database_table_size_bytes", Source: "PostgreSQL pg_total_relation_size", Scope: metric.Database,
		Labels: []metric.Label{databaseLabel, tableLabel},
		Help:   "Size of the table on disk, with its indexes",
	}
	tableRows = &metric.Metric{
		Name: "ejabberd_database_table_rows_estimate", Source: "PostgreSQL pg_class.reltuples", Scope: metric.Database,
		Labels: []metric.Label{databaseLabel, tableLabel},
		Help:   "Rows of the table as PostgreSQL estimated them when it last analysed it; absent before the first time",
	}
	tableDead = &metric.Metric{
		Name: "ejabberd_database_table_dead_rows", Source: "PostgreSQL pg_stat_user_tables", Scope: metric.Database,
		Labels: []metric.Label{databaseLabel, tableLabel},
		Help:   "Rows that are deleted and not yet vacuumed away",
	}
)

// Tables tells how large tables are, from PostgreSQL's catalogue: for that no table has to be readable.
var Tables = Definition{
	Name: "tables", Source: Database, Reuse: time.Minute,
	Help:    "Size and rows of ejabberd's large tables",
	Metrics: []*metric.Metric{tableSize, tableRows, tableDead},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		if src.Databases == nil {
			return src.absent(errNoSQL)
		}
		var errs []error
		for _, name := range src.Databases.Names() {
			errs = append(errs, src.Databases.Use(ctx, database.Scrape, name, func(ctx context.Context, db *database.Conn) error {
				return readTables(ctx, db, out)
			}))
		}
		return errors.Join(errs...)
	},
}

func readTables(ctx context.Context, db *database.Conn, out *metric.Set) error {
	// pg_total_relation_size waits for locks: no other table may be in the way. reltuples is -1 before the first ANALYZE,
	// up to PostgreSQL 13 it was 0: then there are pages that the catalogue does not know of either.
	rows, err := db.Query(ctx, `
		SELECT c.relname, pg_total_relation_size(c.oid),
			CASE WHEN c.reltuples > 0 OR c.reltuples = 0 AND (c.relpages > 0 OR pg_relation_size(c.oid) = 0) THEN c.reltuples::float8 END,
			coalesce(s.n_dead_tup, 0)
		FROM pg_class AS c LEFT JOIN pg_stat_user_tables AS s ON s.relid = c.oid
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname IN ('`+strings.Join(bigTables, "', '")+`')`)
	if err != nil {
		return err
	}
	var table string
	var size, dead float64
	var estimate *float64
	_, err = pgx.ForEachRow(rows, []any{&table, &size, &estimate, &dead}, func() error {
		name := db.Target.Name
		out.Add(tableSize, size, name, table)
		out.Add(tableDead, dead, name, table)
		if estimate != nil {
			out.Add(tableRows, *estimate, name, table)
		}
		return nil
	})
	return err
}
