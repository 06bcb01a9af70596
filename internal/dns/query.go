// SPDX-License-Identifier: Apache-2.0

package dns

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// datagram is the largest UDP answer that we ask for: it passes everywhere without being cut into fragments.
const datagram = 1232

// query is a question as it is sent, under a random id.
type query struct {
	question
	id  uint16
	msg []byte
}

// pack writes a question out.
func pack(q question) (query, error) {
	name, err := dnsmessage.NewName(q.name + ".")
	if err != nil || q.name == "" {
		return query{}, errNoDNSName
	}
	var random [2]byte
	_, _ = rand.Read(random[:]) // never fails
	out := query{question: q, id: binary.BigEndian.Uint16(random[:])}
	edns := dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(".")}
	_ = edns.SetEDNS0(datagram, dnsmessage.RCodeSuccess, false) // never fails
	msg := dnsmessage.Message{
		Header:      dnsmessage.Header{ID: out.id, RecursionDesired: true},
		Questions:   []dnsmessage.Question{{Name: name, Type: q.kind, Class: dnsmessage.ClassINET}},
		Additionals: []dnsmessage.Resource{{Header: edns, Body: &dnsmessage.OPTResource{}}},
	}
	if out.msg, err = msg.Pack(); err != nil { // a label is empty or too long
		return query{}, errNoDNSName
	}
	return out, nil
}

// open starts to read msg. ok is false where it is no answer to q: somebody else's, or a forged one.
func (q query) open(msg []byte) (p dnsmessage.Parser, h dnsmessage.Header, ok bool) {
	h, err := p.Start(msg)
	if err != nil || h.ID != q.id || !h.Response || h.OpCode != 0 {
		return p, h, false
	}
	asked, err := p.Question()
	if err != nil || asked.Type != q.kind || asked.Class != dnsmessage.ClassINET || lower(asked.Name) != q.name {
		return p, h, false
	}
	if _, err = p.Question(); !errors.Is(err, dnsmessage.ErrSectionDone) {
		return p, h, false
	}
	return p, h, true
}

func lower(n dnsmessage.Name) string { return strings.ToLower(withoutDot(n.String())) }
