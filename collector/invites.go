// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"time"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var invites = &metric.Metric{
	Name: "ejabberd_invites", Source: "PostgreSQL invite_token (from ejabberd 26.01)", Scope: metric.Database, Refreshed: true,
	Labels: []metric.Label{metric.Vhost},
	Help:   "Invitations that have not expired, used ones included" + estimated,
}

// Invites counts invitations.
var Invites = Definition{
	Name: "invites", Source: Database, Refresh: 5 * time.Minute,
	Help:    "Invitations that have not expired",
	Columns: map[string][]string{"invite_token": {"server_host", "expires"}},
	Metrics: []*metric.Metric{invites},
	Collect: (&stored{
		store: "mod_invites", table: "invite_token",
		counts: []count{{metric: invites, where: "t.expires > (SELECT localtimestamp)"}},
	}).collect,
}
