// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/database"
	"github.com/chapril/ejabberd_exporter/internal/ejabberd"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var roomsOnline = &metric.Metric{
	Name: "ejabberd_muc_rooms_online", Scope: metric.Cluster, Refreshed: true,
	Source: "API muc_online_rooms; muc_online_rooms_count with one vhost, from 26.01; PostgreSQL muc_online_room with ram_db_type: sql",
	Labels: []metric.Label{metric.Vhost},
	Help:   "Chat rooms that are alive in ejabberd's memory, with or without somebody in them",
}

// Rooms counts the rooms that are alive. With several vhosts ejabberd has to list them: the names pass through memory only.
var Rooms = Definition{
	Name: "rooms", Source: API, Refresh: 5 * time.Minute, Rare: true,
	Help:    "Chat rooms that are alive; off where ejabberd does not let us list them",
	Columns: map[string][]string{"muc_online_room": {"host", "server_host"}},
	Metrics: []*metric.Metric{roomsOnline},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		api, err := src.api()
		if err != nil {
			return err
		}
		if len(src.RoomsInSQL) > 0 {
			return src.roomRows(ctx, api, out)
		}
		vhosts, err := api.Vhosts(ctx)
		if err != nil {
			return err
		}
		version, _, err := api.Status(ctx)
		if err != nil {
			return err
		}
		if len(vhosts) == 1 && ejabberd.Since(version, "26.01") {
			n, err := api.RoomCount(ctx)
			if err != nil {
				return noRooms(err)
			}
			out.Add(roomsOnline, float64(n), vhosts[0])
			return nil
		}
		for _, vhost := range vhosts {
			out.Add(roomsOnline, 0, vhost)
		}
		var services map[string]string
		if src.Config != nil {
			services = src.Config.Services
		}
		return noRooms(namesOff(api.OnlineRooms(ctx, func(service string) {
			out.Add(roomsOnline, 1, database.ServiceLabel(service, vhosts, services))
		})))
	},
}

// roomRows counts rooms that ejabberd lists in SQL. The rows outlive a crash, so they are only believed while ejabberd answers.
func (s *Sources) roomRows(ctx context.Context, api AdminAPI, out *metric.Set) error {
	if _, err := api.Uptime(ctx); err != nil {
		return err
	}
	return s.refresh(ctx, func(ctx context.Context, db *database.Conn) error {
		if !db.Schema.Has("muc_online_room") {
			return nil
		}
		_, err := countServices(ctx, db, "muc_online_room", db.HostColumn(), both(db.Target.Vhosts, s.RoomsInSQL), out, roomsOnline, nil)
		return err
	})
}

// noRooms makes of an unknown command that there is nothing to count: it belongs to a module.
func noRooms(err error) error {
	if errors.Is(err, ejabberd.ErrUnknownCommand) {
		return fmt.Errorf("%w: ejabberd has no mod_muc_admin to ask for rooms: add it to modules", ErrOff)
	}
	return err
}
