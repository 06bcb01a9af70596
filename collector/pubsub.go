// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var (
	pubsubNodes = &metric.Metric{
		Name: "ejabberd_pubsub_nodes", Source: "PostgreSQL pubsub_node", Scope: metric.Database, Refreshed: true,
		Labels: []metric.Label{metric.Vhost},
		Help:   "Nodes of accounts (avatars, OMEMO devices …) and of the pubsub service" + estimated,
	}
	pubsubItems = &metric.Metric{
		Name: "ejabberd_pubsub_items", Source: "PostgreSQL pubsub_item", Scope: metric.Database, Refreshed: true,
		Labels: []metric.Label{metric.Vhost, metric.OneOf("kind", "pep", "service")},
		Help:   "Items in nodes of accounts (pep) and of the pubsub service" + estimated,
	}
)

// isPEP: the host of a node is an account's address, not the name of a service.
const isPEP = "strpos(n.host, '@') > 0"

// Pubsub counts what accounts and services publish.
var Pubsub = Definition{
	Name: "pubsub", Source: Database, Refresh: 15 * time.Minute,
	Help: "Publish-subscribe nodes and items, personal eventing (PEP) included",
	Columns: map[string][]string{
		"pubsub_node": {"nodeid", "host"},
		"pubsub_item": {"nodeid"},
	},
	Metrics: []*metric.Metric{pubsubNodes, pubsubItems},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		nodes := stored{
			store: "mod_pubsub", table: "pubsub_node", service: domain("t.host"),
			counts: []count{{metric: pubsubNodes}},
		}
		if err := nodes.collect(ctx, src, out); err != nil {
			return err
		}
		items := stored{
			store: "mod_pubsub", table: "pubsub_item", join: "JOIN pubsub_node AS n USING (nodeid)", service: domain("n.host"),
			counts: []count{
				{metric: pubsubItems, labels: []string{"pep"}, where: isPEP},
				{metric: pubsubItems, labels: []string{"service"}, where: "NOT " + isPEP},
			},
		}
		return items.collect(ctx, src, out)
	},
}
