// SPDX-License-Identifier: Apache-2.0

package database

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
)

// Schema is what the database's own catalogue says of ejabberd's schema. The configuration's flag is not asked: a server runs
// with a schema that does not fit its flag, and counts wrong.
type Schema struct {
	// Known: a table is there that tells which schema this is.
	Known bool
	// MultiHost: tables have a column server_host ("new schema"). Without it the rows of several vhosts can't be told apart.
	MultiHost bool
	// UserTypes: users has a row for each kind of password (from 25.03), so accounts must be counted distinct.
	UserTypes bool
	tables    map[string]bool // by name: whether it has server_host
}

// hostTables are tables of ejabberd's that have server_host in the new schema only. The first one that is there decides: where LDAP
// has the accounts there need not be a table users.
var hostTables = []string{
	"users", "archive", "last", "spool", "rosterusers", "private_storage", "vcard", "push_session", "muc_room", "sm",
}

// Has tells whether the table exists: newer servers make tables only for the modules in use.
func (s Schema) Has(table string) bool {
	_, there := s.tables[table]
	return there
}

// readSchema asks the catalogue, which every role may read whatever was granted to it.
func readSchema(ctx context.Context, conn *pgx.Conn) (Schema, error) {
	rows, err := conn.Query(ctx, `
		SELECT c.relname,
			coalesce(bool_or(a.attname = 'server_host'), false),
			coalesce(bool_or(a.attname = 'type'), false)
		FROM pg_catalog.pg_class c
		LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped AND a.attname IN ('server_host', 'type')
		WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
		GROUP BY c.relname`)
	if err != nil {
		return Schema{}, err
	}
	schema := Schema{tables: map[string]bool{}}
	var table string
	var host, typed bool
	_, err = pgx.ForEachRow(rows, []any{&table, &host, &typed}, func() error {
		schema.tables[table] = host
		if table == "users" {
			schema.UserTypes = typed
		}
		return nil
	})
	if i := slices.IndexFunc(hostTables, schema.Has); i >= 0 {
		schema.Known, schema.MultiHost = true, schema.tables[hostTables[i]]
	}
	return schema, err
}
