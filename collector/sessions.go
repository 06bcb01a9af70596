// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"slices"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/ejabberd"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var sessions = &metric.Metric{
	Name: "ejabberd_sessions", Source: "API stats_host onlineusers; connected_users above 5 vhosts; PostgreSQL sm with sm_db_type: sql",
	Scope: metric.Cluster, Labels: []metric.Label{metric.Vhost},
	Help: "Client sessions, several of which may belong to one account, read every 60 seconds at most; " +
		"includes those without presence and those waiting to be resumed",
}

// manyVhosts is the number of vhosts above which one list of all sessions is cheaper than a question for each vhost.
const manyVhosts = 5

// Sessions counts client sessions.
var Sessions = Definition{
	Name: "sessions", Source: API, Reuse: time.Minute, Rare: true,
	Help:    "Client sessions; with more than 5 vhosts off where ejabberd does not let us list sessions",
	Columns: map[string][]string{"sm": {"username", "server_host"}},
	Metrics: []*metric.Metric{sessions},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		api, err := src.api()
		if err != nil {
			return err
		}
		// ejabberd answers 0 for a vhost that it does not have, so it says itself which ones it has.
		vhosts, err := api.Vhosts(ctx)
		if err != nil {
			return err
		}
		count := func(vhost string, _ ejabberd.Account) { out.Add(sessions, 1, vhost) }
		if len(src.SessionsInSQL) > 0 {
			stored, err := src.sessionRows(ctx, count)
			if err != nil {
				return err
			}
			for _, vhost := range stored {
				out.Add(sessions, 0, vhost)
			}
			vhosts = slices.DeleteFunc(slices.Clone(vhosts), func(v string) bool { return slices.Contains(src.SessionsInSQL, v) })
		}
		// A list would hold the sessions of all vhosts, so none is asked for where some are in SQL.
		if len(vhosts) > manyVhosts && len(src.SessionsInSQL) == 0 {
			for _, vhost := range vhosts {
				out.Add(sessions, 0, vhost)
			}
			return namesOff(api.ConnectedUsers(ctx, count))
		}
		for _, vhost := range vhosts {
			n, err := api.Sessions(ctx, vhost)
			if err != nil {
				return err
			}
			out.Add(sessions, float64(n), vhost)
		}
		return nil
	},
}
