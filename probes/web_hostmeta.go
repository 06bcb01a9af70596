// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// link is what host-meta says, as XML (RFC 6415) and as JSON alike.
type link struct {
	Rel  string `json:"rel"  xml:"rel,attr"`
	Href string `json:"href" xml:"href,attr"`
}

// The relations of XEP-0156.
var webRelations = map[string]string{
	"urn:xmpp:alt-connections:xbosh":     bosh.name,
	"urn:xmpp:alt-connections:websocket": webSocket.name,
}

// readHostMeta reads both forms of host-meta and remembers the links in them.
func (b *browsing) readHostMeta(ctx context.Context, c *browser) {
	var texts []string
	found := map[string][]string{}
	for _, form := range []struct {
		file  string
		parse func([]byte) ([]link, error)
	}{{"host-meta", xmlLinks}, {"host-meta.json", jsonLinks}} {
		var got fetched
		if !c.phase(Get, func() (err error) {
			got, err = c.get(ctx, c.url.JoinPath(".well-known", form.file))
			return err
		}) {
			return
		}
		if got.Status != 200 {
			b.missing(c.visit, "%s is missing: the server %s", form.file, got.status())
			continue
		}
		links, err := form.parse(got.Body)
		if err != nil {
			b.missing(c.visit, "%s cannot be read", form.file)
			continue
		}
		if got.Header.Get("Access-Control-Allow-Origin") != "*" {
			b.missing(c.visit, "%s cannot be read by clients of other websites: it lacks the header Access-Control-Allow-Origin: *", form.file)
		}
		texts = append(texts, form.file)
		found[form.file] = b.remember(c.visit, form.file, links)
	}
	switch {
	case len(texts) == 0:
		c.absent = true
	case len(texts) == 2 && !slices.Equal(found["host-meta"], found["host-meta.json"]):
		b.missing(c.visit, "host-meta and host-meta.json name different places")
	}
	c.said = strings.Join(texts, " and ")
}

// remember keeps the links that may be visited, and gives back what they were.
func (b *browsing) remember(v *visit, file string, links []link) (seen []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.links == nil {
		b.links = map[string][]*url.URL{}
	}
	for _, l := range links {
		name, ok := webRelations[l.Rel]
		if !ok {
			continue
		}
		u, err := encrypted(l.Href)
		if err != nil {
			v.fault(Critical, Get, Protocol, fmt.Errorf("%s names a %s that is not at https or wss", file, name))
			continue
		}
		seen = append(seen, name+" "+u.String())
		known := slices.ContainsFunc(b.links[name], func(k *url.URL) bool { return k.String() == u.String() })
		if !known && len(b.links[name]) < maxLinks {
			b.links[name] = append(b.links[name], u)
		}
	}
	slices.Sort(seen)
	return slices.Compact(seen)
}

func xmlLinks(text []byte) ([]link, error) {
	var doc struct {
		XMLName xml.Name `xml:"http://docs.oasis-open.org/ns/xri/xrd-1.0 XRD"`
		Links   []link   `xml:"Link"`
	}
	err := xml.Unmarshal(text, &doc)
	return doc.Links, err
}

func jsonLinks(text []byte) ([]link, error) {
	var doc struct {
		Links []link `json:"links"`
	}
	err := json.Unmarshal(text, &doc)
	return doc.Links, err
}
