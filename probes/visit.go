// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

// visit is what was seen at one endpoint.
type visit struct {
	endpoint
	took          map[string]time.Duration // by phase; only phases that were passed
	header        xmpp.Header              // the last one
	before, after *xmpp.Features           // TLS; the same with --starttls off; nil where it did not come to that
	tls           *xmpp.TLS
	answered      bool     // the server sent anything at all
	failure       *Failure // what ended the visit early
	faults        []fault  // what is wrong, the failure included
	retries       int
	unreached     bool   // no route from this machine: says nothing about the service
	absent        bool   // what was asked for does not exist there, which need not be bad
	said          string // what there is to say of an endpoint that speaks no XMPP streams
	mutual        bool   // a server that talks only to servers with a good certificate, and we have none
}

func newVisit(at endpoint) *visit { return &visit{endpoint: at, took: map[string]time.Duration{}} }

// phase goes through one phase and notes how long it took, or what it failed of.
func (v *visit) phase(name string, work func() error) (passed bool) {
	began := time.Now()
	err := work()
	if err == nil {
		v.took[name] += time.Since(began)
		return true
	}
	var known bool
	if v.failure, known = errors.AsType[*Failure](err); !known {
		v.failure = &Failure{Reason: reason(name, err), Err: err}
	}
	v.failure.Phase = cmp.Or(v.failure.Phase, name)
	return false
}

// total is how long all phases took together.
func (v *visit) total() (sum time.Duration) {
	for _, d := range v.took {
		sum += d
	}
	return sum
}

// state is the worst of the faults.
func (v *visit) state() State {
	worst := OK
	for _, f := range v.faults {
		worst = worst.Worse(f.State)
	}
	return worst
}

func (v *visit) fault(state State, phase, reason string, err error) {
	v.faults = append(v.faults, fault{State: state, Failure: &Failure{phase, reason, err}})
}

// visit opens an encrypted stream at an endpoint and reads what it offers.
func (e *engine) visit(ctx context.Context, at endpoint) *visit {
	return e.try(ctx, at, e.attempt)
}

// try makes an attempt at a visit, and one more where the connection is reset before the peer said anything: that is what a
// full listen backlog looks like.
func (e *engine) try(ctx context.Context, at endpoint, attempt func(context.Context, endpoint) *visit) *visit {
	if !e.route(at.addr) {
		return &visit{endpoint: at, unreached: true}
	}
	v := attempt(ctx, at)
	if v.failure != nil && !v.answered && errors.Is(v.failure, syscall.ECONNRESET) {
		v = attempt(ctx, at)
		v.retries = 1
	}
	if v.failure != nil {
		v.faults = append(v.faults, fault{State: Critical, Failure: v.failure})
	}
	return v
}

// attempt opens a stream and ends it.
func (e *engine) attempt(ctx context.Context, at endpoint) *visit {
	v, s := e.dial(ctx, at)
	switch {
	case s == nil:
	case v.failure == nil && !v.mutual && e.only == 0:
		_ = s.Close(ctx)
	default:
		_ = s.Abort()
	}
	return v
}

// dial goes through the phases until one fails. The stream is for the caller to end; nil where there was no connection.
func (e *engine) dial(ctx context.Context, at endpoint) (v *visit, s *xmpp.Stream) {
	v = newVisit(at)
	phase := v.phase
	if !phase(Connect, func() error {
		conn, err := dial(ctx, "tcp", at.address())
		if err != nil {
			return xmpp.Network(err)
		}
		s = xmpp.NewStream(conn)
		return nil
	}) {
		return v, s
	}
	defer func() { v.tls, v.answered = s.TLS(), s.Answered() }()

	header := xmpp.Header{Namespace: xmpp.Client, To: spelled(at.domain), From: spelled(e.from)}
	if at.peers {
		header.Namespace = xmpp.Server
	}
	read := func(features **xmpp.Features) func() error {
		return func() (err error) {
			if v.header, err = s.Open(ctx, header); err != nil {
				return err
			}
			*features, err = s.Features(ctx)
			return err
		}
	}
	if !at.direct {
		if !phase(Stream, read(&v.before)) {
			return v, s
		}
		if e.startTLS == startTLSOff {
			v.after = v.before
			return v, s
		}
		if !phase(StartTLS, func() error {
			if !v.before.StartTLS {
				return errNoStartTLS
			}
			return s.StartTLS(ctx)
		}) {
			return v, s
		}
	}
	if phase(Handshake, func() error { return s.Handshake(ctx, e.tlsConfig(at)) }) && e.only == 0 && !phase(Features, read(&v.after)) {
		if at.peers && e.client == nil && unauthorized(v.failure) {
			v.failure, v.mutual = nil, true
		}
	}
	return v, s
}

// tlsConfig asks for the domain, not for the SRV target: that is what the certificate must name (RFC 6120, 13.7.2.1).
func (e *engine) tlsConfig(at endpoint) *tls.Config {
	config := &tls.Config{ServerName: at.domain, RootCAs: e.roots, MinVersion: uint16(e.tlsMin)}
	if e.only != 0 {
		config.MinVersion, config.MaxVersion, config.CipherSuites = uint16(e.only), uint16(e.only), legacySuites()
	}
	if e.client != nil {
		config.Certificates = []tls.Certificate{*e.client}
	}
	if at.direct {
		config.NextProtos = []string{"xmpp-client"}
		if at.peers {
			config.NextProtos = []string{"xmpp-server"}
		}
	}
	return config
}

var errNoStartTLS = errors.New("STARTTLS is not offered")

// unauthorized: Prosody with s2s_secure_auth says so to servers without a good certificate, before any features.
func unauthorized(err error) bool {
	ended, ok := errors.AsType[*xmpp.StreamError](err)
	return ok && ended.Condition == "not-authorized"
}

// reason finds the word for an error.
func reason(phase string, err error) string {
	if _, ok := errors.AsType[*xmpp.StreamError](err); ok {
		return StreamError
	}
	if _, ok := errors.AsType[*xmpp.CertificateError](err); ok {
		return Certificate
	}
	if _, ok := errors.AsType[*xmpp.StanzaError](err); ok {
		return Refused
	}
	is := func(targets ...error) bool {
		return slices.ContainsFunc(targets, func(t error) bool { return errors.Is(err, t) })
	}
	switch {
	case is(errNoStartTLS, xmpp.ErrNoStartTLS):
		return StartTLSMissing
	case is(xmpp.ErrTimeout):
		return Timeout
	case is(syscall.ECONNREFUSED):
		return Refused
	case is(syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.EACCES, syscall.EPERM, errPrivate):
		return Unreachable
	case is(xmpp.ErrClosed, syscall.ECONNRESET, syscall.EPIPE):
		return Closed
	case is(xmpp.ErrMalformed):
		return Protocol
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return Protocol
	}
	if phase == Handshake && strings.Contains(err.Error(), "tls: ") {
		return TLSAlert // theirs or ours
	}
	return OtherReason
}
