// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

// federation is one run: a stream of ours to the server, and those that it opens to us. Whatever happens on them becomes a deed
// that the run does itself, one after the other.
type federation struct {
	pairing
	ours     *session
	id, key  string // of our stream: who knows both is told that we are who we say
	question string // id of the ping
	asking   bool   // it is asked
	tls      *tls.Config
	startTLS startTLSPolicy
	deeds    chan func()
	ctx      context.Context //nolint:containedctx // ends with the run, and the streams with it
	dismiss  context.CancelFunc
	received atomic.Int32 // connections of the server to us

	// What is known so far. Only deeds write it.
	family  string            // of the last connection of the server to us
	present int               // its connections to us that last
	trouble *Failure          // what went wrong on one of them
	ended   error             // of our stream
	asked   bool              // the server asked whether we are who we say
	verdict *xmpp.Element     // and this is what it made of it
	pending map[string]*guest // streams of the server of which it must say that they are its own, by their id
	proved  *guest            // the last one on which it proved who it is, while that lasts
	answer  *xmpp.Element     // to our ping
}

func newFederation(s *session, us, peer string) *federation {
	f := &federation{
		pairing: pairing{us, peer}, ours: s, id: s.header.ID, key: rand.Text(),
		deeds: make(chan func()), pending: map[string]*guest{}, question: rand.Text(),
	}
	f.ctx, f.dismiss = context.WithCancel(context.Background())
	return f
}

// introduce says how the way back is to be seen: by dialback wherever it is offered. Where it is not, our certificate proves at
// once who we are.
func (f *federation) introduce(ctx context.Context) (back func(context.Context) (string, error), err error) {
	s := f.ours
	switch {
	case takesDialback(s.header, s.features):
		return f.dialback, nil
	case s.engine.client == nil && s.features.Offers("EXTERNAL"):
		return nil, &Failure{Reason: Certificate, Err: errors.New("dialback is not offered, and EXTERNAL takes a certificate: name one with --cert and --key")}
	case !s.features.Offers("EXTERNAL"):
		return nil, &Failure{Reason: Mechanism, Err: errors.New("neither dialback nor EXTERNAL is offered: no server can prove who it is")}
	}
	began := time.Now()
	if _, err := s.ProveByCertificate(ctx); err != nil {
		return nil, loginFailure(err)
	}
	s.took += time.Since(began)
	return f.visited, nil
}

// tell has a deed done, unless the run is over.
func (f *federation) tell(deed func()) {
	select {
	case f.deeds <- deed:
	case <-f.ctx.Done():
	}
}

// listen reads our stream until it is told to stop.
func (f *federation) listen() (stop func()) {
	var listening group
	listening.Go(func() {
		for {
			e, err := f.ours.Receive(f.ctx)
			if err != nil {
				f.tell(func() { f.ended = err })
				return
			}
			f.tell(func() { f.hear(e) })
		}
	})
	return func() {
		f.dismiss()
		listening.Wait()
	}
}

// hear takes in what the server says on our stream.
func (f *federation) hear(e *xmpp.Element) {
	switch e.Name.Space + " " + e.Name.Local {
	case xmpp.Dialback + " result":
		f.verdict = e
	case xmpp.Dialback + " verify":
		g := f.pending[e.Attribute("id")]
		if g == nil {
			return
		}
		delete(f.pending, g.id)
		if e.Attribute("type") != "valid" {
			f.trouble = &Failure{Auth, Refused, errors.New("the server does not stand by the key that it sent on a stream of its own")}
			g.verdict <- "invalid"
			return
		}
		f.proved, g.proof = g, "dialback"
		g.verdict <- "valid"
	case xmpp.Server + " iq":
		if f.answers(e) {
			f.ended = &Failure{Ping, Protocol, errors.New("the server answered on the stream that we opened, which says nothing of the way back")}
		}
	}
}

// answers tells whether a stanza answers our ping.
func (f *federation) answers(e *xmpp.Element) bool {
	return e.Name.Local == "iq" && e.Attribute("id") == f.question && slices.Contains([]string{"result", "error"}, e.Attribute("type"))
}

// try goes one direction and notes how that went.
func (f *federation) try(ctx context.Context, direction, phase string, work func(context.Context) (string, error)) bool {
	out, began := f.ours.out, time.Now()
	said, err := work(ctx)
	if err != nil {
		out.stuck(direction, phase, err)
		return false
	}
	took := time.Since(began)
	out.Set.Add(federationSuccess, 1, direction)
	out.Set.Add(federationDirection, took.Seconds(), direction)
	out.Set.Add(phaseDuration, took.Seconds(), phase)
	out.Note(OK, direction, said+" in "+milliseconds(took))
	return true
}

var errLate = errors.New("late")

// until does deeds until something is the case.
func (f *federation) until(ctx context.Context, done func() (bool, error)) error {
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		if f.ended != nil {
			return f.ended
		}
		select {
		case deed := <-f.deeds:
			deed()
		case <-ctx.Done():
			return errLate
		}
	}
}

// dialback sends our key, and waits until the server has asked us about it and believes us.
func (f *federation) dialback(ctx context.Context) (string, error) {
	if err := f.ours.Send(ctx, f.dialbackElement("result", "", "", f.key)); err != nil {
		return "", err
	}
	err := f.until(ctx, func() (bool, error) {
		if f.verdict == nil {
			return false, nil
		}
		switch f.verdict.Attribute("type") {
		case "valid":
			return true, nil
		case "error":
			return false, stanzaFailure(xmpp.ErrorOf(f.verdict))
		}
		return false, &Failure{Reason: Refused, Err: errors.New("the server says that our key is invalid: something else may answer for --probe-domain")}
	})
	if errors.Is(err, errLate) {
		err = &Failure{Reason: Timeout, Err: errors.New("the server did not say in time whether it believes us")}
	}
	switch {
	case err != nil:
		return "", f.explain(ctx, err)
	case !f.asked:
		return "believed our certificate without dialling back,", nil
	}
	return "dialled back over " + f.family, nil
}

// explain says why the server did not come to believe us: what went wrong when it dialled back tells more than its verdict, which
// may overtake it.
func (f *federation) explain(ctx context.Context, err error) error {
	overtaken, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	for f.present > 0 && f.trouble == nil && overtaken.Err() == nil {
		select {
		case deed := <-f.deeds:
			deed()
		case <-overtaken.Done():
		}
	}
	if f.trouble != nil {
		return &Failure{f.trouble.Phase, f.trouble.Reason, fmt.Errorf("when the server dialled back over %s: %w", f.family, f.trouble.Err)}
	}
	if said, ok := errors.AsType[*Failure](err); ok && f.family == "" {
		return &Failure{Connect, said.Reason, fmt.Errorf("%w, and nobody dialled back to %s: can the server resolve it, and reach --listen?", said.Err, f.us)}
	}
	return err
}

// visited waits until the server has proved who it is on a stream of its own: that is all there is to see of the way back where
// certificates do without dialback. It takes a question to make the server come.
func (f *federation) visited(ctx context.Context) (string, error) {
	if err := f.ask(ctx); err != nil {
		return "", err
	}
	err := f.until(ctx, func() (bool, error) { return f.proved != nil, nil })
	if errors.Is(err, errLate) {
		err = f.explain(ctx, &Failure{Reason: Timeout, Err: errors.New("the server did not prove in time who it is")})
	}
	return "opened a stream to us over " + f.family, err
}

func (f *federation) ask(ctx context.Context) error {
	f.asking = true
	return f.ours.Send(ctx, "<iq type='get' id='"+f.question+"' from='"+spelled(f.us)+"' to='"+spelled(f.peer)+"'><ping xmlns='urn:xmpp:ping'/></iq>")
}

// ping asks on our stream, and waits for the answer on one of the server's own.
func (f *federation) ping(ctx context.Context) (string, error) {
	f.trouble = nil
	if !f.asking {
		if err := f.ask(ctx); err != nil {
			return "", err
		}
	}
	err := f.until(ctx, func() (bool, error) {
		if f.answer == nil || f.answer.Attribute("type") != "error" {
			return f.answer != nil, nil
		}
		return true, pingFailure(xmpp.ErrorOf(f.answer))
	})
	switch {
	case !errors.Is(err, errLate):
		if f.proved == nil {
			return "answered", err
		}
		return "answered on a stream of the server's own, proved by " + f.proved.proof + ",", err
	case f.trouble != nil:
		return "", &Failure{f.trouble.Phase, f.trouble.Reason, fmt.Errorf("on the stream that the server opened to us: %w", f.trouble.Err)}
	case f.proved == nil:
		return "", &Failure{Ping, Timeout, errors.New("no answer: the server opened no stream of its own to us (after a failure, servers try again only minutes later)")}
	}
	return "", &Failure{Ping, Timeout, errors.New("no answer in time, though the server opened a stream of its own to us")}
}

// verify asks the server, on our stream, whether a key that came on a stream of its own is really its own.
func (f *federation) verify(ctx context.Context, g *guest, key string) (verdict string, err error) {
	asked := make(chan error, 1)
	f.tell(func() {
		f.pending[g.id] = g
		asked <- f.ours.Send(ctx, f.dialbackElement("verify", g.id, "", key))
	})
	for {
		select {
		case err := <-asked:
			if err != nil {
				return "", err
			}
		case verdict := <-g.verdict:
			return verdict, nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// dialbackElement is an element of server dialback from us to the server.
func (f *federation) dialbackElement(name, id, kind, text string) string {
	tag := "<db:" + name + " from='" + spelled(f.us) + "' to='" + spelled(f.peer) + "'"
	if id != "" {
		tag += " id='" + xmpp.Escape(id) + "'"
	}
	if kind != "" {
		tag += " type='" + kind + "'"
	}
	return tag + ">" + xmpp.Escape(text) + "</db:" + name + ">"
}
