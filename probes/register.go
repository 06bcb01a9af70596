// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"errors"
	"fmt"

	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

var (
	registerOffered = gauge("probe_xmpp_register_offered",
		"Whether strangers are given a form to register an account with", metric.Max)
	registerCaptchaShown = gauge("probe_xmpp_register_captcha",
		"Whether that form has a captcha whose picture is really delivered", metric.Max)
)

// Register probes what strangers are offered who want an account. It reads the form and never submits it.
func Register() Probe {
	return Probe{
		Name:    "register",
		Help:    "In-band registration is as intended: closed, open, or open with a captcha whose picture is delivered",
		Metrics: with(registerOffered, registerCaptchaShown),
		Figures: sessionFigures(
			plainFigure("register", registerOffered),
			plainFigure("captcha", registerCaptchaShown),
		),
		Thresholds: timeThresholds,
		Settings: func(set *Settings) Run {
			read := declareClient(set)
			expected := registrationCaptcha
			set.Var(&expected, Safe, "expect", "What registration must be: closed, open without a captcha, or open with a captcha")
			return func(ctx context.Context, target Target, out *Report) error {
				s, services := read()
				return probeRegistration(ctx, s, services, expected, target, out)
			}
		},
	}
}

// registration is what a server does with strangers who want an account.
type registration string

const (
	registrationClosed  registration = "closed"
	registrationOpen    registration = "open"
	registrationCaptcha registration = "captcha"
)

func (r *registration) String() string { return string(*r) }

func (r *registration) Set(text string) error {
	switch registration(text) {
	case registrationClosed, registrationOpen, registrationCaptcha:
		*r = registration(text)
		return nil
	}
	return errors.New("closed, open or captcha")
}

func probeRegistration(ctx context.Context, settings endpointSettings, services []service, expected registration, target Target, out *Report) error {
	e, err := settings.start()
	if err != nil {
		return err
	}
	ctx, cancel := early(ctx)
	defer cancel()
	s, err := e.enter(ctx, target.Domain, services, nil, out)
	if s == nil {
		return err
	}
	defer s.end(ctx)
	var found registration
	var query *xmpp.Element
	if err := s.phase(Get, func() (err error) {
		found, query, err = s.readForm(ctx, target.Domain)
		return err
	}); err != nil {
		return err
	}
	out.Set.Add(registerOffered, truth(found != registrationClosed))
	switch found {
	case registrationCaptcha:
		err := s.phase(Get, func() error { return s.showPicture(ctx, target.Domain, query) })
		out.Set.Add(registerCaptchaShown, truth(err == nil))
		if err != nil && expected == registrationCaptcha {
			return err
		}
	case registrationOpen:
		out.Set.Add(registerCaptchaShown, 0)
	case registrationClosed:
	}
	if found != expected {
		return out.fail(Get, &Failure{Reason: Protocol, Err: fmt.Errorf("registration is %s instead of %s", found.words(), expected.words())})
	}
	out.also("registration is " + found.words())
	return nil
}

func (r registration) words() string {
	return map[registration]string{
		registrationClosed: "closed", registrationOpen: "open without a captcha", registrationCaptcha: "open with a captcha",
	}[r]
}

const (
	nsRegister = "jabber:iq:register"
	nsForm     = "jabber:x:data"
	nsMedia    = "urn:xmpp:media-element"
)

// readForm asks for the form (XEP-0077). Refusals that mean "not here" make it closed; others are failures.
func (s *session) readForm(ctx context.Context, domain string) (registration, *xmpp.Element, error) {
	answer, err := s.IQ(ctx, "get", domain, "<query xmlns='"+nsRegister+"'/>")
	if said, ok := errors.AsType[*xmpp.StanzaError](err); ok {
		switch said.Condition {
		case "service-unavailable", "feature-not-implemented", "not-allowed", "forbidden", "not-authorized":
			return registrationClosed, nil, nil
		}
		return "", nil, stanzaFailure(said)
	}
	if ended, ok := errors.AsType[*xmpp.StreamError](err); ok && ended.Condition == "not-authorized" {
		return registrationClosed, nil, nil // what ejabberd says to strangers without mod_register
	}
	if err != nil {
		return "", nil, err
	}
	query := answer.Child(nsRegister, "query")
	if query == nil {
		return "", nil, &Failure{Reason: Protocol, Err: errors.New("the server answers without a form")}
	}
	return kindOf(query), answer, nil
}

// kindOf reads a form. One that has no place for a password, but points to the web at most, registers nobody.
func kindOf(query *xmpp.Element) registration {
	kind := registrationClosed
	if query.Child(nsRegister, "password") != nil {
		kind = registrationOpen
	}
	form := query.Child(nsForm, "x")
	if form == nil {
		return kind
	}
	for _, field := range form.Children {
		switch {
		case field.Name.Local != "field":
		case field.Child(nsMedia, "media") != nil, field.Attribute("var") == "ocr", field.Attribute("var") == "challenge":
			return registrationCaptcha
		case field.Attribute("var") == "password":
			kind = registrationOpen
		}
	}
	return kind
}
