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

	sessionConnections = &metric.Metric{
		Name: "ejabberd_session_connections", Source: "API connected_users_info", Scope: metric.Cluster, Refreshed: true,
		Labels: []metric.Label{metric.Vhost, metric.OneOf("connection", connectionKinds...), metric.OneOf("family", families...)},
		Help: "Sessions by how they are connected: c2s_tls is STARTTLS and direct TLS alike, http_bind is BOSH; " +
			"not read above --sessions.max sessions, because it asks every session's process",
	}
)

// Connections counts sessions by kind of connection and address family, in one streamed pass of which nothing is kept.
var Connections = Definition{
	Name: "connections", Source: API, Refresh: 5 * time.Minute,
	Help:    "Sessions by kind of connection and address family; off where ejabberd does not let us list sessions",
	Metrics: []*metric.Metric{sessionConnections},
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
			for _, kind := range connectionKinds {
				for _, family := range families {
					out.Add(sessionConnections, 0, vhost, kind, family)
				}
			}
		}
		return namesOff(api.ConnectedUsersInfo(ctx, func(s ejabberd.Session) {
			out.Add(sessionConnections, 1, s.Vhost, s.Connection, s.Family)
		}))
	},
}
