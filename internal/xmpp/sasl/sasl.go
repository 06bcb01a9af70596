// SPDX-License-Identifier: Apache-2.0

// Package sasl logs in to an XMPP server with SCRAM, bound to the TLS channel where the server offers that. It never speaks
// PLAIN: a probe must not hand its password to whoever answers.
package sasl

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/xdg-go/scram"

	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

// maxIterations bounds the work that a server can make us do; real ones ask for 4096 to some ten thousands.
const maxIterations = 1_000_000

// What a login can fail of, beside the errors of package xmpp.
var (
	ErrNotEncrypted = errors.New("no login without TLS")
	// ErrImpostor: the server let us in without proof that it knows the password.
	ErrImpostor = errors.New("the server did not prove that it knows the password")
)

// Login authenticates on an encrypted stream whose features were read and binds a resource, one of the server's choice where resource
// is empty. It returns the full JID.
func Login(ctx context.Context, s *xmpp.Stream, f *xmpp.Features, username, password, resource string) (jid string, err error) {
	if _, err := Authenticate(ctx, s, f, username, password); err != nil {
		return "", err
	}
	if _, err := s.Features(ctx); err != nil {
		return "", err
	}
	return s.Bind(ctx, resource)
}

// Authenticate proves username's password to the server, and has the server prove that it knows it too. It returns what was used, such
// as SCRAM-SHA-1-PLUS or SASL2 SCRAM-SHA-256. The features of a stream that belongs to somebody come next.
func Authenticate(ctx context.Context, s *xmpp.Stream, f *xmpp.Features, username, password string) (used string, err error) {
	state := s.ConnectionState()
	if state == nil {
		return "", ErrNotEncrypted
	}
	choice, ok := choose(f, state)
	if !ok {
		return "", xmpp.ErrNoMechanism
	}
	client, err := choice.hash.NewClient(username, password, "")
	if err != nil { // its text may carry the password
		return "", errors.New("user name or password has characters that SCRAM does not allow")
	}
	used = choice.name + choice.mechanism
	if err := converse(ctx, s, choice, choice.conversation(client)); err != nil || !choice.reopens {
		return used, err
	}
	_, err = s.Reopen(ctx)
	return used, err
}

// converse carries the conversation over the stream.
func converse(ctx context.Context, s *xmpp.Stream, d choice, c *scram.ClientConversation) error {
	first, err := c.Step("")
	if err != nil {
		return err
	}
	if err := s.Send(ctx, d.begin(d.mechanism, encode(first))); err != nil {
		return err
	}
	for {
		e, err := s.Receive(ctx)
		if err != nil {
			return err
		}
		said, err := base64.StdEncoding.DecodeString(strings.TrimSpace(d.said(e)))
		switch {
		case e.Name.Space != d.namespace || err != nil:
			return fmt.Errorf("%w: <%s> during the login", xmpp.ErrMalformed, xmpp.Clean(e.Name.Local))
		case e.Name.Local == "failure":
			return failure(e)
		case e.Name.Local == "challenge":
			answer, err := step(c, string(said))
			if err != nil {
				return err
			}
			if err := s.Send(ctx, "<response xmlns='"+d.namespace+"'>"+encode(answer)+"</response>"); err != nil {
				return err
			}
		case e.Name.Local == "success":
			if !c.Done() && len(said) > 0 {
				if _, err := step(c, string(said)); err != nil {
					return err
				}
			}
			if !c.Valid() {
				return ErrImpostor
			}
			return nil
		case e.Name.Local == "continue":
			return errors.New("the server wants more than a password of this account")
		default:
			return fmt.Errorf("%w: <%s> during the login", xmpp.ErrMalformed, xmpp.Clean(e.Name.Local))
		}
	}
}

func step(c *scram.ClientConversation, said string) (string, error) {
	for field := range strings.SplitSeq(said, ",") {
		if count, ok := strings.CutPrefix(field, "i="); ok {
			if n, err := strconv.Atoi(count); err != nil || n > maxIterations {
				return "", fmt.Errorf("the server asks for more than %d rounds of hashing", maxIterations)
			}
		}
	}
	answer, err := c.Step(said)
	if err != nil {
		return "", fmt.Errorf("SCRAM: %s", xmpp.Clean(err.Error()))
	}
	return answer, nil
}

func failure(e *xmpp.Element) *xmpp.AuthError {
	found := &xmpp.AuthError{Condition: "unknown"}
	for _, c := range e.Children {
		if c.Name.Local == "text" {
			found.Text = xmpp.Clean(c.Text)
		} else {
			found.Condition = xmpp.Clean(c.Name.Local)
		}
	}
	return found
}

func encode(message string) string { return base64.StdEncoding.EncodeToString([]byte(message)) }
