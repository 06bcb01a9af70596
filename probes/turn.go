// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/dns"
	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/stun"
	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

var (
	stunUDP = service{name: "stun-udp", port: 3478}
	stunTCP = service{name: "stun-tcp", port: 3478}
	turnUDP = service{name: "turn-udp", port: 3478}
	turnTCP = service{name: "turn-tcp", port: 3478}

	relayServices = []service{stunUDP, stunTCP, turnUDP, turnTCP}
)

// TURN probes what calls need to get through NAT.
func TURN(authenticate Authenticate) Probe {
	return Probe{
		Name: "turn",
		Help: "Calls get through: STUN answers over UDP and TCP and, with credentials or an account, TURN really allocates a relayed address. " +
			"With an account what is probed is what the server tells its users (XEP-0215)",
		Metrics: []*metric.Metric{endpointSuccess, endpointDuration, phaseDuration, failureInfo, retriesMetric, srvRecords},
		Figures: []Figure{
			{Label: "time", Unit: "s", Min: "0", Value: totalTime},
			named("stun", phaseFigure(Ping)),
			named("allocate", phaseFigure(Auth)),
		},
		Thresholds: timeThresholds,
		Settings: func(set *Settings) Run {
			var s endpointSettings
			s.declareReach(set)
			s.declareTrust(set)
			t := turnSettings{authenticate: authenticate}
			t.declare(set)
			return func(ctx context.Context, target Target, out *Report) error {
				return probeRelays(ctx, s, t, target, out)
			}
		},
	}
}

func probeRelays(ctx context.Context, s endpointSettings, t turnSettings, target Target, out *Report) error {
	e, err := s.start()
	if err != nil {
		return err
	}
	login, err := t.credentials(target.Domain)
	if err != nil {
		return err
	}
	ctx, cancel := early(ctx)
	defer cancel()
	var told *relays
	if t.account.address.user != "" {
		who, err := t.account.read(target.Domain)
		if err != nil {
			return err
		}
		if told, err = t.list(ctx, s, who, target.Domain, out); err != nil {
			return err
		}
		told.at(s.host, uint16(t.port))
	}
	began := time.Now()
	names, cancel := share(ctx, 2)
	found := &survey{}
	if told != nil {
		found.reach(names, e, target.Domain, told.targets)
	} else {
		found.locateRelays(names, e, target.Domain, t.services(login != nil), t.port)
	}
	cancel()
	found.resolve = time.Since(began)
	found.tour(ctx, func(ctx context.Context, at endpoint) *visit {
		as := login
		if told != nil {
			as = told.logins[at.target]
		}
		return e.try(ctx, at, func(ctx context.Context, at endpoint) *visit { return askRelay(ctx, at, as) })
	})
	if s.anyFamily {
		found.relax()
	}
	found.fill(out, func(v *visit) string { return v.said })
	switch {
	case told != nil:
		told.say(out)
	case login == nil:
		out.Note(OK, "", "no allocation was tried: that takes --jid, --turn-username or --secret-file")
	}
	return nil
}

// locateRelays follows the SRV records of STUN and TURN. A domain that has none of its own serves on the usual port itself.
func (s *survey) locateRelays(ctx context.Context, e *engine, domain string, services []service, port portNumber) {
	if port != 0 {
		e.host = cmp.Or(e.host, domain)
		for i := range services {
			services[i].port = uint16(port)
		}
	}
	if targets, given := e.given(domain, services); given {
		s.reach(ctx, e, domain, targets)
		return
	}
	records, errs := make([][]dns.SRV, len(services)), make([]error, len(services))
	var running group
	for i, service := range services {
		running.Go(func() {
			kind, proto, _ := strings.Cut(service.name, "-")
			records[i], errs[i] = e.resolver.SRV(ctx, kind, proto, domain)
		})
	}
	running.Wait()
	s.records = map[string]int{}
	none, targets := true, []target(nil)
	relays, absent := 0, []string(nil)
	for i, service := range services {
		kind, proto, _ := strings.Cut(service.name, "-")
		if kind == "turn" {
			relays++
			if errors.Is(errs[i], dns.ErrNotFound) {
				absent = append(absent, "_"+kind+"._"+proto+"."+domain)
			}
		}
		none = none && errors.Is(errs[i], dns.ErrNotFound)
		if errs[i] != nil && !errors.Is(errs[i], dns.ErrNotFound) {
			s.fault("SRV of "+service.name, dnsFault(errs[i]))
			continue
		}
		s.records[service.name] = len(records[i])
		for _, rec := range records[i] {
			if rec.Target == "." {
				s.fault("", dnsFault(fmt.Errorf("the SRV records of %s say that it does not provide %s", domain, service.name)))
				continue
			}
			targets = append(targets, target{service, rec.Target, rec.Port})
		}
	}
	if none {
		for _, service := range services {
			targets = append(targets, target{service, domain, service.port})
		}
	} else if relays > 0 && len(absent) == relays {
		s.fault("", dnsFault(fmt.Errorf("no SRV record %s, so no allocation was tried: clients find STUN alone", strings.Join(absent, " or "))))
	}
	s.reach(ctx, e, domain, targets)
}

// askRelay asks one server for a binding, or for an allocation.
func askRelay(ctx context.Context, at endpoint, login *relayLogin) *visit {
	v := newVisit(at)
	kind, proto, _ := strings.Cut(at.name, "-")
	var conn net.Conn
	if !v.phase(Connect, func() (err error) {
		conn, err = dial(ctx, proto, at.address())
		return network(err)
	}) {
		return v
	}
	defer func() { _ = conn.Close() }()
	client := stun.Client{Conn: conn, Stream: proto == "tcp"}
	phase := Ping
	if kind == "turn" {
		phase = Auth
	}
	v.phase(phase, func() error {
		if kind == "turn" {
			_, err := client.Allocate(ctx, login.username, login.password)
			return relayError(err)
		}
		_, err := client.Binding(ctx)
		return relayError(err)
	})
	v.answered = v.failure == nil
	v.said = map[string]string{"stun": "STUN", "turn": "TURN allocation"}[kind] + " over " + strings.ToUpper(proto)
	return v
}

// relayError finds the reason for what went wrong with STUN or TURN.
func relayError(err error) error {
	if said, ok := errors.AsType[*stun.Error](err); ok {
		return &Failure{Reason: OtherReason, Err: fmt.Errorf("error %d %s", said.Code, xmpp.Clean(said.Reason))}
	}
	if errors.Is(err, stun.ErrMalformed) {
		return &Failure{Reason: Protocol, Err: err}
	}
	return network(err)
}

// network types an error of the network and keeps addresses out of its text.
func network(err error) error {
	if err == nil {
		return nil
	}
	return xmpp.Network(err)
}
