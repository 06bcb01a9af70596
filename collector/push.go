// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"time"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var pushSessions = &metric.Metric{
	Name: "ejabberd_push_sessions", Source: "PostgreSQL push_session", Scope: metric.Database, Refreshed: true,
	Labels: []metric.Label{metric.Vhost},
	Help:   "Sessions that have push notifications enabled, those included whose connection is gone" + estimated,
}

// Push counts sessions that are woken by push notifications.
var Push = Definition{
	Name: "push", Source: Database, Refresh: 5 * time.Minute,
	Help:    "Sessions with push notifications",
	Columns: map[string][]string{"push_session": {"server_host", "timestamp"}},
	Metrics: []*metric.Metric{pushSessions},
	Collect: (&stored{store: "mod_push", table: "push_session", counts: []count{{metric: pushSessions}}}).collect,
}
