// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"time"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var (
	rosterItems = &metric.Metric{
		Name: "ejabberd_roster_items", Source: "PostgreSQL rosterusers", Scope: metric.Database, Refreshed: true,
		Labels: []metric.Label{metric.Vhost},
		Help:   "Entries in all contact lists together, unanswered requests included" + estimated,
	}
	rosterPending = &metric.Metric{
		Name: "ejabberd_roster_pending", Source: "PostgreSQL rosterusers.ask", Scope: metric.Database, Refreshed: true,
		Labels: []metric.Label{metric.Vhost},
		Help:   "Entries with a request that nobody has answered, from or to the contact" + estimated,
	}
)

// Roster counts contacts.
var Roster = Definition{
	Name: "roster", Source: Database, Refresh: 15 * time.Minute,
	Help:    "Contacts, and requests that nobody has answered",
	Columns: map[string][]string{"rosterusers": {"server_host", "ask"}},
	Metrics: []*metric.Metric{rosterItems, rosterPending},
	Collect: (&stored{
		store: "mod_roster", table: "rosterusers",
		counts: []count{{metric: rosterItems}, {metric: rosterPending, where: "t.ask <> 'N'"}},
	}).collect,
}
