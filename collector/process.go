// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/process"
	"github.com/chapril/ejabberd_exporter/internal/sockets"
)

var (
	processCPU = &metric.Metric{
		Name: "ejabberd_process_cpu_seconds_total", Source: "/proc", Kind: metric.Counter,
		Help: "Processor time that ejabberd's Erlang machine has used",
	}
	processResident = processGauge("ejabberd_process_resident_memory_bytes", "Memory of ejabberd's Erlang machine that is in RAM")
	processOpenFDs  = processGauge("ejabberd_process_open_fds", "File descriptors that it has open; absent where the kernel hides it, as those before Linux 6.2 do from other users")
	processMaxFDs   = processGauge("ejabberd_process_max_fds", "File descriptors that it may have open; its ports usually end sooner")
	processStart    = processGauge("ejabberd_process_start_time_seconds", "When it started, in seconds since 1970")

	erlangProcessLimit = &metric.Metric{
		Name: "ejabberd_erlang_process_limit", Source: "-P of the command line",
		Help: "Erlang processes that may exist at once",
	}
	erlangPortLimit = &metric.Metric{
		Name: "ejabberd_erlang_port_limit", Source: "-Q of the command line, ERL_MAX_PORTS of ejabberdctl.cfg",
		Help: "Sockets and files that Erlang may have open at once: ejabberd accepts nobody beyond, whatever max_fds says",
	}
)

func processGauge(name, help string) *metric.Metric {
	return &metric.Metric{Name: name, Help: help, Source: "/proc"}
}

// Process tells what the kernel knows of ejabberd's Erlang machine.
var Process = Definition{
	Name: "process", Source: Kernel,
	Help:    "Processor time, memory, descriptors and limits of ejabberd's process",
	Metrics: []*metric.Metric{processCPU, processResident, processOpenFDs, processMaxFDs, processStart, erlangProcessLimit, erlangPortLimit},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		p, err := src.ejabberd(ctx)
		if err != nil {
			return err
		}
		usage, err := p.Usage()
		if err != nil {
			return err
		}
		out.Add(processCPU, usage.CPU)
		out.Add(processResident, usage.Resident)
		out.Add(processOpenFDs, usage.OpenFDs)
		out.Add(processMaxFDs, usage.MaxFDs)
		out.Add(processStart, usage.StartTime)
		if p.ProcessLimit > 0 {
			out.Add(erlangProcessLimit, float64(p.ProcessLimit))
		}
		if limit := portLimit(p, src.Config); limit > 0 {
			out.Add(erlangPortLimit, float64(limit))
		}
		return nil
	},
}

// defaultMaxPorts is what every release of ejabberdctl sets where ejabberdctl.cfg does not.
const defaultMaxPorts = 32000

// portLimit is 0 where it is unknown. ejabberdctl hands the limit over in the environment, which is hidden; that it was
// ejabberdctl shows in the process limit, which it always sets.
func portLimit(p *process.Process, config *ejabberdconf.Config) int {
	switch {
	case p.PortLimit > 0:
		return p.PortLimit
	case config.MaxPorts > 0 || p.ProcessLimit > 0:
		return process.Effective(cmp.Or(config.MaxPorts, defaultMaxPorts))
	}
	return 0
}

var (
	errNotHere = fmt.Errorf("%w: no ejabberd.yml on this host says where ejabberd listens", ErrOff)
	errNotUp   = fmt.Errorf("%w: ejabberd does not run on this host now", ErrOff)
	errHidden  = errors.New("ejabberd listens, but /proc hides its process: ProtectProc=default and ProcSubset=all in the exporter's systemd unit, no hidepid, no container")
)

// ejabberd finds its process.
func (s *Sources) ejabberd(ctx context.Context) (*process.Process, error) {
	if s.Config == nil {
		return nil, s.absent(errNotHere)
	}
	waiting, err := sockets.List(ctx, sockets.TCP, sockets.Listening)
	if err != nil {
		return nil, err
	}
	up := slices.DeleteFunc(waiting, func(socket sockets.Socket) bool {
		return !slices.ContainsFunc(s.Config.Listeners, func(l ejabberdconf.Listener) bool { return listensOn(&socket, l) })
	})
	p, err := process.Find(s.Config.Spool, func(uid uint32) bool {
		return slices.ContainsFunc(up, func(socket sockets.Socket) bool { return socket.UID == uid })
	})
	switch {
	case errors.Is(err, process.ErrNone) && len(up) > 0:
		return nil, errHidden
	case errors.Is(err, process.ErrNone):
		return nil, errNotUp
	}
	return p, err
}

func listensOn(s *sockets.Socket, l ejabberdconf.Listener) bool {
	ip, err := netip.ParseAddr(l.IP)
	return err == nil && s.ListensOn(sockets.Transport(l.Transport), ip, l.Port)
}
