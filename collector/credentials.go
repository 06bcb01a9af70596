// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/chapril/ejabberd_exporter/internal/database"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// credentialTypes are the numbers of users.type from 25.03 on. Rows from before have none until their account logs in again.
var credentialTypes = []string{"unmigrated", "plain", "scram-sha-1", "scram-sha-256", "scram-sha-512"}

var accountCredentials = &metric.Metric{
	Name: "ejabberd_account_credentials", Source: "PostgreSQL users.type, users.iterationcount up to ejabberd 24.12", Scope: metric.Database, Refreshed: true,
	Labels: []metric.Label{metric.Vhost, metric.OneOf("format", append([]string{"scram"}, credentialTypes...)...)},
	Help:   "Accounts by the form in which their password is stored, of which an account can have several; up to ejabberd 24.12 plain and scram only",
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
				formats, kind = credentialTypes, "type"
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
func (s *Sources) accountVhosts(db *database.Conn) []string {
	kept := both(db.Target.Vhosts, s.AccountsInSQL)
	if len(kept) > 0 && !db.Schema.MultiHost {
		return db.VhostLabels()
	}
	return kept
}
