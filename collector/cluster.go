// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var nodeLabel = metric.Like("node", `[0-9A-Za-z.-]{1,255}`)

var (
	clusterNodes = &metric.Metric{
		Name: "ejabberd_cluster_nodes", Source: "API list_cluster_detailed (from 24.06), list_cluster", Scope: metric.Cluster, Refreshed: true,
		Labels: []metric.Label{metric.OneOf("state", "running", "stopped")},
		Help:   "Nodes of the cluster; those that are stopped are known from ejabberd 24.06 on",
	}
	nodeUp = &metric.Metric{
		Name: "ejabberd_cluster_node_up", Source: "API list_cluster_detailed (from 24.06)", Scope: metric.Cluster, Refreshed: true, Fold: metric.Min,
		Labels: []metric.Label{nodeLabel},
		Help:   "Whether the node runs, as the other nodes see it; the label is the host in its name",
	}
	nodeSessions = &metric.Metric{
		Name: "ejabberd_cluster_node_sessions", Source: "API list_cluster_detailed (from 24.06)", Scope: metric.Cluster, Refreshed: true,
		Labels: []metric.Label{nodeLabel},
		Help:   "Client sessions on the node",
	}
	nodeUptime = &metric.Metric{
		Name: "ejabberd_cluster_node_uptime_seconds", Source: "API list_cluster_detailed (from 24.06)", Scope: metric.Cluster, Refreshed: true, Fold: metric.Min,
		Labels: []metric.Label{nodeLabel},
		Help:   "How long the node has been running",
	}
	poolExpected = &metric.Metric{
		Name: "ejabberd_database_pool_expected", Source: "sql_pool_size, API list_cluster", Scope: metric.Cluster, Refreshed: true,
		Labels: []metric.Label{databaseLabel},
		Help:   "Connections that ejabberd holds while all is well: sql_pool_size for each vhost on each running node; with fewer it is cut off itself",
	}
)

// Cluster tells which nodes there are.
var Cluster = Definition{
	Name: "cluster", Source: API, Refresh: 5 * time.Minute, Rare: true,
	Help:    "Nodes of the cluster, and how many database connections they should hold",
	Metrics: []*metric.Metric{clusterNodes, nodeUp, nodeSessions, nodeUptime, poolExpected},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		api, err := src.api()
		if err != nil {
			return err
		}
		nodes, complete, err := api.Cluster(ctx)
		if err != nil {
			return err
		}
		running := 0
		for _, n := range nodes {
			if n.Running {
				running++
			}
			if !complete {
				continue
			}
			out.Add(nodeUp, truth(n.Running), n.Host)
			if n.Sessions >= 0 {
				out.Add(nodeSessions, float64(n.Sessions), n.Host)
			}
			if n.Uptime >= 0 {
				out.Add(nodeUptime, float64(n.Uptime), n.Host)
			}
		}
		out.Add(clusterNodes, float64(running), "running")
		if complete {
			out.Add(clusterNodes, float64(len(nodes)-running), "stopped")
		}
		for name, perNode := range src.Pools {
			if perNode > 0 {
				out.Add(poolExpected, float64(perNode*running), name)
			}
		}
		return nil
	},
}
