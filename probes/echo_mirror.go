// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

// mirror is the second account: it sends back what the first one sends.
type mirror struct {
	jid     string
	cancel  context.CancelFunc
	running group
}

// reflect logs in the second account, at the endpoint of the first.
func (s *session) reflect(ctx context.Context, authenticate Authenticate, a account, from string) (*mirror, error) {
	v, stream := s.engine.dial(ctx, s.at)
	other := &session{Stream: stream, engine: s.engine, at: s.at, features: v.after, found: s.found, out: s.out}
	if v.failure != nil {
		if stream != nil {
			_ = stream.Abort()
		}
		return nil, s.out.fail(v.failure.Phase, v.failure)
	}
	jid, _, err := other.logIn(ctx, authenticate, a)
	if err != nil {
		_ = stream.Abort()
		return nil, err
	}
	running, cancel := context.WithCancel(ctx)
	m := &mirror{jid: jid, cancel: cancel}
	m.running.Go(func() {
		for {
			e, err := stream.Receive(running)
			if err != nil {
				other.end(ctx)
				return
			}
			if body := e.Child(xmpp.Client, "body"); e.Name.Local == "message" && e.Attribute("from") == from && body != nil {
				_ = stream.Send(running, stanza(from, e.Attribute("id"), body.Text)) // Receive says what is wrong
			}
		}
	})
	return m, nil
}

func (m *mirror) end() {
	m.cancel()
	m.running.Wait()
}

// peerAddress is whom messages are sent to.
type peerAddress string

// String is empty, as the default is: addresses of accounts are not repeated.
func (p *peerAddress) String() string { return "" }

func (p *peerAddress) Set(text string) error {
	if text == "" || len(text) > 1024 || strings.ContainsAny(text, "\"&'<> \t\r\n") {
		return errors.New("not an address")
	}
	*p = peerAddress(text)
	return nil
}

// called is what texts call the peer: its name, and never an account.
func (p peerAddress) called(domain string) string {
	switch {
	case p == "":
		return "echo." + domain
	case strings.ContainsAny(string(p), "@/"):
		return "the peer"
	}
	return string(p)
}

// messageCount is a number from 1 to 20.
type messageCount int

func (n *messageCount) String() string { return strconv.Itoa(int(*n)) }

func (n *messageCount) Set(text string) error {
	count, err := strconv.Atoi(text)
	if err != nil || count < 1 || count > 20 {
		return errors.New("a number from 1 to 20")
	}
	*n = messageCount(count)
	return nil
}
