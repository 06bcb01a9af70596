// SPDX-License-Identifier: Apache-2.0

package xmpp

import (
	"context"
	"fmt"
	"slices"
)

const (
	nsTLS  = "urn:ietf:params:xml:ns:xmpp-tls"
	nsSASL = "urn:ietf:params:xml:ns:xmpp-sasl"
	nsBind = "urn:ietf:params:xml:ns:xmpp-bind"
)

// Features are what a server offers on a stream.
type Features struct {
	StartTLS, StartTLSRequired bool
	Mechanisms                 []string // of SASL, cleaned, as sent
	SASL2                      []string // of XEP-0388
	ChannelBindings            []string // of XEP-0440
	Dialback                   bool     // urn:xmpp:features:dialback
	Register                   bool     // in-band registration (XEP-0077)
	Bind, StreamManagement     bool
}

// Offers tells whether a mechanism is offered, be it by SASL or by SASL2.
func (f *Features) Offers(mechanism string) bool {
	return slices.Contains(f.Mechanisms, mechanism) || slices.Contains(f.SASL2, mechanism)
}

// Features reads the features that follow the opening tag.
func (s *Stream) Features(ctx context.Context) (*Features, error) {
	if s.answer.Version == "" {
		return nil, fmt.Errorf("%w: no version, so no features will come", ErrMalformed)
	}
	e, err := s.Receive(ctx)
	if err != nil {
		return nil, err
	}
	if e.Name.Space != nsStream || e.Name.Local != "features" {
		return nil, fmt.Errorf("%w: <%s> instead of features", ErrMalformed, Clean(e.Name.Local))
	}
	return features(e), nil
}

func features(e *Element) *Features {
	f := &Features{}
	for _, c := range e.Children {
		switch c.Name.Space + " " + c.Name.Local {
		case nsTLS + " starttls":
			f.StartTLS = true
			f.StartTLSRequired = c.Child(nsTLS, "required") != nil
		case nsSASL + " mechanisms":
			f.Mechanisms = mechanisms(c)
		case "urn:xmpp:sasl:2 authentication":
			f.SASL2 = mechanisms(c)
		case "urn:xmpp:sasl-cb:0 sasl-channel-binding":
			for _, b := range c.Children {
				f.ChannelBindings = append(f.ChannelBindings, Clean(b.Attribute("type")))
			}
		case "urn:xmpp:features:dialback dialback":
			f.Dialback = true
		case "http://jabber.org/features/iq-register register":
			f.Register = true
		case nsBind + " bind":
			f.Bind = true
		case "urn:xmpp:sm:3 sm":
			f.StreamManagement = true
		}
	}
	return f
}

func mechanisms(e *Element) []string {
	var names []string
	for _, c := range e.Children {
		if c.Name.Space == e.Name.Space && c.Name.Local == "mechanism" {
			names = append(names, Clean(c.Text))
		}
	}
	return names
}
