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
	archiveOldest = &metric.Metric{
		Name: "ejabberd_archive_oldest_timestamp_seconds", Source: "PostgreSQL archive.timestamp", Scope: metric.Database, Refreshed: true, Fold: metric.Min,
		Labels: []metric.Label{metric.Vhost},
		Help:   "When the oldest message of the archive was sent; absent while it is empty",
	}
	archiveRecent = &metric.Metric{
		Name: "ejabberd_archive_messages_recent", Source: "PostgreSQL archive.timestamp", Scope: metric.Database, Refreshed: true,
		Labels: []metric.Label{metric.Vhost, metric.OneOf("window", "1d")},
		Help:   "Messages that were archived within the last day, once for each account that keeps one; room archives included",
	}
)

// Archive tells how far the message archive reaches back and how fast it grows, by index: the archive is the largest table there
// is, and is never read as a whole.
var Archive = Definition{
	Name: "archive", Source: Database, Refresh: 15 * time.Minute,
	Help:    "How far the message archive (MAM) reaches back, and what was added lately",
	Columns: map[string][]string{"archive": {"server_host", "timestamp"}},
	Metrics: []*metric.Metric{archiveOldest, archiveRecent},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		return src.inSQL(ctx, "mod_mam", "archive", func(ctx context.Context, db *database.Conn) error {
			return readArchive(ctx, db, src.storedVhosts(db, "mod_mam", false), out)
		})
	},
}

// aDayAgo is in microseconds, as ejabberd writes timestamps.
const aDayAgo = `(SELECT (extract(epoch FROM now() - interval '1 day') * 1000000)::bigint)`

// The vhosts of the archive are found by skipping through the index from one to the next.
const archiveByVhost = `
	WITH RECURSIVE vhost (host) AS (
		SELECT min(server_host) FROM archive
		UNION ALL
		SELECT (SELECT min(server_host) FROM archive WHERE server_host > host) FROM vhost WHERE host IS NOT NULL
	)
	SELECT host,
		(SELECT min(timestamp) FROM archive WHERE server_host = host) / 1000000.0::float8,
		(SELECT count(*) FROM archive WHERE server_host = host AND timestamp >= ` + aDayAgo + `)
	FROM vhost WHERE host IS NOT NULL`

const archiveOfAll = `
	SELECT '', oldest / 1000000.0::float8, (SELECT count(*) FROM archive WHERE timestamp >= ` + aDayAgo + `)
	FROM (SELECT min(timestamp) AS oldest FROM archive) AS first WHERE oldest IS NOT NULL`

func readArchive(ctx context.Context, db *database.Conn, vhosts []string, out *metric.Set) error {
	for _, vhost := range vhosts {
		out.Add(archiveRecent, 0, vhost, "1d")
	}
	statement := archiveOfAll
	if db.Schema.MultiHost {
		statement = archiveByVhost
	}
	rows, err := db.Query(ctx, statement)
	if err != nil {
		return err
	}
	var host string
	var oldest, recent float64
	_, err = pgx.ForEachRow(rows, []any{&host, &oldest, &recent}, func() error {
		if vhost := db.VhostLabel(host); slices.Contains(vhosts, vhost) {
			out.Add(archiveOldest, oldest, vhost)
			out.Add(archiveRecent, recent, vhost, "1d")
		}
		return nil
	})
	return err
}
