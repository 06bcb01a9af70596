// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

var (
	abuseContact = gauge("probe_xmpp_abuse_contact",
		"Whether the domain says whom to write to about abuse (XEP-0157); absent where it was not asked or did not answer", metric.Min)
	blockListed = gauge("probe_xmpp_block_listed",
		"Whether the domain or one of its components is on a block list that was asked; absent where none has it and not all answered", metric.Max)
)

const nsPubsub = "http://jabber.org/protocol/pubsub"

// blockList is a node of somebody's pubsub service. Ids of its items are SHA-256 of domains and bare addresses.
type blockList struct{ service, node string }

// blockLists are block lists, SERVICE/NODE.
type blockLists []blockList

func (l *blockLists) String() string {
	texts := make([]string, len(*l))
	for i, b := range *l {
		texts[i] = b.service + "/" + b.node
	}
	return strings.Join(texts, ",")
}

func (l *blockLists) Set(text string) error {
	host, node, _ := strings.Cut(text, "/")
	var service domainList
	if err := service.Set(host); err != nil || node == "" {
		return errors.New("a block list is SERVICE/NODE such as xmppbl.org/muc_bans_sha256")
	}
	if len(*l) == maxAsked {
		return fmt.Errorf("more than %d", maxAsked)
	}
	*l = append(*l, blockList{service[0], node})
	return nil
}

// askForNeighbours asks what the neighbourhood wants to know of a domain, and what it says about it. What it finds is a warning at
// most: users can log in all the same. It comes last, so that a block list that is slow or hostile spoils nothing else.
func (s *session) askForNeighbours(ctx context.Context, domain string, asked loginQuestions) {
	var questions []*xmpp.Question
	if asked.abuseContact {
		questions = append(questions, askInfo(domain))
	}
	hosts := []string{domain}
	for _, c := range asked.components {
		hosts = append(hosts, c.host(domain))
	}
	for _, l := range asked.blockLists {
		questions = append(questions, l.ask(hosts))
	}
	s.Ask(ctx, questions...)
	if asked.abuseContact {
		s.judgeContact(questions[0])
		questions = questions[1:]
	}
	s.judgeBlockLists(asked.blockLists, hosts, questions)
}

// judgeContact says whether there is a contact, and not which: it may be somebody's own address.
func (s *session) judgeContact(q *xmpp.Question) {
	if q.Err != nil {
		s.out.Note(Warning, q.To, "whether there is an abuse contact is unknown: "+unanswered(q.Err).Error())
		return
	}
	there := hasAbuseContact(q.Answer)
	s.out.Set.Add(abuseContact, truth(there))
	if there {
		s.out.Note(OK, q.To, "has an abuse contact")
		return
	}
	s.out.Note(Warning, q.To, "nobody can tell whom to write to about abuse: name abuse-addresses in server_info of mod_disco")
}

// hasAbuseContact looks for abuse-addresses in the form of XEP-0157.
func hasAbuseContact(answer *xmpp.Element) bool {
	query := answer.Child(nsInfo, "query")
	if query == nil {
		return false
	}
	for _, form := range query.Children {
		if form.Name.Space == nsForm && fieldValue(form, "FORM_TYPE") == "http://jabber.org/network/serverinfo" {
			return fieldValue(form, "abuse-addresses") != ""
		}
	}
	return false
}

// fieldValue is the first value of a field, or nothing.
func fieldValue(form *xmpp.Element, name string) string {
	for _, field := range form.Children {
		if field.Attribute("var") != name {
			continue
		}
		if value := field.Child(nsForm, "value"); value != nil {
			return strings.TrimSpace(value.Text)
		}
	}
	return ""
}

// ask asks for the items of hosts alone (XEP-0060, 6.5.8): a list may be long.
func (l blockList) ask(hosts []string) *xmpp.Question {
	var items strings.Builder
	for _, host := range hosts {
		items.WriteString("<item id='" + hashed(host) + "'/>")
	}
	return &xmpp.Question{
		Kind: "get", To: l.service,
		Payload: "<pubsub xmlns='" + nsPubsub + "'><items node='" + xmpp.Escape(l.node) + "'>" + items.String() + "</items></pubsub>",
	}
}

// hashed is the id under which a list has a domain.
func hashed(domain string) string {
	sum := sha256.Sum256([]byte(spelled(domain)))
	return hex.EncodeToString(sum[:])
}

func (s *session) judgeBlockLists(lists []blockList, hosts []string, answers []*xmpp.Question) {
	found, unknown := 0, 0
	for i, l := range lists {
		ids, err := l.read(answers[i])
		if err != nil {
			unknown++
			s.out.Note(Warning, l.service, "whether its block list "+l.node+" has us is unknown: "+err.Error())
			continue
		}
		listed := 0
		for _, host := range hosts {
			if ids[hashed(host)] {
				listed++
				s.out.Note(Warning, l.service, host+" is on its block list "+l.node)
			}
		}
		if listed == 0 {
			s.out.Note(OK, l.service, "its block list "+l.node+" does not have us")
		}
		found += listed
	}
	if found > 0 || len(lists) > 0 && unknown == 0 {
		s.out.Set.Add(blockListed, truth(found > 0))
	}
}

// read reads the ids of the items that a list has of those it was asked for. A refusal says nothing: item-not-found is a list
// that does not exist, while one without the items answers without them.
func (l blockList) read(q *xmpp.Question) (ids map[string]bool, err error) {
	if q.Err != nil {
		return nil, unanswered(q.Err)
	}
	var items *xmpp.Element
	if pubsub := q.Answer.Child(nsPubsub, "pubsub"); pubsub != nil {
		items = pubsub.Child(nsPubsub, "items")
	}
	if items == nil || items.Attribute("node") != l.node {
		return nil, errors.New("the answer is no list")
	}
	ids = map[string]bool{}
	for _, item := range items.Children {
		ids[item.Attribute("id")] = true
	}
	return ids, nil
}

// unanswered says in words why there is no answer.
func unanswered(err error) error {
	if said, ok := errors.AsType[*xmpp.StanzaError](err); ok {
		return stanzaFailure(said).Err
	}
	return err
}
