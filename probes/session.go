// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

// declareClient declares the settings of the probes that do what a client does. What it returns reads them.
func declareClient(set *Settings) func() (endpointSettings, []service) {
	s := endpointSettings{startTLS: startTLSRequired}
	s.declareReach(set)
	s.declareTrust(set)
	return s.declarePort(set, xmppClient, xmppsClient)
}

// session is a client's stream at an endpoint that works.
type session struct {
	*xmpp.Stream
	engine   *engine
	at       endpoint
	features *xmpp.Features
	header   xmpp.Header
	took     time.Duration // to open it
	found    *survey
	out      *Report
}

// enter visits all endpoints of a domain and fills the Report with what they are like: a broken address family is never hidden
// by one that works. Then it opens a stream at the first that works; without any it returns nil, and the error of one of them, or of the
// names that lead to them.
// peers are the values of label peer.
func (e *engine) enter(ctx context.Context, domain string, services []service, peers []string, out *Report) (*session, error) {
	half, cancel := share(ctx, 2) // a black hole must leave time for what comes after
	found := e.survey(half, domain, services)
	cancel()
	found.peers = peers
	if e.anyFamily {
		found.relax()
	}
	for _, v := range found.tested() {
		if v.failure != nil && banned(v.failure.Err) {
			v.failure.Err = errBanned
		}
	}
	found.fill(out, func(*visit) string { return "" })
	working := slices.IndexFunc(found.visits, func(v *visit) bool { return !v.unreached && v.works() })
	if working < 0 {
		for _, v := range found.tested() {
			if v.failure != nil {
				return nil, v.failure
			}
		}
		if len(found.faults) > 0 {
			return nil, found.faults[0].Failure
		}
		return nil, nil
	}
	v, stream := e.dial(ctx, found.visits[working].endpoint)
	if v.failure != nil {
		if stream != nil {
			_ = stream.Abort()
		}
		return nil, out.fail(v.failure.Phase, v.failure)
	}
	if v.mutual {
		_ = stream.Abort()
		return nil, out.fail(Features, &Failure{Reason: Certificate, Err: errMutual})
	}
	return &session{
		Stream: stream, engine: e, at: v.endpoint, features: v.after, header: v.header, took: v.total(), found: found, out: out,
	}, nil
}

var errMutual = errors.New("the server talks only to servers that show a certificate of a trusted authority: name one with --cert and --key")

// end ends the stream, politely where there is time for it.
func (s *session) end(ctx context.Context) {
	if ctx.Err() != nil {
		_ = s.Abort()
		return
	}
	_ = s.Close(ctx)
}

// logIn logs in. It returns the full address and the mechanism.
func (s *session) logIn(ctx context.Context, authenticate Authenticate, a account) (jid, mechanism string, err error) {
	err = s.phase(Auth, func() error {
		var err error
		if mechanism, err = authenticate(ctx, s.Stream, s.features, a.user, a.password); err != nil {
			return loginFailure(err)
		}
		if _, err = s.Features(ctx); err != nil {
			return err
		}
		jid, err = s.Bind(ctx, "")
		return err
	})
	return jid, mechanism, err
}

// phase goes through one phase and adds how long it took, or what it failed of.
func (s *session) phase(name string, work func() error) error {
	began := time.Now()
	if err := work(); err != nil {
		return s.out.fail(name, err)
	}
	s.out.Set.Add(phaseDuration, time.Since(began).Seconds(), name)
	return nil
}

// fail types what a phase failed of, and adds it to the numbers.
func (r *Report) fail(phase string, err error) *Failure {
	failure, known := errors.AsType[*Failure](err)
	if !known {
		failure = &Failure{Reason: reason(phase, err), Err: err}
	}
	failure.Phase = cmp.Or(failure.Phase, phase)
	r.Set.Add(failureInfo, 1, failure.Phase, failure.Reason)
	return failure
}

// complain notes a failure that leaves the rest of the probe standing.
func (r *Report) complain(subject, phase string, err error) {
	failure := r.fail(phase, err)
	r.Notes = append(r.Notes, Note{Critical, subject, failure.Error(), failure.Reason})
}

// sessionTime is the DNS, the slowest endpoint, and what was done in the session.
func sessionTime(s *metric.Set) (total float64, ok bool) {
	for _, sample := range s.All() {
		if sample.Metric == endpointDuration && sample.Labels[0] != httpPut.name && sample.Labels[0] != httpGet.name {
			total, ok = max(total, sample.Value), true
		}
	}
	more := []*metric.Metric{putDuration, getDuration}
	for _, phase := range []string{Resolve, Auth, Ping, Message, Slot} {
		took, _ := s.Get(phaseDuration, phase)
		total += took
	}
	if _, web := s.Get(putDuration); !web {
		got, _ := s.Get(phaseDuration, Get)
		return total + got, ok
	}
	for _, m := range more {
		took, _ := s.Get(m)
		total += took
	}
	return total, ok
}

// sessionFigures are the performance data of probes that do what a client does, before their own.
func sessionFigures(own ...Figure) []Figure {
	return append([]Figure{{Label: "time", Unit: "s", Min: "0", Value: sessionTime}}, own...)
}

// also says what was done before what the endpoints are like.
func (r *Report) also(done ...string) {
	r.Summary = strings.Join(append(done, r.Summary), ", ")
}

// inSeconds is a duration for texts.
func inSeconds(seconds float64) string {
	return milliseconds(time.Duration(seconds * float64(time.Second)))
}
