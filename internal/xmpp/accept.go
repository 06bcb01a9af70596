// SPDX-License-Identifier: Apache-2.0

package xmpp

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"strings"
)

// Accept reads the opening tag of a peer that came to us, at first or again after TLS. Welcome answers it.
func (s *Stream) Accept(ctx context.Context) (Header, error) {
	s.in.restart()
	defer s.reading(ctx)()
	asked, err := s.in.open()
	if err != nil {
		return Header{}, s.failed(ctx, err)
	}
	return asked, nil
}

// Welcome answers the opening tag of a server with ours, from whom it asked for, and with features. Our stream has the id.
func (s *Stream) Welcome(ctx context.Context, asked Header, id, features string) error {
	return s.Send(ctx, openingTag(Header{Namespace: Server, To: asked.From, From: asked.To, ID: id})+
		"<stream:features>"+features+"</stream:features>")
}

// Refuse ends the stream of a peer whose opening tag we read, with a stream error.
func (s *Stream) Refuse(ctx context.Context, asked Header, id, condition string) error {
	err := s.Send(ctx, openingTag(Header{Namespace: Server, To: asked.From, ID: id})+
		"<stream:error><"+condition+" xmlns='"+nsStreamErrors+"'/></stream:error></stream:stream>")
	_ = s.Abort()
	return err
}

// AsksForTLS tells whether an element is the wish for STARTTLS. ServeTLS grants it.
func AsksForTLS(e *Element) bool { return e.Name.Space == nsTLS && e.Name.Local == "starttls" }

// ProvesByCertificate reads the wish to be who the certificate says (SASL EXTERNAL, XEP-0178), and the name that goes with it,
// which may be empty. Believe grants it.
func ProvesByCertificate(e *Element) (name string, ok bool) {
	if e.Name.Space != nsSASL || e.Name.Local != "auth" || e.Attribute("mechanism") != "EXTERNAL" {
		return "", false
	}
	text := strings.TrimSpace(e.Text)
	if text == "" || text == "=" {
		return "", true
	}
	decoded, err := base64.StdEncoding.DecodeString(text)
	return string(decoded), err == nil
}

// Believe tells a peer that its certificate proves who it is. Its next opening tag follows.
func (s *Stream) Believe(ctx context.Context) error {
	return s.Send(ctx, "<success xmlns='"+nsSASL+"'/>")
}

// ProveByCertificate is the other side of that: it proves who we are by the certificate that we showed, and opens the stream
// anew.
func (s *Stream) ProveByCertificate(ctx context.Context) (*Features, error) {
	name := base64.StdEncoding.EncodeToString([]byte(s.header.From))
	if err := s.Send(ctx, "<auth xmlns='"+nsSASL+"' mechanism='EXTERNAL'>"+name+"</auth>"); err != nil {
		return nil, err
	}
	e, err := s.Receive(ctx)
	switch {
	case err != nil:
		return nil, err
	case e.Name.Space == nsSASL && e.Name.Local == "failure":
		condition, text := said(e, nsSASL)
		return nil, &AuthError{condition, text}
	case e.Name.Space != nsSASL || e.Name.Local != "success":
		return nil, fmt.Errorf("%w: <%s> as the answer to SASL EXTERNAL", ErrMalformed, Clean(e.Name.Local))
	}
	if _, err := s.Reopen(ctx); err != nil {
		return nil, err
	}
	return s.Features(ctx)
}

// ServeTLS agrees to STARTTLS and makes the connection a TLS one, with us as the server. What the peer may send from then on
// is bounded: it is a stranger.
func (s *Stream) ServeTLS(ctx context.Context, config *tls.Config) error {
	if s.in.src.Buffered() > 0 {
		return fmt.Errorf("%w: more bytes in clear after the wish for STARTTLS", ErrMalformed)
	}
	if err := s.Send(ctx, "<proceed xmlns='"+nsTLS+"'/>"); err != nil {
		return err
	}
	conn := tls.Server(s.raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		return s.failed(ctx, err)
	}
	s.conn = conn
	s.in = newReader(conn, maxGuest)
	s.in.while = "in all"
	return nil
}

func openingTag(h Header) string {
	var tag strings.Builder
	tag.WriteString("<?xml version='1.0'?><stream:stream xmlns='" + h.Namespace + "' xmlns:stream='" + nsStream + "'")
	if h.Namespace == Server {
		tag.WriteString(" xmlns:db='" + Dialback + "'")
	}
	for _, a := range []struct{ name, value string }{{"to", h.To}, {"from", h.From}, {"id", h.ID}} {
		if a.value != "" {
			tag.WriteString(" " + a.name + "='" + Escape(a.value) + "'")
		}
	}
	if h.Namespace != Component { // XEP-0114 is older than version 1.0
		tag.WriteString(" version='1.0' xml:lang='en'")
	}
	tag.WriteString(">")
	return tag.String()
}
