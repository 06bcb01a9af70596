// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/chapril/ejabberd_exporter/internal/database"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var (
	roomsStored = &metric.Metric{
		Name: "ejabberd_muc_rooms_stored", Source: "PostgreSQL muc_room", Scope: metric.Database, Refreshed: true,
		Labels: []metric.Label{metric.Vhost},
		Help:   "Persistent chat rooms, those asleep included",
	}
	subscribers = &metric.Metric{
		Name: "ejabberd_muc_subscribers", Source: "PostgreSQL muc_room_subscribers", Scope: metric.Database, Refreshed: true,
		Labels: []metric.Label{metric.Vhost},
		Help:   "Subscriptions to rooms (MucSub), which last while their owners are away",
	}
)

// MUC counts the rooms that are stored.
var MUC = Definition{
	Name: "muc", Source: Database, Refresh: 5 * time.Minute,
	Help: "Persistent chat rooms and subscriptions to them",
	Columns: map[string][]string{
		"muc_room":             {"host", "server_host"},
		"muc_room_subscribers": {"host"},
	},
	Metrics: []*metric.Metric{roomsStored, subscribers},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		return src.inSQL(ctx, "mod_muc", "muc_room", func(ctx context.Context, db *database.Conn) error {
			vhosts := src.storedVhosts(db, "mod_muc", true)
			services, err := countServices(ctx, db, "muc_room", db.HostColumn(), vhosts, out, roomsStored, nil)
			if err != nil || !db.Schema.Has("muc_room_subscribers") {
				return err
			}
			// This table has no server_host in any schema, but the rooms of a service tell whose it is.
			_, err = countServices(ctx, db, "muc_room_subscribers", "''::text", vhosts, out, subscribers, services)
			return err
		})
	},
}

// countServices counts the rows of each service and returns whose each is. That is what the column owner says, or who is known,
// or what the service's name tells.
func countServices(ctx context.Context, db *database.Conn, table, owner string, vhosts []string, out *metric.Set, m *metric.Metric, known map[string]string) (map[string]string, error) {
	for _, vhost := range vhosts {
		out.Add(m, 0, vhost)
	}
	rows, err := db.Query(ctx, `SELECT host, `+owner+`, count(*) FROM `+table+` GROUP BY 1, 2`)
	if err != nil {
		return nil, err
	}
	wanted := identity(append([]string{metric.Shared}, vhosts...))
	services := map[string]string{}
	var service, host string
	var n float64
	_, err = pgx.ForEachRow(rows, []any{&service, &host, &n}, func() error {
		vhost, ok := known[service]
		switch {
		case ok:
		case host != "":
			vhost = db.VhostLabel(host)
		default:
			vhost = db.ServiceLabel(service)
		}
		services[service] = vhost
		if wanted[vhost] != "" {
			out.Add(m, n, vhost)
		}
		return nil
	})
	return services, err
}
