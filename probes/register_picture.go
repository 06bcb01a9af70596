// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

const nsBits = "urn:xmpp:bob"

// maxPictures bounds how many pictures of a form are looked at: real ones have one.
const maxPictures = 4

var errNoPicture = errors.New("the captcha has no picture: nobody can register, though it is offered")

// showPicture fetches the picture of a captcha (XEP-0158). One that is delivered is enough.
func (s *session) showPicture(ctx context.Context, domain string, answer *xmpp.Element) error {
	var failure error = &Failure{Reason: Protocol, Err: errNoPicture}
	for n, uri := range pictures(answer) {
		if n == maxPictures {
			break
		}
		var data []byte
		var err error
		if cid, inBand := strings.CutPrefix(uri, "cid:"); inBand {
			data, err = s.bits(ctx, domain, cid, answer)
		} else {
			data, err = s.engine.picture(ctx, uri)
		}
		switch {
		case err != nil:
			failure = err
		case isPicture(data):
			return nil
		default:
			failure = &Failure{Reason: Protocol, Err: errors.New("the captcha is no picture: its command may be broken")}
		}
	}
	return failure
}

// pictures are the addresses of the pictures in a form.
func pictures(answer *xmpp.Element) (uris []string) {
	for _, e := range below(answer) {
		if e.Name.Space == nsMedia && e.Name.Local == "uri" {
			uris = append(uris, strings.TrimSpace(e.Text))
		}
	}
	return uris
}

// bits are a picture that came with the form or, if it did not, that the server has for who asks (XEP-0231).
func (s *session) bits(ctx context.Context, domain, cid string, answer *xmpp.Element) ([]byte, error) {
	for _, from := range []func() (*xmpp.Element, error){
		func() (*xmpp.Element, error) { return answer, nil },
		func() (*xmpp.Element, error) {
			return s.IQ(ctx, "get", domain, "<data xmlns='"+nsBits+"' cid='"+xmpp.Escape(cid)+"'/>")
		},
	} {
		e, err := from()
		if said, ok := errors.AsType[*xmpp.StanzaError](err); ok {
			return nil, &Failure{Reason: Protocol, Err: errors.Join(errNoPicture, said)}
		}
		if err != nil {
			return nil, err
		}
		for _, found := range below(e) {
			if found.Name.Space == nsBits && found.Name.Local == "data" && found.Attribute("cid") == cid && strings.TrimSpace(found.Text) != "" {
				text := strings.Join(strings.Fields(found.Text), "")
				data, err := base64.StdEncoding.DecodeString(text)
				if err != nil {
					return nil, &Failure{Reason: Protocol, Err: errors.New("the captcha's picture is not base64")}
				}
				return data, nil
			}
		}
	}
	return nil, &Failure{Reason: Protocol, Err: errNoPicture}
}

// below is an element and all that is inside it.
func below(e *xmpp.Element) []*xmpp.Element {
	all := []*xmpp.Element{e}
	for _, c := range e.Children {
		all = append(all, below(c)...)
	}
	return all
}

// picture fetches a picture from the web, from the first address that has it.
func (e *engine) picture(ctx context.Context, uri string) ([]byte, error) {
	at, err := encrypted(uri)
	if err != nil {
		return nil, &Failure{Reason: Protocol, Err: errors.New("the captcha's picture is not on the web over https")}
	}
	b := e.elsewhere()
	found := b.locate(ctx, []page{{webRegister, at}})
	var failure error = &Failure{Reason: Protocol, Err: errNoPicture}
	if len(found.faults) > 0 {
		failure = found.faults[0].Failure
	}
	for n, at := range found.endpoints {
		ctx, cancel := share(ctx, len(found.endpoints)-n)
		var got fetched
		v := b.visitWith(ctx, at, func(ctx context.Context, c *browser) {
			c.phase(Get, func() (err error) {
				got, err = c.get(ctx, c.url)
				if err == nil && got.Status != 200 {
					err = &Failure{Reason: Protocol, Err: errors.New("no picture for the captcha: the server " + got.status())}
				}
				return err
			})
		})
		cancel()
		if v.failure == nil && !v.unreached {
			return got.Body, nil
		}
		if v.failure != nil {
			failure = v.failure
		}
	}
	return nil, failure
}

// elsewhere browses what servers name: --hostname says where the XMPP service is, and nothing about the web.
func (e *engine) elsewhere() *browsing {
	free := *e
	free.host = ""
	return &browsing{engine: &free}
}

// visitWith goes to one endpoint over HTTPS and does something there.
func (b *browsing) visitWith(ctx context.Context, at endpoint, do func(context.Context, *browser)) *visit {
	return b.try(ctx, at, func(ctx context.Context, at endpoint) *visit {
		c := &browser{visit: newVisit(at)}
		c.config = b.tls(c.visit)
		defer c.close()
		if c.open(ctx) {
			do(ctx, c)
		}
		return c.visit
	})
}
