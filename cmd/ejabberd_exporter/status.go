// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/common/version"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
	"github.com/chapril/ejabberd_exporter/internal/exposition"
	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/remedy"
	"github.com/chapril/ejabberd_exporter/internal/statuspage"
)

const (
	// apiPort is what the printed lines propose for the API listener.
	apiPort = 5281
	// maxLooked is how many hosts are probed while somebody looks at the status page.
	maxLooked = 20
)

// status is the page for people, at /.
type status struct {
	*settings
	exporter    *collector.Exporter
	prober      *probing
	lookout     *exposition.Lookout
	definitions []collector.Definition
}

// handler serves the page.
func (p *status) handler(logger *slog.Logger) (http.Handler, error) {
	return statuspage.Handler(p.facts, logger)
}

// facts looks at everything at once.
func (p *status) facts(ctx context.Context) statuspage.Facts {
	src := p.exporter.Sources()
	f := statuspage.Facts{
		Version: cmp.Or(version.Version, "unknown"), Metrics: p.metrics, Vhosts: src.Vhosts, Disabled: p.disabled(),
		ProbeOnly: src.API == nil && src.Databases == nil && len(src.Uploads) == 0 && src.Blocked == nil, Configured: p.prober.path != "",
	}
	if src.Config != nil {
		f.Ports = purposes(src.Config.Listeners)
	}
	f.Targets = p.hosts(src.Vhosts)
	f.LeftOut = max(0, len(f.Targets)-maxLooked)
	f.Targets = f.Targets[:len(f.Targets)-f.LeftOut]
	var both sync.WaitGroup
	both.Go(func() { f.Collectors = p.exporter.Look(ctx) })
	both.Go(func() { f.Sights = p.lookout.Look(ctx, f.Targets...) })
	both.Wait()
	f.Now = time.Now()
	if !f.ProbeOnly {
		var reasons []error
		for _, s := range f.Collectors {
			reasons = append(reasons, s.Err)
		}
		f.Remedies = remedies(src, p.definitions, errors.Join(reasons...))
	}
	return f
}

// hosts are those that may be probed, the operator's own choice first. What lies below a whole tree, nobody knows.
func (p *status) hosts(vhosts []string) (hosts []string) {
	for _, host := range slices.Concat(slices.Sorted(maps.Keys(p.targets)), vhosts) {
		if !strings.HasPrefix(host, "*.") && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// purposes say what ports are for.
func purposes(listeners []ejabberdconf.Listener) map[string]string {
	names := map[string]string{
		"ejabberd_c2s": "clients", "ejabberd_s2s_in": "servers", "ejabberd_http": "web", "ejabberd_service": "components",
		"ejabberd_stun": "STUN, TURN", "ejabberd_sip": "SIP", "mod_mqtt": "MQTT",
	}
	ports := map[string]string{}
	for _, l := range listeners {
		purpose := names[l.Module]
		if l.TLS && purpose != "" {
			purpose += ", TLS"
		}
		ports[strconv.Itoa(l.Port)] = purpose
	}
	return ports
}

// disabled are the collectors that flags leave out, and which.
func (s *settings) disabled() (out []statuspage.Disabled) {
	for _, d := range collector.All {
		switch {
		case !*s.collectors[d.Name]:
			out = append(out, statuspage.Disabled{Definition: d, Why: "switched off: --collector." + d.Name + " switches it on"})
		case s.scope != "all" && d.Scope() != metric.Node:
			out = append(out, statuspage.Disabled{Definition: d, Why: "left to the exporter with --scope=all"})
		}
	}
	return out
}

// remedies are the texts to paste that give what was refused, be it a choice.
func remedies(src *collector.Sources, definitions []collector.Definition, reason error) (all []statuspage.Remedy) {
	api, role, directory := remedy.Needs(reason)
	if src.API == nil || api {
		vhost := ""
		if len(src.Vhosts) > 0 {
			vhost = src.Vhosts[0]
		}
		all = append(all, statuspage.Remedy{For: "For the admin API", Lines: remedy.API(apiPort, vhost)})
	}
	if role {
		all = append(all, statuspage.Remedy{For: "For PostgreSQL", Lines: grants(definitions)})
	}
	if directory && src.Blocked == nil {
		var docroots []string
		for _, u := range src.Uploads {
			docroots = append(docroots, u.Docroot)
		}
		all = append(all, statuspage.Remedy{For: "For the uploaded files, when the exporter runs under systemd", Lines: remedy.Systemd(docroots...)})
	}
	return all
}
