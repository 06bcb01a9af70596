// SPDX-License-Identifier: Apache-2.0

package xmpp

import (
	"context"
	"strconv"
	"time"
)

// Question is an IQ and, once it was asked, what became of it.
type Question struct {
	Kind    string // "get" or "set"
	To      string // empty: the server itself
	Payload string

	Answer *Element
	Err    error         // a *StanzaError where the answer is one
	Took   time.Duration // until the answer came
}

// Ask asks all questions at once and waits for the answers, so that one that is slow costs the others nothing. Other stanzas
// that arrive meanwhile are dropped. When the stream fails, every question without an answer says of what.
func (s *Stream) Ask(ctx context.Context, questions ...*Question) {
	open := map[string]*Question{} // by id
	began := time.Now()
	give := func(err error) {
		for _, q := range questions {
			if q.Answer == nil && q.Err == nil {
				q.Err = err
			}
		}
	}
	for _, q := range questions {
		id := "q" + strconv.FormatInt(s.ids.Add(1), 10)
		open[id] = q
		address := ""
		if q.To != "" {
			address = " to='" + Escape(q.To) + "'"
		}
		if err := s.Send(ctx, "<iq type='"+q.Kind+"' id='"+id+"'"+address+">"+q.Payload+"</iq>"); err != nil {
			give(err)
			return
		}
	}
	for len(open) > 0 {
		e, err := s.Receive(ctx)
		if err != nil {
			give(err)
			return
		}
		id, kind := e.Attribute("id"), e.Attribute("type")
		q := open[id]
		if e.Name.Local != "iq" || q == nil || kind != "result" && kind != "error" {
			continue
		}
		q.Answer, q.Took = e, time.Since(began)
		if kind == "error" {
			q.Answer, q.Err = nil, ErrorOf(e)
		}
		delete(open, id)
	}
}

// IQ asks one question.
func (s *Stream) IQ(ctx context.Context, kind, to, payload string) (*Element, error) {
	q := &Question{Kind: kind, To: to, Payload: payload}
	s.Ask(ctx, q)
	return q.Answer, q.Err
}
