// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/secret"
)

// Cert probes the certificates of all XMPP ports.
func Cert() Probe {
	return Probe{
		Name:    "cert",
		Help:    "All XMPP ports of the domain serve the same certificate, in every address family: trusted, for this domain, and not soon expired",
		Metrics: with(certsDistinct, namesUncovered, legacyAccepted),
		Figures: []Figure{
			daysFigure("cert_days_min"),
			plainFigure("certs_distinct", certsDistinct),
			plainFigure("names_uncovered", namesUncovered),
			{Label: "tls_legacy", Min: "0", Value: legacyFigure},
		},
		Thresholds: []Threshold{
			{Flag: "warning", Figure: "cert_days_min", State: Warning, Default: "25%:", Help: "Days, or percent of its lifetime, that a certificate must be good for"},
			{Flag: "critical", Figure: "cert_days_min", State: Critical, Default: "10%:", Help: "Days, or percent of its lifetime, below which it is critical"},
		},
		Settings: func(set *Settings) Run {
			var s endpointSettings
			s.declare(set)
			ports := set.Var((*portList)(&s.ports), Local, "ports", "Ports to connect to, instead of what the SRV records say: 5222,5223,5269, or PORT/SERVICE such as 15222/xmpp-client")
			ports.Short, ports.List = 'p', true
			var c certSettings
			c.declare(set)
			return func(ctx context.Context, target Target, out *Report) error {
				return probeCertificates(ctx, s, c, target, out)
			}
		},
	}
}

// certSettings are what cert alone can be told.
type certSettings struct {
	components     nameList
	file           string
	allowDifferent bool
}

func (c *certSettings) declare(set *Settings) {
	set.Var(&c.components, Local, "component", "Component whose certificate other servers must find good, too: muc for muc.DOMAIN, or a full name").List = true
	set.String(&c.file, Local, "file", "", "File with the certificate that the server should serve, in PEM, without the key")
	set.Bool(&c.allowDifferent, Safe, "allow-different", "Only warn where ports serve different certificates")
}

func probeCertificates(ctx context.Context, s endpointSettings, c certSettings, target Target, out *Report) error {
	e, err := s.start()
	if err != nil {
		return err
	}
	if len(c.components) > 0 && len(s.ports) > 0 && !slices.ContainsFunc(s.ports, func(p listener) bool { return p.peers }) {
		return errors.New("--component needs a port for servers in --ports, such as 5269: the certificates of components are for other servers")
	}
	wanted, err := c.onDisk()
	if err != nil {
		return err
	}
	ctx, cancel := early(ctx)
	defer cancel()
	part, cancel := share(ctx, 2+len(c.components))
	found := e.survey(part, target.Domain, allServices)
	cancel()
	for i, name := range c.components {
		if !strings.Contains(name, ".") {
			name += "." + target.Domain
		}
		part, cancel := share(ctx, 1+len(c.components)-i)
		found.join(e.survey(part, name, []service{xmppServer, xmppsServer}))
		cancel()
	}
	if wanted != nil {
		for _, v := range found.tested() {
			if v.tls != nil && !v.named && !v.tls.Leaf().Equal(wanted) {
				v.fault(Critical, Handshake, Certificate, errors.New("the server does not serve the certificate on disk: reload it"))
			}
		}
	}
	if s.anyFamily {
		found.relax()
	}
	found.fill(out, func(*visit) string { return "" })
	found.compare(out, c.allowDifferent)
	e.tryLegacy(ctx, found, out)
	return nil
}

// join adds what was found about a component.
func (s *survey) join(other *survey) {
	for _, v := range other.visits {
		v.named = true
	}
	s.visits = append(s.visits, other.visits...)
	s.faults = append(s.faults, other.faults...)
	s.resolve += other.resolve
	s.left += other.left
}

// compare counts the certificates that are served for each name, and the names that they do not name.
func (s *survey) compare(out *Report, allowed bool) {
	served, uncovered := map[string]map[string]bool{}, map[string]bool{}
	for _, v := range s.tested() {
		if v.tls == nil {
			continue
		}
		if served[v.domain] == nil {
			served[v.domain] = map[string]bool{}
		}
		served[v.domain][string(v.tls.Leaf().Raw)] = true
		if v.tls.BadName != nil {
			uncovered[v.domain] = true
		}
	}
	if len(served) > 0 {
		out.Set.Add(namesUncovered, float64(len(uncovered)))
	}
	for _, name := range slices.Sorted(maps.Keys(served)) {
		n := len(served[name])
		out.Set.Add(certsDistinct, float64(n))
		if n == 1 {
			continue
		}
		state := Warning
		if !allowed {
			state = Critical
			out.Set.Add(failureInfo, 1, Handshake, Certificate)
		}
		out.Note(state, "", fmt.Sprintf("%d different certificates are served for %s", n, name))
	}
}

// onDisk reads the certificate that the server should serve, nil where none is named. A file that holds a key is none of our
// business: whoever runs a probe must not be able to read it.
func (c *certSettings) onDisk() (*x509.Certificate, error) {
	if c.file == "" {
		return nil, nil
	}
	rest, err := os.ReadFile(c.file)
	if err != nil {
		return nil, fmt.Errorf("--file: %w", secret.Pathless(err))
	}
	var leaf *x509.Certificate
	for {
		var block *pem.Block
		switch block, rest = pem.Decode(rest); {
		case block == nil && leaf == nil:
			return nil, errors.New("--file: no PEM certificate in it")
		case block == nil:
			return leaf, nil
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			return nil, errors.New("--file: it holds a private key; name a file with the certificate alone")
		case leaf == nil && block.Type == "CERTIFICATE":
			if leaf, err = x509.ParseCertificate(block.Bytes); err != nil {
				return nil, fmt.Errorf("--file: %w", err)
			}
		}
	}
}
