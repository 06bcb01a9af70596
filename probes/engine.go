// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/secret"
)

// engine visits the endpoints of a domain as its settings say.
type engine struct {
	endpointSettings
	resolver Resolver
	roots    *x509.CertPool // nil: those of the system
	from     string         // the domain that we claim to be, or nothing
	client   *tls.Certificate
	only     tlsVersion // the one version of TLS to offer, and to go no further with; 0: all that are good enough
	route    func(netip.Addr) bool
}

var errBothOnly = errors.New("-4 and -6 exclude each other")

// start makes the engine of one run. Its errors are about the settings, not about the service.
func (s endpointSettings) start() (*engine, error) {
	if s.only4 && s.only6 {
		return nil, errBothOnly
	}
	resolver, err := s.names.New(s.resolver)
	if err != nil {
		return nil, fmt.Errorf("--resolver: %w", err)
	}
	e := &engine{endpointSettings: s, resolver: resolver, route: hasRoute}
	if s.caFile != "" {
		pem, err := os.ReadFile(s.caFile)
		if err != nil {
			return nil, fmt.Errorf("--ca-file: %w", secret.Pathless(err))
		}
		e.roots = x509.NewCertPool()
		if !e.roots.AppendCertsFromPEM(pem) {
			return nil, errors.New("--ca-file: no PEM certificate in it")
		}
	}
	return e, nil
}

// fault is something wrong with the service.
type fault struct {
	State
	*Failure
	subject string // where it has no endpoint
}

// survey is what an engine learnt about one domain.
type survey struct {
	located
	resolve time.Duration
	visits  []*visit // in the order of located.endpoints
	peers   []string // values of label peer
	bounds  metric.Bounds
}

// tested are the visits that say something about the service: those to endpoints that this machine can reach.
func (s *survey) tested() (tested []*visit) {
	for _, v := range s.visits {
		if !v.unreached {
			tested = append(tested, v)
		}
	}
	return tested
}

// survey finds the endpoints of a domain and visits them.
func (e *engine) survey(ctx context.Context, domain string, services []service) *survey {
	ctx, cancel := early(ctx)
	defer cancel()
	began := time.Now()
	names, cancel := share(ctx, 2) // a resolver that is silent about one name must leave time for the others
	s := &survey{located: e.locate(names, domain, services)}
	cancel()
	s.resolve = time.Since(began)
	s.tour(ctx, e.visit)
	return s
}

// tour visits all endpoints at the same time, but each address and port only once at a time: ejabberd's listen backlog was 5
// for years.
func (s *survey) tour(ctx context.Context, look func(context.Context, endpoint) *visit) {
	s.visits = make([]*visit, len(s.endpoints))
	queues := map[string][]int{} // by address and port
	for i, at := range s.endpoints {
		queues[at.address()] = append(queues[at.address()], i)
	}
	var running group
	for _, queue := range queues {
		running.Go(func() {
			for n, i := range queue {
				// A black hole must leave time for those behind it.
				ctx, cancel := share(ctx, len(queue)-n)
				s.visits[i] = look(ctx, s.endpoints[i])
				cancel()
			}
		})
	}
	running.Wait()
}

// early ends a little before ctx, so that there is time left to tell what was found.
func early(ctx context.Context) (context.Context, context.CancelFunc) {
	return limited(ctx, func(left time.Duration) time.Duration { return left - min(left/10, 200*time.Millisecond) })
}

// share ends when one of n equal parts of the time left is over.
func share(ctx context.Context, n int) (context.Context, context.CancelFunc) {
	return limited(ctx, func(left time.Duration) time.Duration { return left / time.Duration(n) })
}

func limited(ctx context.Context, limit func(left time.Duration) time.Duration) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, limit(time.Until(deadline)))
}
