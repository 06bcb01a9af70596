// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/secret"
)

// The directions of federation, a closed set.
const (
	outward      = "out"  // from us to the server: a stream on which it lets a server prove who it is
	backward     = "back" // from the server to us: it dials back to ask whether we are who we say
	thereAndBack = "ping" // out on our stream, and back on one of the server's own
)

var (
	directionLabel      = metric.OneOf("direction", outward, backward, thereAndBack)
	federationSuccess   = gauge("probe_xmpp_federation_success", "Whether a direction of federation works; absent where it did not come to it", metric.Min, directionLabel)
	federationDirection = gauge("probe_xmpp_federation_duration_seconds", "How long a direction of federation took", metric.Max, directionLabel)
)

// Federation probes what other servers need in both directions.
func Federation() Probe {
	receptions := newReceptions()
	return Probe{
		Name:       "federation",
		Help:       "The server federates in both directions, without any account: it takes our stream, dials back to us, and answers a ping",
		Needs:      "--probe-domain probe.example.net",
		Metrics:    with(federationSuccess, federationDirection),
		Figures:    sessionFigures(slices.Concat([]Figure{directionFigure(outward), directionFigure(backward), directionFigure(thereAndBack)}, endpointCounts)...),
		Thresholds: endpointThresholds,
		Settings: func(set *Settings) Run {
			var s endpointSettings
			s.declare(set)
			read := s.declarePort(set, xmppServer, xmppsServer)
			us := ourselves{receptions: receptions}
			us.declare(set)
			return func(ctx context.Context, target Target, out *Report) error {
				s, services := read()
				return probeFederation(ctx, s, services, us, target, out)
			}
		},
	}
}

func directionFigure(name string) Figure {
	return Figure{Label: name, Unit: "s", Min: "0", Value: func(s *metric.Set) (float64, bool) { return s.Get(federationDirection, name) }}
}

// ourselves is the server that we are for the time of a probe.
type ourselves struct {
	domain     string
	listen     []string
	cert, key  string
	receptions *receptions
}

func (u *ourselves) declare(set *Settings) {
	set.String(&u.domain, Local, "probe-domain", "", "Domain to be for this probe: its SRV record _xmpp-server._tcp must lead to --listen on this machine, and no server may serve it")
	set.List(&u.listen, Local, "listen", "Address to be dialled back at, HOST:PORT or :PORT; :5269 where none is given")
	set.String(&u.cert, Local, "cert", "", "File with a certificate for --probe-domain, in PEM; a self-made one where none is given, which is enough for servers that trust dialback")
	set.String(&u.key, Local, "key", "", "File with the key of that certificate, in PEM")
}

// equip checks the settings and gives the engine what it has to show.
func (u *ourselves) equip(e *engine, domain string) (*tls.Config, error) {
	var name domainList
	switch {
	case u.domain == "":
		return nil, errors.New("--probe-domain is missing: a domain whose SRV record leads to --listen on this machine")
	case name.Set(u.domain) != nil:
		return nil, errors.New("--probe-domain is no domain name")
	case name[0] == domain || strings.HasSuffix(name[0], "."+domain):
		return nil, errors.New("--probe-domain must not be a domain that the probed server serves: a server does not talk to itself this way")
	case (u.cert == "") != (u.key == ""):
		return nil, errors.New("--cert and --key belong together")
	}
	e.from = name[0]
	if len(u.listen) == 0 {
		u.listen = []string{":5269"}
	}
	pair, err := selfMade(e.from)
	if err != nil {
		return nil, err
	}
	if u.cert != "" {
		if pair, err = tls.LoadX509KeyPair(u.cert, u.key); err != nil {
			return nil, fmt.Errorf("--cert, --key: %w", secret.Pathless(err))
		}
		e.client = &pair // a self-made one proves nothing, so it is not shown
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: uint16(e.tlsMin), ClientAuth: tls.RequestClientCert}, nil
}

func probeFederation(ctx context.Context, settings endpointSettings, services []service, us ourselves, target Target, out *Report) error {
	e, err := settings.start()
	if err != nil {
		return err
	}
	config, err := us.equip(e, target.Domain)
	if err != nil {
		return err
	}
	ctx, cancel := early(ctx)
	defer cancel()
	s, err := e.enter(ctx, target.Domain, services, nil, out)
	if s == nil {
		if err != nil { // else this machine has no route to the server, which says nothing about it
			out.stuck(outward, Resolve, err)
		}
		return nil
	}
	defer s.end(ctx)
	f := newFederation(s, e.from, target.Domain)
	f.tls, f.startTLS = config, settings.startTLS
	back, err := f.introduce(ctx)
	if err != nil {
		out.stuck(outward, Features, err)
		return nil
	}
	out.Set.Add(federationSuccess, 1, outward)
	out.Set.Add(federationDirection, s.took.Seconds(), outward)
	out.Note(OK, outward, "took our stream at "+s.at.subject()+" in "+milliseconds(s.took))

	waiting, cancel := share(ctx, 2) // for other runs that are received at the same place
	leave, err := us.receptions.enter(waiting, us.listen, f)
	cancel()
	if err != nil {
		return err
	}
	defer leave()
	defer f.listen()()
	if !f.try(ctx, backward, Auth, back) || !f.try(ctx, thereAndBack, Ping, f.ping) {
		return nil
	}
	total, _ := sessionTime(out.Set)
	out.also("federates with " + e.from + " both ways in " + inSeconds(total))
	return nil
}

// stuck notes in which direction the probe came no further, before what is said of the endpoints.
func (r *Report) stuck(direction, phase string, err error) {
	failure := r.fail(phase, err)
	r.Set.Add(federationSuccess, 0, direction)
	r.Notes = slices.Insert(r.Notes, 0, Note{Critical, direction, failure.Error(), failure.Reason})
}
