// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"time"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var vcards = &metric.Metric{
	Name: "ejabberd_vcards", Source: "PostgreSQL vcard", Scope: metric.Database, Refreshed: true,
	Labels: []metric.Label{metric.Vhost},
	Help:   "Profiles that accounts have published" + estimated,
}

// VCards counts profiles.
var VCards = Definition{
	Name: "vcards", Source: Database, Refresh: 15 * time.Minute,
	Help:    "Profiles that accounts have published",
	Columns: map[string][]string{"vcard": {"server_host", "created_at"}},
	Metrics: []*metric.Metric{vcards},
	Collect: (&stored{store: "mod_vcard", table: "vcard", counts: []count{{metric: vcards}}}).collect,
}
