// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// Cert probes the certificates of all XMPP ports.
func Cert() Probe {
	return Probe{
		Name:    "cert",
		Help:    "All XMPP ports of the domain serve the same certificate, in every address family: trusted, for this domain, and not soon expired",
		Metrics: with(certsDistinct),
		Figures: []Figure{
			daysFigure("cert_days_min"),
			plainFigure("certs_distinct", certsDistinct),
			{Label: "names_uncovered", Min: "0", Value: namesUncovered},
			// Unknown: only a client that speaks legacy TLS itself could tell that a server refuses it.
			{Label: "tls_legacy", Min: "0", Value: func(*metric.Set) (float64, bool) { return 0, false }},
		},
		Thresholds: []Threshold{
			{Flag: "warning", Figure: "cert_days_min", State: Warning, Default: "25%:", Help: "Days, or percent of its lifetime, that a certificate must be good for"},
			{Flag: "critical", Figure: "cert_days_min", State: Critical, Default: "10%:", Help: "Days, or percent of its lifetime, below which it is critical"},
		},
		Settings: func(set *Settings) Run {
			var s endpointSettings
			s.declare(set)
			set.Var((*portList)(&s.ports), Local, "ports", "Ports to connect to, instead of what the SRV records say: 5222,5223,5269 or PORT/SERVICE such as 15222/xmpp-client").Short = 'p'
			set.All[len(set.All)-1].List = true
			allowed := false
			set.Bool(&allowed, Safe, "allow-different", "Only warn where ports serve different certificates")
			return func(ctx context.Context, target Target, out *Report) error {
				return probeCertificates(ctx, s, allowed, target, out)
			}
		},
	}
}

func probeCertificates(ctx context.Context, s endpointSettings, allowed bool, target Target, out *Report) error {
	e, err := s.start()
	if err != nil {
		return err
	}
	found := e.survey(ctx, target.Domain, allServices)
	if s.anyFamily {
		found.relax()
	}
	found.fill(out, func(*visit) string { return "" })
	served := map[[sha256.Size]byte]bool{}
	for _, v := range found.tested() {
		if v.tls != nil {
			served[sha256.Sum256(v.tls.Leaf().Raw)] = true
		}
	}
	if len(served) == 0 {
		return nil
	}
	out.Set.Add(certsDistinct, float64(len(served)))
	if len(served) > 1 {
		state := Warning
		if !allowed {
			state = Critical
			out.Set.Add(failureInfo, 1, Handshake, Certificate)
		}
		out.Note(state, "", fmt.Sprintf("%d different certificates are served for %s", len(served), target.Domain))
	}
	return nil
}

// namesUncovered is 1 where an endpoint's certificate does not name the domain.
func namesUncovered(s *metric.Set) (uncovered float64, ok bool) {
	for _, sample := range s.All() {
		if sample.Metric == certValid && sample.Labels[len(sample.Labels)-1] == "name" {
			uncovered, ok = max(uncovered, 1-sample.Value), true
		}
	}
	return uncovered, ok
}
