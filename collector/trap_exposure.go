// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/epmd"
	"github.com/chapril/ejabberd_exporter/internal/sockets"
)

var apiOpen = Trap{
	Name: "api_open", Severe: true,
	Why:  "any program of any user on this host, a web site's or a container's too, can make these calls without a password",
	Fix:  "keep by address only commands that answer with numbers; ask an account for the others (ejabberd_exporter --check prints both)",
	Look: policy("api_permissions gives every program on this host: %s", func(src *Sources) []string { return src.Config.Policy.APIToAnybody }),
}

var proxiesTrusted = Trap{
	Name: "trusts_all_proxies", Severe: true,
	Why: "whoever connects can write any address into X-Forwarded-For, also one that rules trust or that mod_fail2ban should ban",
	Fix: `trusted_proxies: ["127.0.0.1"], or the address of the proxy`,
	Look: func(_ context.Context, src *Sources) ([]string, error) {
		if src.Config.Policy.TrustsAllProxies {
			return []string{"trusted_proxies is all"}, nil
		}
		return nil, nil
	},
}

// distributionExposed asks epmd, whom every node tells its port, instead of guessing which of ejabberd's sockets that is. A node with
// ERL_DIST_PORT has a port of which everybody knows, and no epmd.
var distributionExposed = Trap{
	Name: "distribution_exposed",
	Why:  "who reaches these ports and learns the cookie runs any code as ejabberd; nobody but the nodes of a cluster needs them",
	Fix:  "in ejabberdctl.cfg: export ERL_EPMD_ADDRESS=127.0.0.1 and INET_DIST_INTERFACE=127.0.0.1 (a cluster: the addresses between the nodes, and a firewall)",
	Look: func(ctx context.Context, src *Sources) (found []string, err error) {
		waiting, err := sockets.List(ctx, sockets.TCP, sockets.Listening)
		if err != nil {
			return nil, err
		}
		everywhere := func(who string, port int) {
			if slices.ContainsFunc(waiting, func(s sockets.Socket) bool { return s.LocalPort == port && s.Everywhere() }) {
				found = append(found, fmt.Sprintf("%s listens on all addresses, port %d", who, port))
			}
		}
		const node = "Erlang's distribution"
		if port := src.Config.DistPort; port > 0 {
			everywhere(node, port)
			if !slices.ContainsFunc(waiting, func(s sockets.Socket) bool { return s.LocalPort == port }) {
				return nil, unlessDown(ctx, src, "ejabberd runs, but nobody listens on the port that ERL_DIST_PORT of ejabberdctl.cfg names: restart it")
			}
			return found, nil
		}
		port := cmp.Or(src.Config.EpmdPort, epmd.Port)
		everywhere("epmd", port)
		own, _, _ := strings.Cut(cmp.Or(src.Config.Node, "ejabberd"), "@")
		nodes, err := epmd.Names(ctx, port)
		i := slices.IndexFunc(nodes, func(n epmd.Node) bool { return n.Name == own })
		switch {
		case i >= 0:
			everywhere(node, nodes[i].Port)
		case err == nil || errors.Is(err, epmd.ErrNone):
			err = unlessDown(ctx, src, fmt.Sprintf("ejabberd runs, but no epmd on port %d knows its port: have ejabberdctl.cfg say ERL_EPMD_PORT, ERLANG_NODE or ERL_DIST_PORT", port))
		}
		if len(found) > 0 {
			return found, nil // that much is known
		}
		return nil, err
	},
}

// unlessDown is why something is not known of an ejabberd that runs. One that does not run has nothing that could be known.
func unlessDown(ctx context.Context, src *Sources, why string) error {
	_, err := src.ejabberd(ctx)
	switch {
	case err == nil:
		return errors.New(why)
	case errors.Is(err, errNotUp):
		return nil
	}
	return err
}

var uploadsListable = Trap{
	Name: "uploads_listable",
	Why:  "every user of this host can list the directory, and as ejabberd makes files by default also read what people sent each other",
	Fix:  `mod_http_upload: {dir_mode: "2750", file_mode: "0640"}, and chmod o-rx the directory that is there`,
	Look: func(_ context.Context, src *Sources) (found []string, err error) {
		known := false
		for _, u := range src.Uploads {
			if u.Listable == nil {
				continue
			}
			known = true
			if *u.Listable {
				found = append(found, "everybody on this host can list the uploads of "+u.Vhost)
			}
		}
		if !known && len(src.Uploads) > 0 {
			return nil, errors.New("no upload directory was seen by who read ejabberd.yml: run the doctor as root")
		}
		return found, nil
	},
}
