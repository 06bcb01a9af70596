// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"slices"

	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/process"
	"github.com/chapril/ejabberd_exporter/internal/sockets"
)

var s2sSockets = &metric.Metric{
	Name: "ejabberd_s2s_sockets", Source: "sock_diag",
	Labels: []metric.Label{
		metric.OneOf("direction", "in", "out"),
		metric.OneOf("family", string(sockets.IP4), string(sockets.IP6)),
		metric.OneOf("state", "established", "connecting"),
	},
	Help: "TCP connections with other servers as the kernel counts them: in, to the ports of ejabberd_s2s_in; " +
		"out, whatever ejabberd opens itself, but for databases, directories, name servers, web servers and its own nodes on this host " +
		"(one connection to each further node of a cluster counts as out). " +
		"out is absent where several servers run as ejabberd's user",
}

// otherServices are ports that ejabberd connects to and that no XMPP server has: whoever federates on another port than 5269 is
// found by his SRV record, so the ports of peers are not known.
var otherServices = []int{
	25, 465, 587, // mail
	53, 853, // name servers
	80, 443, // ACME, OAuth, external upload and authentication
	389, 636, // LDAP
	1433, 3306, 5432, 6379, 6432, // databases
	4369, // epmd
}

// S2SSockets counts connections with other servers by what the kernel says, which knows families and those still trying.
var S2SSockets = Definition{
	Name: "s2s_sockets", Source: Kernel,
	Help:    "Connections with other XMPP servers by family, those still trying included",
	Metrics: []*metric.Metric{s2sSockets},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		p, err := src.ejabberd(ctx)
		if err != nil {
			return err
		}
		all, err := sockets.List(ctx, sockets.TCP, sockets.Established, sockets.SynSent, sockets.SynReceived, sockets.Listening)
		if err != nil {
			return err
		}
		owned := ownership(p)
		if ports := s2sPorts(src.Config.Listeners); len(ports) > 0 {
			countSockets(all, "in", func(s *sockets.Socket) bool { return slices.Contains(ports, s.LocalPort) }, out)
		}
		if owned != nil {
			known := slices.Clone(otherServices)
			for _, db := range src.Config.Databases {
				known = append(known, db.Port)
			}
			own := listeningPorts(all, p.UID)
			countSockets(all, "out", func(s *sockets.Socket) bool {
				return owned(s) && !own[s.LocalPort] && (!s.PeerHere || !own[s.PeerPort]) && !slices.Contains(known, s.PeerPort)
			}, out)
		}
		return nil
	},
}

func countSockets(all []sockets.Socket, direction string, wanted func(*sockets.Socket) bool, out *metric.Set) {
	for _, family := range sockets.Families {
		for _, state := range []string{"established", "connecting"} {
			out.Add(s2sSockets, 0, direction, string(family), state)
		}
	}
	for _, s := range all {
		if s.PeerPort == 0 || !wanted(&s) {
			continue
		}
		state := "connecting"
		if s.State == sockets.Established {
			state = "established"
		}
		out.Add(s2sSockets, 1, direction, string(s.Family), state)
	}
}

func s2sPorts(listeners []ejabberdconf.Listener) []int {
	var ports []int
	for _, l := range listeners {
		if l.Module == "ejabberd_s2s_in" && l.Port > 0 {
			ports = append(ports, l.Port)
		}
	}
	return ports
}

// ownership tells which sockets are ejabberd's: those of its user if it has that for itself, else those that its process holds;
// nil where neither can be known.
func ownership(p *process.Process) func(*sockets.Socket) bool {
	if p.Alone {
		return func(s *sockets.Socket) bool { return s.UID == p.UID }
	}
	inodes, err := p.Sockets()
	if err != nil {
		return nil
	}
	return func(s *sockets.Socket) bool { return inodes[s.Inode] }
}

// listeningPorts are those that a user's programs listen on: ejabberd itself, the Erlang distribution, epmd.
func listeningPorts(all []sockets.Socket, uid uint32) map[int]bool {
	ports := map[int]bool{}
	for _, s := range all {
		if s.State == sockets.Listening && s.UID == uid {
			ports[s.LocalPort] = true
		}
	}
	return ports
}
