// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"time"

	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var oauthTokens = &metric.Metric{
	Name: "ejabberd_oauth_tokens", Source: "PostgreSQL oauth_token", Scope: metric.Database, Refreshed: true,
	Labels: []metric.Label{metric.Vhost},
	Help:   "OAuth tokens that exist; ejabberd deletes expired ones once a day" + estimated,
}

// Tokens counts OAuth tokens, never looking at one.
var Tokens = Definition{
	Name: "tokens", Source: Database, Refresh: 15 * time.Minute,
	Help:    "OAuth tokens",
	Columns: map[string][]string{"oauth_token": {"jid"}},
	Metrics: []*metric.Metric{oauthTokens},
	Collect: (&stored{
		store: ejabberdconf.OAuth, table: "oauth_token", service: domain("t.jid"),
		counts: []count{{metric: oauthTokens}},
	}).collect,
}
