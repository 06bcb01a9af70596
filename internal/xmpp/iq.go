// SPDX-License-Identifier: Apache-2.0

package xmpp

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
)

// StanzaError is the error with which a stanza was answered.
type StanzaError struct {
	Condition string // "service-unavailable" …
	Text      string // what else the peer said, cleaned
}

func (e *StanzaError) Error() string {
	if e.Text == "" {
		return "answered " + e.Condition
	}
	return "answered " + e.Condition + " (" + e.Text + ")"
}

// ErrorOf reads the error of a stanza of type error, or of an answer of dialback.
func ErrorOf(e *Element) *StanzaError {
	found := e.Child(e.Name.Space, "error")
	if found == nil && e.Name.Space == Dialback {
		found = e.Child(Server, "error")
	}
	if found == nil {
		found = &Element{}
	}
	condition, text := said(found, "urn:ietf:params:xml:ns:xmpp-stanzas")
	return &StanzaError{condition, text}
}

// Bind binds a resource, one of the server's choice where resource is empty, and returns the full JID.
func (s *Stream) Bind(ctx context.Context, resource string) (jid string, err error) {
	wish := ""
	if resource != "" {
		wish = "<resource>" + Escape(resource) + "</resource>"
	}
	answer, err := s.IQ(ctx, "set", "", "<bind xmlns='"+nsBind+"'>"+wish+"</bind>")
	if err != nil {
		return "", fmt.Errorf("bind: %w", err)
	}
	if bind := answer.Child(nsBind, "bind"); bind != nil {
		if jid := bind.Child(nsBind, "jid"); jid != nil {
			return jid.Text, nil
		}
	}
	return "", fmt.Errorf("bind: %w: no JID in the answer", ErrMalformed)
}

// ErrHandshake says that the server does not know the component's secret.
var ErrHandshake = errors.New("component handshake refused: compare the secret with the server's")

// Join opens a stream as the external component domain (XEP-0114).
func (s *Stream) Join(ctx context.Context, domain, secret string) error {
	answer, err := s.Open(ctx, Header{Namespace: Component, To: domain})
	if err != nil {
		return err
	}
	sum := sha1.Sum([]byte(answer.ID + secret))
	if err := s.Send(ctx, "<handshake>"+hex.EncodeToString(sum[:])+"</handshake>"); err != nil {
		return err
	}
	e, err := s.Receive(ctx)
	if refused, ok := errors.AsType[*StreamError](err); ok && refused.Condition == "not-authorized" {
		return ErrHandshake
	}
	if err == nil && e.Name.Local != "handshake" {
		err = fmt.Errorf("%w: <%s> as the answer to the handshake", ErrMalformed, Clean(e.Name.Local))
	}
	return err
}
