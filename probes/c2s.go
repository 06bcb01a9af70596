// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

// C2S probes what clients connect to.
func C2S() Probe {
	return Probe{
		Name:       "c2s",
		Help:       "Clients can open an encrypted stream, at every target of the domain and in every address family",
		Metrics:    with(plainBeforeTLS, mechanismOffered, bindingOffered),
		Figures:    endpointFigures,
		Thresholds: endpointThresholds,
		Settings: func(set *Settings) Run {
			var s endpointSettings
			s.declare(set)
			read := s.declarePort(set, xmppClient, xmppsClient)
			var policy mechanismPolicy
			set.List(&policy.require, Safe, "require-mech", "SASL mechanism that must be offered")
			set.List(&policy.forbid, Safe, "forbid-mech", "SASL mechanism that must not be offered")
			set.List(&policy.bind, Safe, "require-binding", "Type of channel binding that must be offered (XEP-0440), such as tls-exporter")
			return func(ctx context.Context, target Target, out *Report) error {
				s, services := read()
				return probeClients(ctx, s, services, policy, target, out)
			}
		},
	}
}

func probeClients(ctx context.Context, s endpointSettings, services []service, policy mechanismPolicy, target Target, out *Report) error {
	e, err := s.start()
	if err != nil {
		return err
	}
	found := e.survey(ctx, target.Domain, services)
	for _, v := range found.tested() {
		v.judgeStartTLS(s.startTLS)
		policy.judge(v)
		policy.judgeBinding(v)
	}
	if s.anyFamily {
		found.relax()
	}
	found.fill(out, mechanismsOf)
	for _, v := range found.tested() {
		if v.before != nil {
			out.Set.Add(plainBeforeTLS, truth(bare(v.before) != ""))
		}
		if v.after != nil {
			addMechanisms(out.Set, v.after)
		}
	}
	return nil
}

// judgeStartTLS holds an endpoint with STARTTLS against the policy.
func (v *visit) judgeStartTLS(policy startTLSPolicy) {
	if v.before != nil && v.before.StartTLS && !v.before.StartTLSRequired && policy == startTLSRequired {
		v.fault(Critical, StartTLS, StartTLSMissing, errors.New("STARTTLS is offered but not required (--starttls offered allows that)"))
	}
}

// mechanismPolicy says which SASL mechanisms a server must and must not offer.
type mechanismPolicy struct {
	require, forbid []string
	bind            []string // types of channel binding that must be offered
}

// judge holds an endpoint against the policy.
func (p mechanismPolicy) judge(v *visit) {
	if v.before != nil {
		if name := bare(v.before); name != "" { // never (RFC 6120, 13.8.3), whatever else the policy says
			v.fault(Critical, Stream, Mechanism, fmt.Errorf("%s is offered before TLS: passwords travel in clear", name))
		}
	}
	if v.after == nil {
		return
	}
	if len(v.after.Mechanisms)+len(v.after.SASL2) == 0 {
		v.fault(Critical, Features, Mechanism, errors.New("no SASL mechanism is offered: nobody can log in"))
	}
	for _, name := range p.require {
		if !v.after.Offers(strings.ToUpper(name)) {
			v.fault(Critical, Features, Mechanism, fmt.Errorf("%s is not offered", strings.ToUpper(name)))
		}
	}
	for _, name := range p.forbid {
		if v.after.Offers(strings.ToUpper(name)) {
			v.fault(Critical, Features, Mechanism, fmt.Errorf("%s is offered", strings.ToUpper(name)))
		}
	}
}

// judgeBinding holds an endpoint against what the policy says of channel binding.
func (p mechanismPolicy) judgeBinding(v *visit) {
	for _, kind := range p.bind {
		if v.after != nil && !slices.Contains(v.after.ChannelBindings, kind) {
			v.fault(Critical, Features, Mechanism, fmt.Errorf("channel binding %s is not offered", kind))
		}
	}
}

// bare is the mechanism, if any, that hands over the bare password.
func bare(f *xmpp.Features) string {
	for _, name := range []string{"PLAIN", "LOGIN"} {
		if f.Offers(name) {
			return name
		}
	}
	return ""
}

// addMechanisms adds a 0 or 1 for each mechanism that the label knows, and for each type of channel binding where the server says
// anything about those.
func addMechanisms(set *metric.Set, f *xmpp.Features) {
	for _, name := range mechanismLabel.Values() {
		set.Add(mechanismOffered, truth(f.Offers(name)), name)
	}
	if len(f.ChannelBindings) == 0 {
		return
	}
	for _, kind := range bindingLabel.Values() {
		set.Add(bindingOffered, truth(slices.Contains(f.ChannelBindings, kind)), kind)
	}
}

func mechanismsOf(v *visit) string {
	if v.after == nil {
		return ""
	}
	var names []string
	for _, name := range append(slices.Clone(v.after.Mechanisms), v.after.SASL2...) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	text := strings.Join(names, " ")
	if len(v.after.SASL2) > 0 {
		text += ", SASL2"
	}
	if len(v.after.ChannelBindings) > 0 {
		text += ", binding " + strings.Join(v.after.ChannelBindings, " ")
	}
	return xmpp.Clean(text)
}
