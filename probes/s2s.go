// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/secret"
	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

// S2S probes what other servers connect to.
func S2S() Probe {
	return Probe{
		Name:    "s2s",
		Help:    "Other servers can open an encrypted stream, at every target of the domain and in every address family",
		Metrics: with(s2sDialback, s2sExternal),
		Figures: append(slices.Clone(endpointFigures),
			plainFigure("dialback", s2sDialback), plainFigure("external", s2sExternal)),
		Thresholds: endpointThresholds,
		Settings: func(set *Settings) Run {
			var s endpointSettings
			s.declare(set)
			read := s.declarePort(set, xmppServer, xmppsServer)
			var us peer
			us.declare(set)
			return func(ctx context.Context, target Target, out *Report) error {
				s, services := read()
				return probePeers(ctx, s, services, us, target, out)
			}
		},
	}
}

// peer is the server that we claim to be, and what it demands of the other one.
type peer struct {
	from, cert, key string
	require         offers
}

func (p *peer) declare(set *Settings) {
	set.String(&p.from, Local, "from", "", "Domain to speak for; none that the probed server serves itself")
	set.String(&p.cert, Local, "client-cert", "", "File with a certificate for the domain of --from, in PEM: servers offer EXTERNAL to nobody else")
	set.String(&p.key, Local, "client-key", "", "File with the key of that certificate, in PEM")
	set.Var(&p.require, Safe, "require", "How servers must be able to prove who they are: dialback or external; without it either is good enough").List = true
}

// equip gives the engine what the peer has to show.
func (p *peer) equip(e *engine, domain string) error {
	e.from = strings.ToLower(strings.TrimSuffix(p.from, "."))
	switch {
	case e.from == domain || strings.HasSuffix(e.from, "."+domain):
		return errors.New("--from must not be a domain that the probed server serves: a server does not talk to itself this way")
	case p.cert == "" && p.key == "":
		if slices.Contains(p.require, "external") {
			return errors.New("--require external needs --client-cert, --client-key and --from: it is offered to nobody else")
		}
		return nil
	case p.cert == "" || p.key == "" || e.from == "":
		return errors.New("--client-cert, --client-key and --from belong together")
	}
	pair, err := tls.LoadX509KeyPair(p.cert, p.key)
	if err != nil {
		return fmt.Errorf("--client-cert, --client-key: %w", secret.Pathless(err))
	}
	e.client = &pair
	return nil
}

func probePeers(ctx context.Context, s endpointSettings, services []service, us peer, target Target, out *Report) error {
	e, err := s.start()
	if err != nil {
		return err
	}
	if err := us.equip(e, target.Domain); err != nil {
		return err
	}
	found := e.survey(ctx, target.Domain, services)
	for _, v := range found.tested() {
		v.judgeStartTLS(s.startTLS)
		us.judge(v)
	}
	if s.anyFamily {
		found.relax()
	}
	found.fill(out, func(v *visit) string { return strings.Join(append(v.proofs(), v.serversOnly()...), " ") })
	for _, v := range found.tested() {
		if v.after == nil {
			continue
		}
		proofs := v.proofs()
		out.Set.Add(s2sDialback, truth(slices.Contains(proofs, "dialback")))
		if e.client != nil { // its absence without a certificate proves nothing
			out.Set.Add(s2sExternal, truth(slices.Contains(proofs, "external")))
		}
	}
	return nil
}

// judge demands a way in which servers can prove who they are.
func (p *peer) judge(v *visit) {
	if v.after == nil {
		return
	}
	proofs := v.proofs()
	if len(proofs) == 0 {
		v.fault(Critical, Features, Mechanism, errors.New("neither dialback nor EXTERNAL is offered: no server can prove who it is"))
	}
	for _, name := range p.require {
		if !slices.Contains(proofs, name) {
			v.fault(Critical, Features, Mechanism, fmt.Errorf("%s is not offered", name))
		}
	}
}

// takesDialback tells whether dialback is offered. Older servers say so by declaring its namespace instead of by a feature;
// ejabberd declares that always, also where it offers EXTERNAL alone.
func takesDialback(h xmpp.Header, f *xmpp.Features) bool {
	return f.Dialback || h.Dialback && !f.Offers("EXTERNAL")
}

// proofs are the ways that are offered.
func (v *visit) proofs() (names []string) {
	if v.after == nil {
		return nil
	}
	if takesDialback(v.header, v.after) {
		names = append(names, "dialback")
	}
	if v.after.Offers("EXTERNAL") {
		names = append(names, "external")
	}
	return names
}

// serversOnly tells of a certificate that is not made for clients, as those of Let's Encrypt are: a server shows it as a client when it
// dials out, and peers that look at the purpose do not trust it by EXTERNAL.
func (v *visit) serversOnly() []string {
	if v.tls == nil {
		return nil
	}
	for _, purpose := range v.tls.Leaf().ExtKeyUsage {
		if purpose == x509.ExtKeyUsageClientAuth || purpose == x509.ExtKeyUsageAny {
			return nil
		}
	}
	if len(v.tls.Leaf().ExtKeyUsage)+len(v.tls.Leaf().UnknownExtKeyUsage) == 0 { // good for everything
		return nil
	}
	return []string{"(certificate for servers only)"}
}

// offers is a list of proofs.
type offers []string

func (o *offers) String() string { return strings.Join(*o, ",") }
func (o *offers) Set(text string) error {
	if text != "dialback" && text != "external" {
		return errors.New("dialback or external")
	}
	*o = append(*o, text)
	return nil
}
