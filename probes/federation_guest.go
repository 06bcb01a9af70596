// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

const (
	featureDialback = "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>"
	featureExternal = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>"
)

// guest is a connection that the probed server opened to us.
type guest struct {
	*xmpp.Stream
	f       *federation
	id      string      // of the stream
	phase   string      // where it stands
	asked   bool        // it asked or told us anything
	verdict chan string // what the server says on our stream about this one
	proof   string      // how it proved on it who it is
}

// receive serves a connection of the server that the run waits for, until the run is over.
func (f *federation) receive(stream *xmpp.Stream, header xmpp.Header, family string) {
	g := &guest{Stream: stream, f: f, verdict: make(chan string, 1)}
	if f.received.Add(1) > maxDialback {
		_ = g.Refuse(f.ctx, header, rand.Text(), "policy-violation")
		return
	}
	f.tell(func() { f.family, f.present = family, f.present+1 })
	err := g.serve(f.ctx, header)
	f.tell(func() { f.leave(g, err) })
	bye, cancel := context.WithTimeout(context.WithoutCancel(f.ctx), time.Second)
	defer cancel()
	_ = g.Send(bye, "</stream:stream>")
}

// leave notes why a connection ended. That it ends after it was good for something is as it should be.
func (f *federation) leave(g *guest, err error) {
	f.present--
	if f.proved == g {
		f.proved = nil
	}
	if g.phase == Auth && g.asked {
		return
	}
	f.trouble = &Failure{Phase: g.phase, Reason: reason(g.phase, err), Err: err}
	if errors.Is(err, errInClear) {
		f.trouble.Reason = StartTLSMissing
	}
}

var errInClear = errors.New("the server goes on without TLS on the stream that it opened to us")

// serve goes through the phases as the server's side of the stream, and answers what is asked, until the stream fails.
func (g *guest) serve(ctx context.Context, header xmpp.Header) error {
	g.phase = StartTLS
	first, err := g.inClear(ctx, header)
	if err != nil {
		return err
	}
	if first != nil && xmpp.AsksForTLS(first) {
		g.phase = Handshake
		if err := g.ServeTLS(ctx, g.f.tls); err != nil {
			return err
		}
		g.phase, first = Features, nil
		if header, err = g.Accept(ctx); err != nil {
			return err
		}
		features := featureDialback
		if g.certified() {
			// Servers with a good certificate expect this, and log a failure where they do not find it.
			features += featureExternal
		}
		if err := g.welcome(ctx, header, features); err != nil {
			return err
		}
	}
	g.phase = Auth
	for {
		if first == nil {
			if first, err = g.Receive(ctx); err != nil {
				return err
			}
		}
		if err := g.answer(ctx, first); err != nil {
			return err
		}
		first = nil
	}
}

// inClear opens the stream before TLS and reads the first thing that the server wants.
func (g *guest) inClear(ctx context.Context, header xmpp.Header) (*xmpp.Element, error) {
	features := map[startTLSPolicy]string{
		startTLSRequired: "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>",
		startTLSOffered:  "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" + featureDialback,
		startTLSOff:      featureDialback,
	}[g.f.startTLS]
	if err := g.welcome(ctx, header, features); err != nil {
		return nil, err
	}
	first, err := g.Receive(ctx)
	if err == nil && g.f.startTLS == startTLSRequired && !xmpp.AsksForTLS(first) {
		return nil, errInClear
	}
	return first, err
}

// certified tells whether the server showed a good certificate of its own.
func (g *guest) certified() bool {
	state := g.ConnectionState()
	if state == nil || len(state.PeerCertificates) == 0 {
		return false
	}
	shown := xmpp.Inspect(*state, &tls.Config{ServerName: g.f.peer, RootCAs: g.f.ours.engine.roots})
	return shown.Err() == nil
}

func (g *guest) welcome(ctx context.Context, header xmpp.Header, features string) error {
	if !g.f.is(header.To, header.From) {
		return fmt.Errorf("%w: other domains than at first", xmpp.ErrMalformed)
	}
	g.id = rand.Text()
	return g.Welcome(ctx, header, g.id, features)
}

// answer answers one thing that the server asks or tells us.
func (g *guest) answer(ctx context.Context, e *xmpp.Element) error {
	if name, ok := xmpp.ProvesByCertificate(e); ok && g.certified() && (name == "" || inASCII(name) == g.f.peer) {
		return g.believe(ctx)
	}
	if !g.f.is(e.Attribute("to"), e.Attribute("from")) {
		return fmt.Errorf("%w: <%s> for other domains", xmpp.ErrMalformed, xmpp.Clean(e.Name.Local))
	}
	g.asked = true
	switch e.Name.Space + " " + e.Name.Local {
	case xmpp.Dialback + " verify":
		verdict := "invalid"
		if e.Attribute("id") == g.f.id && strings.TrimSpace(e.Text) == g.f.key {
			verdict = "valid"
			g.f.tell(func() { g.f.asked = true })
		}
		return g.Send(ctx, g.f.dialbackElement("verify", e.Attribute("id"), verdict, ""))
	case xmpp.Dialback + " result":
		verdict, err := g.f.verify(ctx, g, strings.TrimSpace(e.Text))
		if err != nil {
			return err
		}
		return g.Send(ctx, g.f.dialbackElement("result", "", verdict, ""))
	}
	g.f.tell(func() {
		if g.proof != "" && g.f.answers(e) { // from whoever did not prove who it is, it is nobody's
			g.f.answer = e
		}
	})
	return nil
}

// believe opens the stream anew after the server proved by its certificate who it is.
func (g *guest) believe(ctx context.Context) error {
	if err := g.Believe(ctx); err != nil {
		return err
	}
	header, err := g.Accept(ctx)
	if err != nil {
		return err
	}
	g.asked = true
	g.f.tell(func() { g.f.proved, g.proof = g, "EXTERNAL" })
	return g.welcome(ctx, header, featureDialback)
}

// is tells whether these are the two who talk to each other.
func (p pairing) is(to, from string) bool { return inASCII(to) == p.us && inASCII(from) == p.peer }

// inASCII is a domain as it stands in the DNS; nothing where it is none, or an address of somebody at it.
func inASCII(domain string) string {
	ascii, err := idna.Lookup.ToASCII(strings.TrimSuffix(domain, "."))
	if err != nil {
		return ""
	}
	return strings.ToLower(ascii)
}
