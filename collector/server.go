// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var (
	up = &metric.Metric{
		Name: "ejabberd_up", Source: "any API answer", OnFailure: true,
		Help: "Whether ejabberd answers its admin API at all; a refusal is an answer too",
	}
	info = &metric.Metric{
		Name: "ejabberd_info", Source: "API status, every 5 minutes at most",
		Labels: []metric.Label{metric.Like("version", `[0-9A-Za-z.+~-]{1,40}`), nodeLabel},
		Help:   "Always 1; the labels say which ejabberd runs",
	}
	uptime = &metric.Metric{
		Name: "ejabberd_uptime_seconds", Source: "API stats",
		Help: "How long ejabberd has been running",
	}
	processes = &metric.Metric{
		Name: "ejabberd_erlang_processes", Source: "API stats",
		Help: "Erlang processes that exist now",
	}
	configStale = &metric.Metric{
		Name: "ejabberd_exporter_config_stale", Source: "API registered_vhosts, every 5 minutes at most",
		Help: "Whether the hosts that ejabberd serves differ from those that discovery found: restart the exporter if this stays 1",
	}
)

// Server tells whether ejabberd is there, which one, since when.
var Server = Definition{
	Name: "server", Source: API,
	Help:    "Whether ejabberd is up, its version, uptime and Erlang processes",
	Metrics: []*metric.Metric{up, info, uptime, processes, configStale},
	Collect: collectServer,
}

func collectServer(ctx context.Context, src *Sources, out *metric.Set) error {
	api, err := src.api()
	if err != nil {
		return err
	}
	err = askServer(ctx, api, src, out)
	if alive, known := api.Up(); known {
		out.Add(up, truth(alive))
	}
	return err
}

func askServer(ctx context.Context, api AdminAPI, src *Sources, out *metric.Set) error {
	seconds, err := api.Uptime(ctx)
	if err != nil {
		return err
	}
	out.Add(uptime, float64(seconds))
	n, err := api.Processes(ctx)
	if err != nil {
		return err
	}
	out.Add(processes, float64(n))
	version, node, err := api.Status(ctx)
	if err != nil {
		return err
	}
	out.Add(info, 1, version, node)
	if src.VhostsGiven {
		return nil
	}
	vhosts, err := api.Vhosts(ctx)
	if err != nil {
		return err
	}
	out.Add(configStale, truth(!sameHosts(vhosts, src.Vhosts)))
	return nil
}

func sameHosts(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	set := identity(a)
	for _, v := range b {
		if _, ok := set[v]; !ok {
			return false
		}
	}
	return true
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
