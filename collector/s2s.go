// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var s2sConnections = &metric.Metric{
	Name: "ejabberd_s2s_connections", Source: "API incoming_s2s_number, outgoing_s2s_number",
	Labels: []metric.Label{metric.OneOf("direction", "in", "out")},
	Help: "Connections to other servers: out counts those still trying or failed lately, in counts every TCP connection to the port, " +
		"and 0 can hide an error inside ejabberd",
}

// S2S counts connections to other servers.
var S2S = Definition{
	Name: "s2s", Source: API,
	Help:    "Connections from and to other XMPP servers",
	Metrics: []*metric.Metric{s2sConnections},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		api, err := src.api()
		if err != nil {
			return err
		}
		incoming, outgoing, err := api.S2S(ctx)
		if err != nil {
			return err
		}
		out.Add(s2sConnections, float64(incoming), "in")
		out.Add(s2sConnections, float64(outgoing), "out")
		return nil
	},
}
