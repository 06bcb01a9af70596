// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"crypto/tls"
	"net"
	"strconv"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

// checkCaptcha registers an account as a stranger does, with the captcha of our captcha_cmd.
func checkCaptcha(t *testing.T, s *Service) {
	t.Helper()
	ctx := t.Context()
	stream := openStream(ctx, t, s)
	defer func() { _ = stream.Abort() }()
	answer, err := stream.IQ(ctx, "get", s.Domains[0], "<query xmlns='jabber:iq:register'/>")
	if err != nil {
		t.Fatal(err)
	}
	form := answer.Child("jabber:iq:register", "query").Child("jabber:x:data", "x")
	if form == nil {
		t.Fatal("no form in the answer: the captcha is off")
	}
	ocr, err := s.Ejabberd.CaptchaAnswer()
	if err != nil {
		t.Fatal(err)
	}
	fields := ""
	for _, field := range form.Children {
		value := ""
		switch name := field.Attribute("var"); name {
		case "username":
			value = "captcha-" + Canary
		case "password":
			value = password
		case "ocr":
			value = ocr
		default:
			if v := field.Child("jabber:x:data", "value"); v != nil {
				value = v.Text
			}
		}
		if name := field.Attribute("var"); name != "" {
			fields += "<field var='" + xmpp.Escape(name) + "'><value>" + xmpp.Escape(value) + "</value></field>"
		}
	}
	_, err = stream.IQ(ctx, "set", s.Domains[0],
		"<query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'>"+fields+"</x></query>")
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, s, "SELECT count(*) FROM users WHERE username = $1", "captcha-"+Canary); n != 1 {
		t.Errorf("%d accounts of that name after the registration, want 1", n)
	}
}

// openStream opens a stream with direct TLS, without logging in.
func openStream(ctx context.Context, t *testing.T, s *Service) *xmpp.Stream {
	t.Helper()
	conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Ejabberd.Config.Ports.C2STLS)))
	if err != nil {
		t.Fatal(err)
	}
	stream := xmpp.NewStream(conn)
	if err := stream.Handshake(ctx, &tls.Config{RootCAs: s.CA.Pool(), ServerName: s.Domains[0]}); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Open(ctx, xmpp.Header{Namespace: xmpp.Client, To: s.Domains[0]}); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Features(ctx); err != nil {
		t.Fatal(err)
	}
	return stream
}
