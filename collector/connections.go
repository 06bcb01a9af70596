// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"fmt"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/ejabberd"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var (
	connectionKinds = []string{"c2s", "c2s_tls", "websocket", "http_bind"}
	families        = []string{"ip4", "ip6"}
	shows           = []string{"available", "chat", "away", "xa", "dnd", "unavailable"}

	sessionConnections = &metric.Metric{
		Name: "ejabberd_session_connections", Source: "API connected_users_info", Scope: metric.Cluster, Refreshed: true,
		Labels: []metric.Label{metric.Vhost, metric.OneOf("connection", connectionKinds...), metric.OneOf("family", families...)},
		Help: "Sessions by how they are connected: c2s_tls is STARTTLS and direct TLS alike, http_bind is BOSH; " +
			"not read above --sessions.max sessions, because it asks every session's process",
	}
	sessionsByShow = &metric.Metric{
		Name: "ejabberd_sessions_by_show", Source: "API connected_users_info", Scope: metric.Cluster, Refreshed: true,
		Labels: []metric.Label{metric.Vhost, metric.OneOf("show", shows...)},
		Help:   "Sessions by what they show of themselves; unavailable before the first presence",
	}
	sessionAge = &metric.Metric{
		Name: "ejabberd_session_age_seconds", Source: "API connected_users_info", Scope: metric.Cluster, Refreshed: true,
		Kind: metric.Histogram, Snapshot: true, Buckets: []float64{60, 600, 3600, 6 * 3600, 86400, 7 * 86400, 30 * 86400},
		Labels: []metric.Label{metric.Vhost},
		Help:   "How long sessions have lasted",
	}
	sessionsPerAccount = &metric.Metric{
		Name: "ejabberd_sessions_per_account", Source: "API connected_users_info", Scope: metric.Cluster, Refreshed: true,
		Kind: metric.Histogram, Snapshot: true, Buckets: []float64{1, 2, 3, 5, 10},
		Labels: []metric.Label{metric.Vhost},
		Help:   "Sessions that accounts have at once, of accounts that are online",
	}
)

// Connections counts sessions by all that is known of them, in one streamed pass of which nothing is kept.
var Connections = Definition{
	Name: "connections", Source: API, Refresh: 5 * time.Minute, Rare: true,
	Help:    "Sessions by kind of connection, address family, presence, age and account; off where ejabberd does not let us list sessions",
	Metrics: []*metric.Metric{sessionConnections, sessionsByShow, sessionAge, sessionsPerAccount},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		api, err := src.api()
		if err != nil {
			return err
		}
		if len(src.SessionsInSQL) > 0 {
			return fmt.Errorf("%w: sessions are kept in SQL, listing them would go through ejabberd's database", ErrOff)
		}
		if n, err := api.SessionCount(ctx); err != nil {
			return err
		} else if src.SessionsMax > 0 && n > src.SessionsMax {
			return fmt.Errorf("%w: more sessions than --sessions.max=%d; raise it if ejabberd may be asked for each of them every 5 minutes", ErrOff, src.SessionsMax)
		}
		vhosts, err := api.Vhosts(ctx)
		if err != nil {
			return err
		}
		for _, vhost := range vhosts {
			zeroSessions(vhost, out)
		}
		type owner struct {
			vhost   string
			account ejabberd.Account
		}
		perAccount := map[owner]float64{}
		err = api.ConnectedUsersInfo(ctx, func(s ejabberd.Session) {
			out.Add(sessionConnections, 1, s.Vhost, s.Connection, s.Family)
			out.Add(sessionsByShow, 1, s.Vhost, s.Show)
			out.Observe(sessionAge, float64(s.Uptime), s.Vhost)
			perAccount[owner{s.Vhost, s.Account}]++
		})
		for o, n := range perAccount {
			out.Observe(sessionsPerAccount, n, o.vhost)
		}
		return namesOff(err)
	},
}

// zeroSessions adds the numbers of a vhost without sessions.
func zeroSessions(vhost string, out *metric.Set) {
	for _, kind := range connectionKinds {
		for _, family := range families {
			out.Add(sessionConnections, 0, vhost, kind, family)
		}
	}
	for _, show := range shows {
		out.Add(sessionsByShow, 0, vhost, show)
	}
	out.ObserveN(sessionAge, 0, 0, vhost)
	out.ObserveN(sessionsPerAccount, 0, 0, vhost)
}
