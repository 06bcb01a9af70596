// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/discovery"
	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
	"github.com/chapril/ejabberd_exporter/internal/events"
	"github.com/chapril/ejabberd_exporter/internal/logfile"
)

// defaultLog is where Debian's package has the log.
const defaultLog = "/var/log/ejabberd/ejabberd.log"

// watched are the flags of what is counted as it happens.
type watched struct {
	events  netip.AddrPort
	remote  bool
	logPath string
}

// watch counts as long as the exporter runs: the events that ejabberd tells, the lines that it logs. Its counters outlive a new
// discovery.
type watch struct {
	watched
	listener *events.Listener
	follower *logfile.Follower
}

func newWatch(flags watched) *watch {
	return &watch{watched: flags, listener: new(events.Listener), follower: logfile.New()}
}

// attach hands the collectors what there is to watch. Nothing is counted yet.
func (w *watch) attach(found *discovery.Found) {
	if w.target(found.Config).Address.IsValid() {
		found.Sources.Events = w.listener
	}
	if path := w.log(found.Config); path != "" {
		found.Sources.Log, found.Sources.LogPath = w.follower, path
	}
}

// startWatch counts from now on, until stop.
func (s *settings) startWatch(w *watch, found *discovery.Found) (stop func()) {
	s.point(w, found)
	ctx, cancel := context.WithCancel(context.Background()) // scrapes under way may finish after SIGTERM
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.follower.Run(ctx)
	}()
	return func() {
		cancel()
		<-done
		w.listener.Close()
	}
}

// point makes listener and follower look where discovery found something, unless their collectors are switched off.
func (s *settings) point(w *watch, found *discovery.Found) {
	if *s.collectors[collector.Events.Name] {
		w.listener.Point(w.target(found.Config))
	}
	if *s.collectors[collector.Log.Name] {
		w.follower.Point(w.log(found.Config))
	}
}

// target is where mod_metrics sends, if that is this host. One port has to do: a vhost that sends elsewhere is left out.
func (w *watch) target(config *ejabberdconf.Config) events.Target {
	if w.events.IsValid() {
		return events.Target{Address: w.events, Vhosts: config.Hosts, Remote: w.remote}
	}
	target := events.Target{Remote: w.remote}
	for _, e := range config.Events {
		ip, err := netip.ParseAddr(e.IP)
		if err != nil || !ip.IsLoopback() {
			continue
		}
		address := netip.AddrPortFrom(ip, uint16(e.Port))
		if !target.Address.IsValid() {
			target.Address = address
		}
		if address == target.Address {
			target.Vhosts = append(target.Vhosts, e.Vhost)
		}
	}
	return target
}

// log is the path of ejabberd.log; empty where there is no ejabberd on this host.
func (w *watch) log(config *ejabberdconf.Config) string {
	if w.logPath == "" && config.Path == "" {
		return ""
	}
	return cmp.Or(w.logPath, config.Log, defaultLog)
}

// udpAddress is an address to listen on.
type udpAddress netip.AddrPort

func (a *udpAddress) String() string { return "" }
func (a *udpAddress) Set(v string) error {
	parsed, err := netip.ParseAddrPort(v)
	if err != nil {
		return fmt.Errorf("write an address like 127.0.0.1:11111")
	}
	*a = udpAddress(parsed)
	return nil
}
