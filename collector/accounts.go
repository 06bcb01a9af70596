// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/chapril/ejabberd_exporter/internal/database"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var (
	accounts = &metric.Metric{
		Name: "ejabberd_accounts", Source: "PostgreSQL users", Scope: metric.Database, Refreshed: true,
		Labels: []metric.Label{metric.Vhost},
		Help:   "Accounts that exist",
	}
	accountsCreated = &metric.Metric{
		Name: "ejabberd_accounts_created", Source: "PostgreSQL users.created_at", Scope: metric.Database, Refreshed: true,
		Labels: []metric.Label{metric.Vhost, metric.OneOf("window", "1h", "1d", "7d", "30d")},
		Help: "Accounts created within the last hour, day, 7 or 30 days that still exist; the windows contain each other, " +
			"and from ejabberd 25.03 on a changed password makes an account new",
	}
)

// Accounts counts accounts.
var Accounts = Definition{
	Name: "accounts", Source: Database, Refresh: 5 * time.Minute,
	Help:    "Accounts, and how many are new",
	Columns: map[string][]string{"users": {"username", "server_host", "created_at"}},
	Metrics: []*metric.Metric{accounts, accountsCreated},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		return src.refresh(ctx, func(ctx context.Context, db *database.Conn) error {
			if !slices.ContainsFunc(db.Target.Vhosts, src.hasAccounts) {
				return nil
			}
			counted, err := countAccounts(ctx, db)
			if err != nil {
				return err
			}
			for vhost, n := range counted {
				if vhost != metric.Shared && !src.hasAccounts(vhost) {
					continue
				}
				out.Add(accounts, n.All, vhost)
				out.Add(accountsCreated, n.Hour, vhost, "1h")
				out.Add(accountsCreated, n.Day, vhost, "1d")
				out.Add(accountsCreated, n.Week, vhost, "7d")
				out.Add(accountsCreated, n.Month, vhost, "30d")
			}
			return nil
		})
	},
}

// hasAccounts tells whether the vhost's accounts are in the database.
func (s *Sources) hasAccounts(vhost string) bool { return slices.Contains(s.AccountsInSQL, vhost) }

// accountNumbers are the numbers of one vhost.
type accountNumbers struct{ All, Hour, Day, Week, Month float64 }

// created_at is server-local time without a zone, so it is compared with the server's own local time. Each cut-off is a
// sub-select, which PostgreSQL computes once; written as an expression it would be computed for every row, at 5 times the cost.
const createdWindows = `
	count(*) FILTER (WHERE created_at >= (SELECT localtimestamp - interval '1 hour')),
	count(*) FILTER (WHERE created_at >= (SELECT localtimestamp - interval '1 day')),
	count(*) FILTER (WHERE created_at >= (SELECT localtimestamp - interval '7 days')),
	count(*) FILTER (WHERE created_at >= (SELECT localtimestamp - interval '30 days'))`

// countAccounts counts by vhost. From 25.03 an account has a row for each kind of password: those are one account, as old as
// its oldest row.
func countAccounts(ctx context.Context, db *database.Conn) (map[string]*accountNumbers, error) {
	from := `users`
	if db.Schema.UserTypes {
		from = `(SELECT ` + db.HostColumn() + `, min(created_at) AS created_at FROM users GROUP BY ` + db.HostColumn() + `, username) AS account`
	}
	rows, err := db.Query(ctx, `SELECT `+db.HostColumn()+`, count(*), `+createdWindows+` FROM `+from+` GROUP BY 1`)
	if err != nil {
		return nil, err
	}
	counted := map[string]*accountNumbers{}
	for _, vhost := range db.VhostLabels() {
		counted[vhost] = &accountNumbers{}
	}
	var host string
	var n accountNumbers
	_, err = pgx.ForEachRow(rows, []any{&host, &n.All, &n.Hour, &n.Day, &n.Week, &n.Month}, func() error {
		if sum, ours := counted[db.VhostLabel(host)]; ours {
			*sum = n
		}
		return nil
	})
	return counted, err
}
