// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/chapril/ejabberd_exporter/internal/database"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// manyNames is how many there must be before something is said of them: of a few it would say something about each.
const manyNames = 20

// enoughNames are read, the newest: shaping a name costs as much as scanning a hundred rows.
const enoughNames = 20000

var createdNameEntropy = &metric.Metric{
	Name: "ejabberd_accounts_created_name_entropy_ratio", Source: "PostgreSQL users", Scope: metric.Database, Refreshed: true, Fold: metric.Min,
	Labels: []metric.Label{metric.Vhost, metric.OneOf("window", "1h", "1d", "7d", "30d")},
	Help: "How unlike the names of ejabberd_accounts_created are, by where they have letters, digits and other signs: " +
		"1: no two have the same shape; 0: all have; of the newest " + strconv.Itoa(enoughNames) + "; absent below " + strconv.Itoa(manyNames),
}

// Names judges names without reading them: the database counts shapes and gives one number for each window.
var Names = Definition{
	Name: "names", Source: Database, Refresh: 15 * time.Minute,
	Help:    "How alike the names of new accounts are; no name leaves the database",
	Columns: map[string][]string{"users": {"username", "server_host", "created_at"}},
	Metrics: []*metric.Metric{createdNameEntropy},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		return src.refresh(ctx, func(ctx context.Context, db *database.Conn) error {
			if !slices.ContainsFunc(db.Target.Vhosts, src.hasAccounts) {
				return nil
			}
			return judgeNames(ctx, db, func(vhost, window string, ratio float64) {
				if vhost == metric.Shared || src.hasAccounts(vhost) {
					out.Add(createdNameEntropy, ratio, vhost, window)
				}
			})
		})
	},
}

// judgeNames tells of each window the entropy of the names' shapes, as a part of what it would be if no two were alike. A shape has
// an a for each letter, a 0 for each digit and a dot for the rest: marie.curie and paul.langevin have two, wxkfq481 and pzmhr077 one.
func judgeNames(ctx context.Context, db *database.Conn, tell func(vhost, window string, ratio float64)) error {
	var counts, ratios strings.Builder
	for i, window := range newcomerWindows {
		n := "n" + strconv.Itoa(i)
		counts.WriteString(`, count(*) FILTER (WHERE created_at >= (SELECT localtimestamp - interval '` + window.interval + `')) AS ` + n)
		// ln N - sum(n ln n)/N, divided by ln N
		ratios.WriteString(`, CASE WHEN sum(` + n + `) >= ` + strconv.Itoa(manyNames) +
			` THEN 1 - sum(` + n + ` * ln(greatest(` + n + `, 1)::float8)) / (sum(` + n + `)::float8 * ln(sum(` + n + `)::float8)) END`)
	}
	rows, err := db.Query(ctx, `
		SELECT host`+ratios.String()+` FROM (
			SELECT host, shape`+counts.String()+` FROM (
				SELECT host, created_at, regexp_replace(translate(lower(left(username, 64)), 'bcdefghijklmnopqrstuvwxyz123456789',
					repeat('a', 25) || repeat('0', 9)), '[^a0]', '.', 'g') AS shape
				FROM `+newAccounts(db)+` AS n ORDER BY created_at DESC LIMIT `+strconv.Itoa(enoughNames)+`
			) AS shaped GROUP BY 1, 2
		) AS shapes GROUP BY 1`)
	if err != nil {
		return err
	}
	var host string
	var ratio [4]*float64
	_, err = pgx.ForEachRow(rows, []any{&host, &ratio[0], &ratio[1], &ratio[2], &ratio[3]}, func() error {
		for i, window := range newcomerWindows {
			if ratio[i] != nil {
				tell(db.VhostLabel(host), window.name, *ratio[i])
			}
		}
		return nil
	})
	return err
}
