// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/chapril/ejabberd_exporter/internal/certs"
	"github.com/chapril/ejabberd_exporter/internal/sockets"
)

var portsLow = Trap{
	Name: "erlang_ports_low",
	Why:  "ejabberd accepts nobody beyond that number of sockets and files, while the descriptors that monitoring watches look half used",
	Fix:  "in ejabberdctl.cfg: ERL_MAX_PORTS=65536, or as many as LimitNOFILE of the unit allows",
	Look: func(ctx context.Context, src *Sources) ([]string, error) {
		p, err := src.ejabberd(ctx)
		if err != nil {
			return nil, err
		}
		usage, err := p.Usage()
		if err != nil {
			return nil, err
		}
		if limit := portLimit(p, src.Config); limit > 0 && float64(limit) < usage.MaxFDs {
			return []string{fmt.Sprintf("Erlang may open %d sockets and files, the kernel would allow %.0f", limit, usage.MaxFDs)}, nil
		}
		return nil, nil
	},
}

// smallBacklog is below what a reconnecting crowd needs: ejabberd's default is 5 before 23.10, and 128 from then on.
const smallBacklog = 32

var backlogSmall = Trap{
	Name: "backlog_small",
	Why:  "when everybody reconnects at once, the kernel drops whoever finds the queue full; monitoring sees resets that are no outage",
	Fix:  "backlog: 128 in the listener",
	Look: func(ctx context.Context, src *Sources) (found []string, err error) {
		waiting, err := sockets.List(ctx, sockets.TCP, sockets.Listening)
		if err != nil {
			return nil, err
		}
		missing := 0
		for _, l := range src.Config.Listeners {
			if _, public := certs.SourceOf(l); !public {
				continue
			}
			there := slices.IndexFunc(waiting, func(s sockets.Socket) bool { return listensOn(&s, l) })
			if there < 0 {
				missing++
				continue
			}
			if waiting[there].Backlog >= smallBacklog {
				continue
			}
			line := fmt.Sprintf("port %d lets %d connections wait to be accepted", l.Port, waiting[there].Backlog)
			if !slices.Contains(found, line) { // once for both families
				found = append(found, line)
			}
		}
		if missing > 0 && len(found) == 0 {
			return nil, errNoListener
		}
		return found, nil
	},
}

var errNoListener = errors.New("not all ports of ejabberd.yml are listened on, so their backlog is not known: look for listener_absent")

var logWiped = Trap{
	Name: "log_wiped",
	Why:  "what happened before an incident is gone; logrotate saves it only where it runs before the size is reached",
	Fix:  "log_rotate_count: 3, or log_rotate_size: infinity where logrotate does the work",
	Look: func(_ context.Context, src *Sources) ([]string, error) {
		if p := src.Config.Policy; p.LogRotateCount == 0 && p.LogRotateSize > 0 {
			return []string{fmt.Sprintf("log_rotate_count is 0: ejabberd empties ejabberd.log each time it reaches %d MiB", p.LogRotateSize>>20)}, nil
		}
		return nil, nil
	},
}
