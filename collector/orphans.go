// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"slices"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/database"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// ownedTables hold rows of accounts, and should hold none once the account is gone.
var ownedTables = []struct{ store, table, where string }{
	{"mod_last", "last", ""},
	{"mod_mam", "archive", " AND strpos(t.username, '@') = 0"}, // the others are archives of rooms
	{"mod_offline", "spool", ""},
	{"mod_private", "private_storage", ""},
	{"mod_push", "push_session", ""},
	{"mod_roster", "rosterusers", ""},
	{"mod_vcard", "vcard", ""},
}

var orphanRows = &metric.Metric{
	Name: "ejabberd_orphan_rows", Source: "PostgreSQL, tables without users", Scope: metric.Database, Refreshed: true,
	Labels: []metric.Label{metric.Vhost, metric.OneOf("table", ownedTableNames()...)},
	Help:   "Rows of accounts that no longer exist: data that should have gone with them" + estimated,
}

// Orphans looks for what deleted accounts left behind.
var Orphans = Definition{
	Name: "orphans", Source: Database, Refresh: 24 * time.Hour, Disabled: true,
	Help: "Data of accounts that no longer exist",
	Columns: map[string][]string{
		"users": {"username", "server_host"}, "last": {"username", "server_host"}, "archive": {"username", "server_host"},
		"spool": {"username", "server_host"}, "private_storage": {"username", "server_host"}, "push_session": {"username", "server_host"},
		"rosterusers": {"username", "server_host"}, "vcard": {"username", "server_host"},
	},
	Metrics: []*metric.Metric{orphanRows},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		return src.refresh(ctx, func(ctx context.Context, db *database.Conn) error {
			accounts := src.accountVhosts(db)
			for _, o := range ownedTables {
				vhosts := both(src.storedVhosts(db, o.store, false), accounts)
				if len(vhosts) == 0 || !db.Schema.Has(o.table) || !src.allHaveAccounts(db) {
					continue
				}
				// The anti-join happens inside PostgreSQL: no name leaves it.
				same := "u.username = t.username"
				if db.Schema.MultiHost {
					same += " AND u.server_host = t.server_host"
				}
				rows := stored{
					table: o.table, join: "WHERE NOT EXISTS (SELECT FROM users AS u WHERE " + same + ")" + o.where,
					counts: []count{{metric: orphanRows, labels: []string{o.table}}},
				}
				if err := rows.count(ctx, db, vhosts, out); err != nil {
					return err
				}
			}
			return nil
		})
	},
}

func ownedTableNames() []string {
	var names []string
	for _, o := range ownedTables {
		names = append(names, o.table)
	}
	return names
}

// allHaveAccounts tells whether the owners of an old-schema database's rows are all in its table users.
func (s *Sources) allHaveAccounts(db *database.Conn) bool {
	return db.Schema.MultiHost || !slices.ContainsFunc(db.Target.Vhosts, func(v string) bool { return !s.hasAccounts(v) })
}
