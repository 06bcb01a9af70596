// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/chapril/ejabberd_exporter/internal/database"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// credentialTypes are the numbers of users.type from 25.03 on. Rows from before have none until their account logs in again: of
// those SCRAM is called unmigrated, whatever its hash.
var credentialTypes = []string{"unmigrated", "plain", "scram-sha-1", "scram-sha-256", "scram-sha-512"}

var accountCredentials = &metric.Metric{
	Name: "ejabberd_account_credentials", Source: "PostgreSQL users.type, users.iterationcount", Scope: metric.Database, Refreshed: true,
	Labels: []metric.Label{metric.Vhost, metric.OneOf("format", append([]string{"scram"}, credentialTypes...)...)},
	Help: "Accounts by the form in which their password is stored, of which an account can have several; up to ejabberd 24.12 plain and scram only; " +
		"unmigrated is SCRAM from before 25.03 whose account has not logged in since",
}

// Credentials counts the forms in which passwords are stored. It never sees a password, hash or salt: it may not read those columns.
var Credentials = Definition{
	Name: "credentials", Source: Database, Refresh: time.Hour,
	Help:    "How passwords are stored, without reading any",
	Columns: map[string][]string{"users": {"server_host", "iterationcount", "type"}},
	Metrics: []*metric.Metric{accountCredentials},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		return src.refresh(ctx, func(ctx context.Context, db *database.Conn) error {
			formats, kind := []string{"plain", "scram"}, "(iterationcount > 0)::int"
			if db.Schema.UserTypes {
				// A password without a number is as plain as it was before 25.03: type 0 is what the upgrade gave to every row.
				formats, kind = credentialTypes, "CASE WHEN type = 0 AND iterationcount = 0 THEN 1 ELSE type END"
			}
			wanted := identity(src.accountVhosts(db))
			for vhost := range wanted {
				for _, format := range formats {
					out.Add(accountCredentials, 0, vhost, format)
				}
			}
			if len(wanted) == 0 {
				return nil
			}
			rows, err := db.Query(ctx, `SELECT `+db.HostColumn()+`, `+kind+`, count(*) FROM users GROUP BY 1, 2`)
			if err != nil {
				return err
			}
			var host string
			var format int
			var n float64
			_, err = pgx.ForEachRow(rows, []any{&host, &format, &n}, func() error {
				if vhost := db.VhostLabel(host); wanted[vhost] != "" && format >= 0 && format < len(formats) {
					out.Add(accountCredentials, n, vhost, formats[format])
				}
				return nil
			})
			return err
		})
	},
}

// accountVhosts are the labels that a database must have a number of accounts for.
func (s *Sources) accountVhosts(db *database.Conn) []string { return vhostLabels(db, s.AccountsInSQL) }

// vhostLabels are those that a database must have a number for, of what these vhosts keep in theirs.
func vhostLabels(db *database.Conn, vhosts []string) []string {
	kept := both(db.Target.Vhosts, vhosts)
	if len(kept) > 0 && !db.Schema.MultiHost {
		return db.VhostLabels()
	}
	return kept
}
