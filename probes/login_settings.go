// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/net/idna"

	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

// The environment variables that passwords of accounts may come from.
const (
	passwordVariable       = "CHECK_XMPP_PASSWORD"        //nolint:gosec // a name, not a password
	secondPasswordVariable = "CHECK_XMPP_SECOND_PASSWORD" //nolint:gosec // a name, not a password
)

// maxAsked bounds how many servers or components a probe asks.
const maxAsked = 32

// loginQuestions are how login logs in, and what it asks around for then.
type loginQuestions struct {
	authenticate Authenticate
	pings        domainList
	components   componentList
	abuseContact bool
	blockLists   blockLists
}

// domainList are names of domains.
type domainList []string

func (l *domainList) String() string { return strings.Join(*l, ",") }

func (l *domainList) Set(text string) error {
	domain, err := idna.Lookup.ToASCII(strings.TrimSuffix(text, "."))
	if err != nil || domain == "" {
		return errors.New("not a domain")
	}
	if len(*l) == maxAsked {
		return fmt.Errorf("more than %d", maxAsked)
	}
	*l = append(*l, domain)
	return nil
}

// nameList are names of domains or components, one by one or with commas between them.
type nameList []string

func (l *nameList) String() string { return strings.Join(*l, ",") }

func (l *nameList) Set(text string) error {
	for name := range strings.SplitSeq(text, ",") {
		if err := (*domainList)(l).Set(name); err != nil {
			return err
		}
	}
	return nil
}

// component is a part of the service with an address of its own.
type component struct {
	name               string
	category, identity string // what it must be (XEP-0030), or nothing
}

func (c component) host(domain string) string {
	if strings.Contains(c.name, ".") {
		return c.name
	}
	return c.name + "." + domain
}

// componentList are components, NAME or NAME=CATEGORY/TYPE.
type componentList []component

func (l *componentList) String() string {
	texts := make([]string, len(*l))
	for i, c := range *l {
		texts[i] = c.name
		if c.category != "" {
			texts[i] += "=" + c.category + "/" + c.identity
		}
	}
	return strings.Join(texts, ",")
}

func (l *componentList) Set(text string) error {
	host, kind, typed := strings.Cut(text, "=")
	category, identity, ok := strings.Cut(kind, "/")
	var name domainList
	if err := name.Set(host); err != nil || typed && (!ok || category == "" || identity == "") {
		return errors.New("a component is NAME, or NAME=CATEGORY/TYPE such as muc=conference/text")
	}
	if len(*l) == maxAsked {
		return fmt.Errorf("more than %d", maxAsked)
	}
	*l = append(*l, component{name[0], category, identity})
	return nil
}

const nsInfo = "http://jabber.org/protocol/disco#info"

// askInfo asks somebody what it is (XEP-0030).
func askInfo(host string) *xmpp.Question {
	return &xmpp.Question{Kind: "get", To: host, Payload: "<query xmlns='" + nsInfo + "'/>"}
}

// judge holds what a component says it is against what it must be.
func (c component) judge(q *xmpp.Question) error {
	if said, ok := errors.AsType[*xmpp.StanzaError](q.Err); ok {
		return stanzaFailure(said)
	}
	if q.Err != nil || c.category == "" {
		return q.Err
	}
	if query := q.Answer.Child(nsInfo, "query"); query != nil {
		for _, e := range query.Children {
			if e.Name.Local == "identity" && e.Attribute("category") == c.category && e.Attribute("type") == c.identity {
				return nil
			}
		}
	}
	return &Failure{Reason: Protocol, Err: fmt.Errorf("it is not %s/%s but %s", c.category, c.identity, identities(q.Answer))}
}

// identities are what a component says it is.
func identities(answer *xmpp.Element) string {
	query := answer.Child(nsInfo, "query")
	if query == nil {
		return "nothing"
	}
	var all []string
	for _, e := range query.Children {
		if e.Name.Local == "identity" {
			all = append(all, xmpp.Clean(e.Attribute("category")+"/"+e.Attribute("type")))
		}
	}
	if len(all) == 0 {
		return "nothing"
	}
	return xmpp.Clean(strings.Join(all, " "))
}
