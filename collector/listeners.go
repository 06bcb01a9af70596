// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strconv"

	"github.com/chapril/ejabberd_exporter/internal/certs"
	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/process"
	"github.com/chapril/ejabberd_exporter/internal/sockets"
)

var (
	listenerLabels = []metric.Label{metric.BoundTo("port"), metric.OneOf("family", string(sockets.IP4), string(sockets.IP6))}

	listenerUp = &metric.Metric{
		Name: "ejabberd_listener_up", Source: "sock_diag", Fold: metric.Min, Labels: listenerLabels,
		Help: "Whether somebody listens where ejabberd.yml says that ejabberd listens, TCP or UDP; 0 if one of several addresses of a port is missing",
	}
	listenerConnections = &metric.Metric{
		Name: "ejabberd_listener_connections", Source: "sock_diag", Labels: listenerLabels,
		Help: "TCP connections that are open to a port of ejabberd's",
	}
	connectionRTT = &metric.Metric{
		Name: "ejabberd_connection_rtt_seconds", Source: "sock_diag tcp_info", Kind: metric.Histogram, Snapshot: true, Labels: listenerLabels,
		Buckets: []float64{0.005, 0.020, 0.050, 0.100, 0.250, 1},
		Help:    "Round-trip times of the connections to a port of ejabberd's with TLS, as the kernel has smoothed them: the network's, not ejabberd's",
	}
	listenOverflows = &metric.Metric{
		Name: "ejabberd_host_tcp_listen_overflows_total", Source: "/proc/self/net/netstat", Kind: metric.Counter,
		Help: "Connections that the kernel dropped since a program did not take them in time; of all programs of this host",
	}
)

// Listeners compares the ports that ejabberd should listen on with the kernel's sockets.
var Listeners = Definition{
	Name: "listeners", Source: Kernel,
	Help:    "Whether each configured port is listened on, its connections and their round-trip times",
	Metrics: []*metric.Metric{listenerUp, listenerConnections, connectionRTT, listenOverflows},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		if src.Config == nil {
			return src.absent(errNotHere)
		}
		tcp, err := sockets.List(ctx, sockets.TCP, sockets.Listening, sockets.Established)
		if err != nil {
			return err
		}
		udp, err := sockets.List(ctx, sockets.UDP)
		if err != nil && !errors.Is(err, sockets.ErrUnknown) {
			return err
		}
		if err == nil {
			addListeners(src.Config.Listeners, sockets.UDP, udp, out)
		}
		overflows, err := process.ListenOverflows()
		if err != nil {
			return err
		}
		out.Add(listenOverflows, overflows)
		addListeners(src.Config.Listeners, sockets.TCP, tcp, out)
		addConnections(tcp, out)
		return nil
	},
}

// addListeners tells of each configured listener, in each family that should reach it, whether it is there.
func addListeners(listeners []ejabberdconf.Listener, transport sockets.Transport, all []sockets.Socket, out *metric.Set) {
	for _, l := range listeners {
		if l.Port == 0 || l.Transport != string(transport) {
			continue
		}
		there := slices.IndexFunc(all, func(s sockets.Socket) bool { return listensOn(&s, l) })
		for _, family := range sockets.Families {
			up := there >= 0 && all[there].Serves(family)
			if !up && !expected(l, family, listeners, there >= 0) {
				continue
			}
			port := strconv.Itoa(l.Port)
			out.Add(listenerUp, truth(up), port, string(family))
			if transport == sockets.TCP {
				out.Add(listenerConnections, 0, port, string(family))
			}
			// The others serve this host, most often: nobody is far away.
			if _, public := certs.SourceOf(l); public {
				out.ObserveN(connectionRTT, 0, 0, port, string(family))
			}
		}
	}
}

// expected tells whether a listener that does not serve a family should. "::" serves IPv4 as well, unless another listener does:
// once it is there, the kernel knows.
func expected(l ejabberdconf.Listener, family sockets.Family, listeners []ejabberdconf.Listener, there bool) bool {
	ip, err := netip.ParseAddr(l.IP)
	if err != nil {
		return false
	}
	if family == sockets.IP4 && ip == netip.IPv6Unspecified() {
		return !there && !slices.ContainsFunc(listeners, func(other ejabberdconf.Listener) bool {
			ip, err := netip.ParseAddr(other.IP)
			return err == nil && ip.Is4() && other.Port == l.Port && other.Transport == l.Transport
		})
	}
	return ip.Unmap().Is4() == (family == sockets.IP4)
}

// addConnections counts what is open to ports of which addListeners spoke.
func addConnections(all []sockets.Socket, out *metric.Set) {
	for _, s := range all {
		port, family := strconv.Itoa(s.LocalPort), string(s.Family)
		if _, ours := out.Get(listenerConnections, port, family); !ours || s.State != sockets.Established {
			continue
		}
		out.Add(listenerConnections, 1, port, family)
		if _, public := out.Get(connectionRTT, port, family); public && s.RTT > 0 {
			out.Observe(connectionRTT, s.RTT.Seconds(), port, family)
		}
	}
}
