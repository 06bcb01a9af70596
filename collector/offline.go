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
	offlineMessages = &metric.Metric{
		Name: "ejabberd_offline_messages", Source: "PostgreSQL spool", Scope: metric.Database, Refreshed: true,
		Labels: []metric.Label{metric.Vhost},
		Help:   "Messages that wait for accounts to come online",
	}
	offlineAccounts = &metric.Metric{
		Name: "ejabberd_offline_accounts", Source: "PostgreSQL spool", Scope: metric.Database, Refreshed: true,
		Labels: []metric.Label{metric.Vhost},
		Help:   "Accounts for which messages wait",
	}
	offlineOldest = &metric.Metric{
		Name: "ejabberd_offline_oldest_timestamp_seconds", Source: "PostgreSQL spool.created_at", Scope: metric.Database, Refreshed: true, Fold: metric.Min,
		Labels: []metric.Label{metric.Vhost},
		Help:   "When the oldest message that waits was stored; absent while none does",
	}
)

// Offline counts messages that wait.
var Offline = Definition{
	Name: "offline", Source: Database, Refresh: 5 * time.Minute,
	Help:    "Messages that wait for accounts to come online",
	Columns: map[string][]string{"spool": {"username", "server_host", "created_at"}},
	Metrics: []*metric.Metric{offlineMessages, offlineAccounts, offlineOldest},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		return src.inSQL(ctx, "mod_offline", "spool", func(ctx context.Context, db *database.Conn) error {
			return countOffline(ctx, db, src.storedVhosts(db, "mod_offline", false), out)
		})
	},
}

// countOffline groups by account first, which is several times faster than count(DISTINCT). created_at is server-local time
// without a zone: cast in the server's own zone, which is the session's, it is a point in time.
func countOffline(ctx context.Context, db *database.Conn, vhosts []string, out *metric.Set) error {
	for _, vhost := range vhosts {
		out.Add(offlineMessages, 0, vhost)
		out.Add(offlineAccounts, 0, vhost)
	}
	rows, err := db.Query(ctx, `
		SELECT host, sum(messages)::bigint, count(*), extract(epoch FROM min(oldest)::timestamptz)::float8
		FROM (
			SELECT `+db.HostColumn()+` AS host, count(*) AS messages, min(created_at) AS oldest
			FROM spool GROUP BY 1, username
		) AS account
		GROUP BY 1`)
	if err != nil {
		return err
	}
	var host string
	var messages, accounts, oldest float64
	_, err = pgx.ForEachRow(rows, []any{&host, &messages, &accounts, &oldest}, func() error {
		vhost := db.VhostLabel(host)
		if !slices.Contains(vhosts, vhost) {
			return nil
		}
		out.Add(offlineMessages, messages, vhost)
		out.Add(offlineAccounts, accounts, vhost)
		out.Add(offlineOldest, oldest, vhost)
		return nil
	})
	return err
}
