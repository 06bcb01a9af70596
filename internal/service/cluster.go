// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"fmt"
	"path/filepath"
)

// clusterHosts are the hosts of a cluster's nodes. To Erlang they are names of 127.0.0.1, to nobody else.
var clusterHosts = []string{"node-a", "node-b"}

// nodeName is the name of the first or second node. Both register with one epmd, which knows them by what is before the @.
func nodeName(options Options, i int) string {
	if !options.Cluster {
		return ""
	}
	return "ejabberd-" + clusterHosts[i] + "@" + clusterHosts[i]
}

// startSecond starts another node with the same vhosts, database and uploads on ports of its own, and joins it to the first.
func (s *Service) startSecond(ctx context.Context, options Options) error {
	config := s.Ejabberd.Config
	config.Node, config.Joins, config.Ports = nodeName(options, 1), s.Ejabberd, Ports{}
	second, err := StartEjabberd(ctx, filepath.Join(s.Dir, "second"), config, s.Resolver.Port)
	if err != nil {
		return err
	}
	s.Second = second
	s.onStop(second.Stop)
	if _, err := second.Ctl(ctx, "join_cluster", s.Ejabberd.Node); err != nil {
		return fmt.Errorf("join the cluster: %w", err)
	}
	return second.ready(ctx)
}
