// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"errors"
	"fmt"

	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

var (
	pingDuration = gauge("probe_xmpp_ping_duration_seconds",
		"How long the answer to a ping took", metric.Max, metric.BoundTo("peer"))
	pingSuccess = gauge("probe_xmpp_ping_success",
		"Whether a server answered a ping from the account: its own one and those that are configured", metric.Min, metric.BoundTo("peer"))
	componentsFailed = gauge("probe_xmpp_components_failed",
		"Number of components that are not there, or are not what they should be", metric.Sum)
)

// Login probes what a user can do once logged in.
func Login(authenticate Authenticate) Probe {
	return Probe{
		Name:    "login",
		Help:    "An account can log in by SCRAM, its server and others answer it, and components are what they should be",
		LogsIn:  true,
		Metrics: with(pingDuration, pingSuccess, componentsFailed, abuseContact, blockListed),
		Figures: sessionFigures(
			phaseFigure(Auth), phaseFigure(Ping),
			Figure{Label: "ping_failed", Min: "0", Value: func(s *metric.Set) (failed float64, ok bool) {
				for _, answered := range values(s, pingSuccess) {
					failed, ok = failed+1-answered, true
				}
				return failed, ok
			}},
			plainFigure("components_failed", componentsFailed),
			plainFigure("abuse_contact", abuseContact),
			plainFigure("block_listed", blockListed),
		),
		Thresholds: timeThresholds,
		Settings: func(set *Settings) Run {
			read := declareClient(set)
			var a accountSettings
			a.declare(set, "", passwordVariable, "to log in with")
			asked := loginQuestions{authenticate: authenticate}
			set.Var(&asked.pings, Local, "ping", "Other domain that must answer a ping").List = true
			set.Var(&asked.components, Local, "component",
				"Component that must be there, as NAME, and what it must be, as in NAME=conference/text; a NAME without a dot is below the domain").List = true
			set.Bool(&asked.abuseContact, Local, "abuse-contact", "Warn unless the domain says whom to write to about abuse (XEP-0157)")
			set.Var(&asked.blockLists, Local, "block-list",
				"Block list that must not have the domain, or a component, as SERVICE/NODE: a pubsub node whose items are SHA-256 of domains").List = true
			return func(ctx context.Context, target Target, out *Report) error {
				s, services := read()
				return probeLogin(ctx, s, services, a, asked, target, out)
			}
		},
	}
}

func probeLogin(ctx context.Context, settings endpointSettings, services []service, a accountSettings, asked loginQuestions, target Target, out *Report) error {
	e, err := settings.start()
	if err != nil {
		return err
	}
	who, err := a.read(target.Domain)
	if err != nil {
		return err
	}
	ctx, cancel := early(ctx)
	defer cancel()
	s, err := e.enter(ctx, target.Domain, services, append([]string{target.Domain}, asked.pings...), out)
	if s == nil {
		return err
	}
	defer s.end(ctx)
	_, mechanism, err := s.logIn(ctx, asked.authenticate, who)
	if err != nil {
		return err
	}
	s.askAround(ctx, target.Domain, asked)
	s.askForNeighbours(ctx, target.Domain, asked)
	auth, _ := out.Set.Get(phaseDuration, Auth)
	out.also("logged in by " + mechanism + " in " + inSeconds(auth))
	return nil
}

// askAround pings servers and asks components what they are, all at once.
func (s *session) askAround(ctx context.Context, domain string, asked loginQuestions) {
	var questions, infos []*xmpp.Question
	for _, peer := range append([]string{domain}, asked.pings...) {
		questions = append(questions, &xmpp.Question{Kind: "get", To: peer, Payload: "<ping xmlns='urn:xmpp:ping'/>"})
	}
	for _, c := range asked.components {
		infos = append(infos, askInfo(c.host(domain)))
	}
	s.Ask(ctx, append(questions, infos...)...)
	for i, q := range questions {
		err := pingFailure(q.Err)
		s.out.Set.Add(pingSuccess, truth(err == nil), q.To)
		if err != nil {
			s.out.complain(q.To, Ping, err)
			continue
		}
		s.out.Set.Add(pingDuration, q.Took.Seconds(), q.To)
		if i == 0 {
			s.out.Set.Add(phaseDuration, q.Took.Seconds(), Ping)
		}
		s.out.Note(OK, q.To, "answered a ping in "+milliseconds(q.Took))
	}
	failed := 0
	for i, q := range infos {
		if err := asked.components[i].judge(q); err != nil {
			failed++
			s.out.complain(q.To, Ping, err)
			continue
		}
		s.out.Note(OK, q.To, identities(q.Answer))
	}
	if len(infos) > 0 {
		s.out.Set.Add(componentsFailed, float64(failed))
	}
}

// pingFailure types what a ping failed of. A server that does not know pings is there all the same (XEP-0199, 4.1).
func pingFailure(err error) error {
	said, ok := errors.AsType[*xmpp.StanzaError](err)
	if !ok {
		return err
	}
	switch said.Condition {
	case "service-unavailable", "feature-not-implemented":
		return nil
	}
	return stanzaFailure(said)
}

// stanzaFailure finds the reason for a question that was answered with an error.
func stanzaFailure(said *xmpp.StanzaError) *Failure {
	why := Refused
	switch said.Condition {
	case "remote-server-timeout":
		why = Timeout
	case "remote-server-not-found":
		why = Unreachable
	}
	return &Failure{Reason: why, Err: fmt.Errorf("the server %w", said)}
}
