// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/chapril/ejabberd_exporter/internal/database"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// newcomerWindows are those of ejabberd_accounts_created, shortest first.
var newcomerWindows = []struct {
	name, interval string
	span           time.Duration
}{
	{"1h", "1 hour", time.Hour},
	{"1d", "1 day", 24 * time.Hour},
	{"7d", "7 days", 7 * 24 * time.Hour},
	{"30d", "30 days", 30 * 24 * time.Hour},
}

var createdUnused = &metric.Metric{
	Name: "ejabberd_accounts_created_unused", Source: "PostgreSQL users and last, API connected_users", Scope: metric.Database, Refreshed: true,
	Labels: []metric.Label{metric.Vhost, metric.OneOf("window", "1h", "1d", "7d", "30d")},
	Help: "Of ejabberd_accounts_created those that never came back: they are not online, and no session of theirs ended later than " +
		"10 minutes after they were made",
}

// Newcomers tells of new accounts whether somebody uses them: people come back, robots make accounts to keep.
var Newcomers = Definition{
	Name: "newcomers", Source: Database, Refresh: 15 * time.Minute, Rare: true,
	Help: "New accounts that nobody came back to; off where ejabberd does not let us list sessions",
	Columns: map[string][]string{
		"users": {"username", "server_host", "created_at"}, "last": {"username", "server_host", "seconds"},
	},
	Metrics: []*metric.Metric{createdUnused},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		online, err := src.present(ctx)
		if err != nil {
			return err
		}
		return src.inSQL(ctx, "mod_last", "last", func(ctx context.Context, db *database.Conn) error {
			known := both(src.storedVhosts(db, "mod_last", false), online.known)
			if len(known) == 0 {
				return nil
			}
			unused, err := countUnused(ctx, db, online)
			if err != nil {
				return err
			}
			for _, vhost := range known {
				if vhost != metric.Shared && !src.hasAccounts(vhost) {
					continue
				}
				for i, window := range newcomerWindows {
					out.Add(createdUnused, unused[vhost][i], vhost, window.name)
				}
			}
			return nil
		})
	},
}

// countUnused asks for new accounts of which no session ended later, and leaves out, here in memory, who is online.
func countUnused(ctx context.Context, db *database.Conn, online *presence) (map[string]*[4]float64, error) {
	unused := map[string]*[4]float64{}
	for _, vhost := range db.VhostLabels() {
		unused[vhost] = new([4]float64)
	}
	same := `l.username = n.username`
	if db.Schema.MultiHost {
		same += ` AND l.server_host = n.host`
	}
	rows, err := db.Query(ctx, `
		SELECT n.host, n.username, extract(epoch FROM localtimestamp - n.created_at)::float8
		FROM `+newAccounts(db)+` AS n LEFT JOIN last AS l ON `+same+`
		WHERE CASE WHEN l.seconds ~ '^[0-9]{1,11}$'
			THEN l.seconds::bigint <= extract(epoch FROM n.created_at::timestamptz) + 600
			ELSE true END`)
	if err != nil {
		return nil, err
	}
	present := online.in(db)
	var host, user string
	var age float64
	_, err = pgx.ForEachRow(rows, []any{&host, &user, &age}, func() error {
		vhost := db.VhostLabel(host)
		numbers, ours := unused[vhost]
		if !ours || take(present, user, vhost, db) {
			return nil
		}
		for i, window := range newcomerWindows {
			if age <= window.span.Seconds() {
				numbers[i]++
			}
		}
		return nil
	})
	return unused, err
}

// newAccounts is a sub-select of the accounts of the last 30 days. From 25.03 an account has several rows and is as old as its
// oldest: the others are looked up by the primary key, for new rows alone.
func newAccounts(db *database.Conn) string {
	cutoff := `(SELECT localtimestamp - interval '` + newcomerWindows[len(newcomerWindows)-1].interval + `')`
	if !db.Schema.UserTypes {
		return `(SELECT ` + db.HostColumn() + ` AS host, username, created_at FROM users WHERE created_at >= ` + cutoff + `)`
	}
	same := `o.username = u.username`
	if db.Schema.MultiHost {
		same += ` AND o.server_host = u.server_host`
	}
	return `(SELECT ` + db.HostColumn() + ` AS host, username, min(created_at) AS created_at FROM users AS u WHERE created_at >= ` + cutoff + `
		AND NOT EXISTS (SELECT FROM users AS o WHERE ` + same + ` AND o.created_at < ` + cutoff + `)
		GROUP BY 1, 2)`
}
