// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/chapril/ejabberd_exporter/internal/web"
	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

const nsBOSH = "http://jabber.org/protocol/httpbind"

// openBOSH asks for a session (XEP-0124, XEP-0206) and ends it.
func (b *browsing) openBOSH(ctx context.Context, c *browser) {
	var random [8]byte
	_, _ = rand.Read(random[:])                       // never fails
	rid := binary.BigEndian.Uint64(random[:])>>12 + 1 // with those that follow below 2^53
	var session *xmpp.Element
	if !c.phase(Stream, func() (err error) {
		session, err = c.body(ctx, fmt.Sprintf("<body xmlns='%s' content='text/xml; charset=utf-8' hold='1' wait='5' ver='1.11' rid='%d' to='%s'"+
			" xml:lang='en' xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh'/>", nsBOSH, rid, xmpp.Escape(spelled(b.domain))))
		if err == nil && session.Attribute("sid") == "" {
			err = &Failure{Reason: Protocol, Err: errors.New("BOSH: the session has no sid")}
		}
		return err
	}) {
		return
	}
	c.said = "BOSH session opened"
	last, err := c.body(ctx, fmt.Sprintf("<body xmlns='%s' rid='%d' sid='%s' type='terminate'/>", nsBOSH, rid+1, xmpp.Escape(session.Attribute("sid"))))
	if err == nil && last.Attribute("type") == "terminate" {
		c.said += " and ended"
		return
	}
	if err == nil {
		err = errors.New("it goes on after it was ended")
	}
	c.fault(Warning, Stream, Protocol, fmt.Errorf("the BOSH session cannot be ended: %w", err))
}

// body sends one body and reads the answer. One that ends the session though we did not ask for it is an error.
func (c *browser) body(ctx context.Context, text string) (*xmpp.Element, error) {
	got, err := c.fetch(ctx, web.Request{Method: "POST", Header: []string{"Content-Type", "text/xml; charset=utf-8"}, Body: text}, c.url)
	if err != nil {
		return nil, err
	}
	if got.Status != 200 {
		return nil, &Failure{Reason: Protocol, Err: fmt.Errorf("BOSH: the server %s", got.status())}
	}
	answer, err := xmpp.Parse(got.Body)
	if err != nil || answer.Name.Space != nsBOSH || answer.Name.Local != "body" {
		return nil, &Failure{Reason: Protocol, Err: errors.New("BOSH: the answer is no body element")}
	}
	if condition := answer.Attribute("condition"); answer.Attribute("type") == "terminate" && condition != "" {
		return nil, &Failure{Reason: StreamError, Err: fmt.Errorf("BOSH: the server ends the session: %s", xmpp.Clean(condition))}
	}
	return answer, nil
}
