// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"net/url"
	"slices"
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
)

// Name is a host that certificates must cover.
type Name struct {
	Host string
	// Vhost: clients log in there. Web: it is in the addresses of uploads. Peers: other servers look for it.
	Vhost, Web, Peers bool
}

// On tells whether anybody asks that source for the name.
func (n Name) On(source Source) bool {
	switch source {
	case C2S, C2STLS:
		return n.Vhost
	case S2S:
		return n.Peers
	case HTTPS:
		return n.Vhost || n.Web
	}
	return true
}

// Names are the first vhosts, as many as limit (0: all), with the components below them and the hosts of their uploads.
func Names(config *ejabberdconf.Config, limit int) []Name {
	vhosts := config.Hosts
	if limit > 0 && len(vhosts) > limit {
		vhosts = vhosts[:limit]
	}
	var names []Name
	for _, vhost := range vhosts {
		names = append(names, Name{Host: vhost, Vhost: true, Peers: true})
	}
	for _, component := range config.Components {
		below := func(vhost string) bool { return strings.HasSuffix(component, "."+vhost) }
		if slices.ContainsFunc(vhosts, below) || !slices.ContainsFunc(config.Hosts, below) {
			names = append(names, Name{Host: component, Peers: true})
		}
	}
	for _, upload := range config.Uploads {
		put, err := url.Parse(upload.PutURL)
		if err != nil || put.Hostname() == "" || !slices.Contains(vhosts, upload.Vhost) {
			continue
		}
		same := func(n Name) bool { return n.Host == put.Hostname() }
		if i := slices.IndexFunc(names, same); i >= 0 {
			names[i].Web = true
		} else {
			names = append(names, Name{Host: put.Hostname(), Web: true})
		}
	}
	return names
}
