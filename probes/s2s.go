// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"errors"
	"strings"
)

// S2S probes what other servers connect to.
func S2S() Probe {
	return Probe{
		Name:       "s2s",
		Help:       "Other servers can open an encrypted stream, at every target of the domain and in every address family",
		Metrics:    with(s2sDialback),
		Figures:    append(endpointFigures[:len(endpointFigures):len(endpointFigures)], plainFigure("dialback", s2sDialback)),
		Thresholds: endpointThresholds,
		Settings: func(set *Settings) Run {
			var s endpointSettings
			s.declare(set)
			read := s.declarePort(set, xmppServer, xmppsServer)
			var from string
			set.String(&from, Local, "from", "", "Domain to speak for; none that the probed server serves itself")
			return func(ctx context.Context, target Target, out *Report) error {
				s, services := read()
				return probePeers(ctx, s, services, from, target, out)
			}
		},
	}
}

func probePeers(ctx context.Context, s endpointSettings, services []service, from string, target Target, out *Report) error {
	e, err := s.start()
	if err != nil {
		return err
	}
	e.from = strings.ToLower(strings.TrimSuffix(from, "."))
	if e.from == target.Domain || strings.HasSuffix(e.from, "."+target.Domain) {
		return errors.New("--from must not be a domain that the probed server serves: a server does not talk to itself this way")
	}
	found := e.survey(ctx, target.Domain, services)
	for _, v := range found.tested() {
		v.judgeStartTLS(s.startTLS)
		if v.after != nil && !v.dialback() {
			v.fault(Critical, Features, Mechanism, errors.New("server dialback is not offered"))
		}
	}
	if s.anyFamily {
		found.relax()
	}
	found.fill(out, func(v *visit) string {
		if v.dialback() {
			return "dialback"
		}
		return ""
	})
	for _, v := range found.tested() {
		if v.after != nil {
			out.Set.Add(s2sDialback, truth(v.dialback()))
		}
	}
	return nil
}

// dialback tells whether dialback is offered: as a feature (XEP-0220), or by older servers by declaring its namespace.
func (v *visit) dialback() bool { return v.after != nil && (v.after.Dialback || v.header.Dialback) }
