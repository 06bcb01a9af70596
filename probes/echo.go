// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

var (
	roundTrip = gauge("probe_xmpp_message_round_trip_seconds",
		"How long a message took to the peer and back, the mean of those that came back", metric.Max)
	roundTripMax = gauge("probe_xmpp_message_round_trip_max_seconds",
		"How long the slowest message took to the peer and back", metric.Max)
	messagesLost = gauge("probe_xmpp_messages_lost",
		"Number of messages that did not come back", metric.Sum)
)

// Echo probes that messages arrive.
func Echo(authenticate Authenticate) Probe {
	return Probe{
		Name:    "echo",
		Help:    "Messages go out and come back, through an echo component or between two accounts",
		LogsIn:  true,
		Metrics: with(roundTrip, roundTripMax, messagesLost),
		Figures: sessionFigures(
			Figure{Label: "rtt", Unit: "s", Min: "0", Value: plainFigure("", roundTrip).Value},
			Figure{Label: "rtt_max", Unit: "s", Min: "0", Value: plainFigure("", roundTripMax).Value},
			plainFigure("lost", messagesLost),
		),
		Thresholds: timeThresholds,
		Settings: func(set *Settings) Run {
			read := declareClient(set)
			x := exchange{authenticate: authenticate, count: 3}
			x.first.declare(set, "", passwordVariable, "to send from")
			x.second.declare(set, "second-", secondPasswordVariable, "of the same domain to send to, which sends back; without one the peer does that")
			set.Var(&x.peer, Local, "peer", "Address that sends messages back, instead of echo.DOMAIN")
			set.Var(&x.count, Local, "count", "Number of messages, 20 at most, one after the other")
			return func(ctx context.Context, target Target, out *Report) error {
				s, services := read()
				return x.probe(ctx, s, services, target, out)
			}
		},
	}
}

// exchange is between whom messages go.
type exchange struct {
	authenticate  Authenticate
	first, second accountSettings
	peer          peerAddress
	count         messageCount
}

func (x exchange) probe(ctx context.Context, settings endpointSettings, services []service, target Target, out *Report) error {
	e, err := settings.start()
	if err != nil {
		return err
	}
	who, err := x.first.read(target.Domain)
	if err != nil {
		return err
	}
	var other account
	if x.second.address.user != "" {
		if other, err = x.second.read(target.Domain); err != nil {
			return err
		}
	}
	ctx, cancel := early(ctx)
	defer cancel()
	s, err := e.enter(ctx, target.Domain, services, nil, out)
	if s == nil {
		return err
	}
	defer s.end(ctx)
	jid, _, err := s.logIn(ctx, x.authenticate, who)
	if err != nil {
		return err
	}
	peer, called := spelled(cmp.Or(string(x.peer), "echo."+target.Domain)), x.peer.called(target.Domain)
	if other.user != "" {
		mirror, err := s.reflect(ctx, x.authenticate, other, jid)
		if err != nil {
			return err
		}
		defer mirror.end()
		peer, called = mirror.jid, "the second account"
	}
	return s.exchange(ctx, peer, called, int(x.count))
}

// exchange sends messages to a peer, one after the other, each when the one before has come back or is lost.
func (s *session) exchange(ctx context.Context, peer, called string, count int) error {
	came, sum, slowest := 0, time.Duration(0), time.Duration(0)
	var failure error
	for left := count; left > 0; left-- {
		ctx, cancel := share(ctx, left)
		took, err := s.message(ctx, peer)
		cancel()
		if err == nil {
			came, sum, slowest = came+1, sum+took, max(slowest, took)
			continue
		}
		if failure = err; !errors.Is(err, xmpp.ErrTimeout) {
			break // a stream that ended, or a peer that does not exist
		}
	}
	s.out.Set.Add(messagesLost, float64(count-came))
	if came > 0 {
		mean := sum / time.Duration(came)
		s.out.Set.Add(roundTrip, mean.Seconds())
		s.out.Set.Add(roundTripMax, slowest.Seconds())
		s.out.Set.Add(phaseDuration, sum.Seconds(), Message)
		s.out.also(fmt.Sprintf("%d of %d messages came back from %s in %s", came, count, called, milliseconds(mean)))
	}
	if failure == nil {
		return nil
	}
	typed := &Failure{Reason: reason(Message, failure), Err: failure}
	if said, ok := errors.AsType[*xmpp.StanzaError](failure); ok {
		typed = stanzaFailure(said)
	}
	typed.Err = fmt.Errorf("%d of %d messages did not come back from %s: %w", count-came, count, called, typed.Err)
	return s.out.fail(Message, typed)
}

// hints ask servers to store a message nowhere and to copy it to nobody (XEP-0334).
const hints = "<no-store xmlns='urn:xmpp:hints'/><no-permanent-store xmlns='urn:xmpp:hints'/><no-copy xmlns='urn:xmpp:hints'/>"

func stanza(to, id, body string) string {
	return "<message type='chat' to='" + xmpp.Escape(to) + "' id='" + xmpp.Escape(id) + "'><body>" + xmpp.Escape(body) + "</body>" + hints + "</message>"
}

// message sends one message and waits for it to come back.
func (s *session) message(ctx context.Context, peer string) (time.Duration, error) {
	token := rand.Text()
	began := time.Now()
	if err := s.Send(ctx, stanza(peer, token, token)); err != nil {
		return 0, err
	}
	for {
		e, err := s.Receive(ctx)
		if err != nil {
			return 0, err
		}
		if e.Name.Local != "message" || bareJID(e.Attribute("from")) != bareJID(peer) {
			continue
		}
		if e.Attribute("type") == "error" && e.Attribute("id") == token {
			return 0, xmpp.ErrorOf(e)
		}
		if body := e.Child(xmpp.Client, "body"); body != nil && strings.TrimSpace(body.Text) == token {
			return time.Since(began), nil
		}
	}
}

// bareJID is an address without its resource, in lower case.
func bareJID(jid string) string {
	address, _, _ := strings.Cut(jid, "/")
	return strings.ToLower(address)
}
