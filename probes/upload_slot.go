// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/web"
	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

const (
	nsUpload = "urn:xmpp:http:upload:0"
	nsItems  = "http://jabber.org/protocol/disco#items"
)

// uploadService is who grants slots.
type uploadService struct {
	host  string
	limit int // bytes of a file, 0 where it says none
}

var errNoUpload = errors.New("neither the domain nor what it lists is an upload service")

// findUpload looks for it as clients do: among what the domain lists, and at the domain itself.
func (s *session) findUpload(ctx context.Context, domain string) (uploadService, error) {
	items, err := s.IQ(ctx, "get", domain, "<query xmlns='"+nsItems+"'/>")
	if err != nil {
		return uploadService{}, slotFailure(err)
	}
	questions := []*xmpp.Question{askInfo(domain)}
	if query := items.Child(nsItems, "query"); query != nil {
		for _, item := range query.Children {
			if host := item.Attribute("jid"); host != "" && item.Attribute("node") == "" && len(questions) < maxAsked {
				questions = append(questions, askInfo(host))
			}
		}
	}
	half, cancel := share(ctx, 2) // one that is silent may be another
	s.Ask(half, questions...)
	cancel()
	for _, q := range questions {
		if q.Answer == nil {
			continue
		}
		if query := q.Answer.Child(nsInfo, "query"); query != nil && isUpload(query) {
			return uploadService{q.To, limitOf(query)}, nil
		}
	}
	for _, q := range questions {
		if _, said := errors.AsType[*xmpp.StanzaError](q.Err); q.Err != nil && !said {
			return uploadService{}, q.Err
		}
	}
	return uploadService{}, &Failure{Reason: Protocol, Err: errNoUpload}
}

func isUpload(query *xmpp.Element) bool {
	return slices.ContainsFunc(query.Children, func(e *xmpp.Element) bool {
		return e.Name.Local == "feature" && e.Attribute("var") == nsUpload
	})
}

// limitOf reads max-file-size.
func limitOf(query *xmpp.Element) int {
	for _, e := range below(query) {
		if e.Name.Local == "field" && e.Attribute("var") == "max-file-size" {
			if value := e.Child(nsForm, "value"); value != nil {
				if n, err := strconv.Atoi(strings.TrimSpace(value.Text)); err == nil && n > 0 && int64(n) < 1<<53 {
					return n
				}
			}
		}
	}
	return 0
}

// slot is where a file may be put and then fetched.
type slot struct {
	put, get *url.URL
	header   []string // of the PUT
}

// requestSlot asks for a slot.
func (s *session) requestSlot(ctx context.Context, host string, size int) (slot, error) {
	answer, err := s.IQ(ctx, "get", host, fmt.Sprintf(
		"<request xmlns='%s' filename='check_xmpp_upload.bin' size='%d' content-type='application/octet-stream'/>", nsUpload, size))
	if err != nil {
		return slot{}, slotFailure(err)
	}
	given := answer.Child(nsUpload, "slot")
	if given == nil {
		given = &xmpp.Element{}
	}
	put, get := given.Child(nsUpload, "put"), given.Child(nsUpload, "get")
	if put == nil || get == nil {
		return slot{}, &Failure{Reason: Protocol, Err: errors.New("the slot lacks a place to put the file or to get it")}
	}
	granted := slot{header: []string{"Content-Type", "application/octet-stream"}}
	var errs [2]error
	granted.put, errs[0] = encrypted(put.Attribute("url"))
	granted.get, errs[1] = encrypted(get.Attribute("url"))
	if errors.Join(errs[:]...) != nil {
		return slot{}, &Failure{Reason: Protocol, Err: errors.New("the slot is not on https")}
	}
	for _, h := range put.Children {
		if slices.ContainsFunc([]string{"Authorization", "Cookie", "Expires"}, func(known string) bool { return strings.EqualFold(known, h.Attribute("name")) }) {
			granted.header = append(granted.header, h.Attribute("name"), strings.NewReplacer("\r", "", "\n", "").Replace(h.Text))
		}
	}
	return granted, nil
}

// slotFailure types what a slot failed of.
func slotFailure(err error) error {
	if said, ok := errors.AsType[*xmpp.StanzaError](err); ok {
		return stanzaFailure(said)
	}
	return err
}

// upload puts the file into its slot.
func (c *browser) upload(ctx context.Context, to slot, content []byte) error {
	got, err := c.fetch(ctx, web.Request{Method: "PUT", Header: to.header, Body: string(content)}, to.put)
	switch {
	case err != nil:
		return err
	case got.Status != 201 && got.Status != 200:
		return got.failure()
	}
	c.said = "file uploaded"
	return nil
}

// download fetches the file again.
func (c *browser) download(ctx context.Context, content []byte) error {
	got, err := c.get(ctx, c.url)
	switch {
	case err != nil:
		return err
	case got.Status != 200:
		return got.failure()
	case !bytes.Equal(got.Body, content):
		return &Failure{Reason: Protocol, Err: fmt.Errorf("the %d bytes that come back are not those that were uploaded", len(got.Body))}
	}
	c.said = "file fetched"
	return nil
}

// failure is an answer that should have been another one.
func (f fetched) failure() *Failure {
	why := Protocol
	if f.Status >= 400 && f.Status < 500 {
		why = Refused
	}
	return &Failure{Reason: why, Err: errors.New("the server " + f.status())}
}
