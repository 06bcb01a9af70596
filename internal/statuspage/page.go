// SPDX-License-Identifier: Apache-2.0

package statuspage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/exposition"
)

// Facts are what a page is made from.
type Facts struct {
	Now        time.Time
	Version    string
	Vhosts     []string
	Collectors []collector.State
	Disabled   []Disabled
	ProbeOnly  bool     // there is no ejabberd to read on this host
	Configured bool     // --probe.config is given
	Targets    []string // what is probed
	LeftOut    int      // targets that are too many to be probed from a page
	Sights     []exposition.Sight
	Remedies   []Remedy
	Metrics    string            // path of the metrics
	Ports      map[string]string // what each port is for
}

// Disabled is a collector that a flag switched off.
type Disabled struct {
	collector.Definition
	Why string
}

// Remedy is a text to paste that gives what is missing.
type Remedy struct{ For, Lines string }

// level is how bad something is, as a class of the style sheet.
type level string

const (
	good    level = "good"
	warn    level = "warn"
	bad     level = "bad"
	off     level = "off"
	busy    level = "busy"
	unknown level = "unknown"
)

// page is what the template shows.
type page struct {
	Title, About string
	Written      string
	Refresh      int
	Verdict      verdict
	Tiles        []tile
	Outside      outside
	Ports        []port
	Certificates []certificate
	Hosts        *hosts
	Cards        []card
	Collectors   []group
	Remedies     []Remedy
	Metrics      string
	Version      string
}

// tile is one number that matters, large.
type tile struct {
	Name, Value, Note string
	Known             bool
}

// card is a theme with bars.
type card struct {
	ID          string
	Title, Lead string
	Bars        []bar
	Notes       []string
}

// bar is a number and its share of something.
type bar struct {
	Label, Value string
	Share        float64 // percent of the width
	Level        level
	Mark         string // what the level means, in words
}

// builder collects what needs somebody while it makes the parts of the page.
type builder struct {
	Facts
	*numbers
	items    []item
	troubles []trouble
}

// build makes the page. What is worst about the service is asked first, so that it is told first.
func build(f Facts) *page {
	b := &builder{Facts: f, numbers: index(f.Collectors)}
	p := &page{
		Title: b.title(), Written: f.Now.UTC().Format("2006-01-02 15:04:05 UTC"),
		Remedies: f.Remedies, Version: f.Version, Metrics: strings.TrimPrefix(f.Metrics, "/"),
	}
	b.server()
	p.About = b.about()
	p.Ports = b.ports()
	p.Outside = b.outside()
	p.Certificates = b.certificates()
	disk := b.disk()
	uploads := b.uploads()
	database := b.database()
	p.Collectors = b.collectors()
	b.traps()
	p.Tiles = b.tiles()
	p.Hosts = b.hosts()
	for _, c := range []*card{b.activity(), b.connections(), database, uploads, disk} {
		if c != nil {
			p.Cards = append(p.Cards, *c)
		}
	}
	p.Verdict = b.verdict()
	return p
}

// title names what is looked at.
func (b *builder) title() string {
	names := b.Vhosts
	if len(names) == 0 {
		names = b.Targets
	}
	switch {
	case len(names) == 0 && b.ProbeOnly:
		return "No XMPP service yet"
	case len(names) == 0:
		return "ejabberd"
	case len(names) > 3:
		return fmt.Sprintf("%s and %d more hosts", names[0], len(names)-1)
	}
	return enumerate(names)
}

// enumerate joins names as in a sentence.
func enumerate(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// about says which server it is.
func (b *builder) about() string {
	var parts []string
	if info := b.pick("ejabberd_info"); len(info) > 0 {
		parts = append(parts, "ejabberd "+info[0].Labels[0])
	}
	if up, ok := b.sum("ejabberd_uptime_seconds"); ok {
		parts = append(parts, "up for "+span(time.Duration(up)*time.Second))
	}
	if nodes, ok := b.sum("ejabberd_cluster_nodes", "running"); ok && nodes > 1 {
		parts = append(parts, "a cluster of "+things(nodes, "node", "nodes"))
	}
	return strings.Join(parts, ", ")
}

// tiles are the numbers that somebody asks for first.
func (b *builder) tiles() []tile {
	if b.ProbeOnly {
		return nil
	}
	tell := func(name, metric string, show func(float64) string, note string) tile {
		if n, known := b.sum(metric); known {
			return tile{name, show(n), note, true}
		}
		return tile{name, "unknown", b.why(metric), false}
	}
	joined := func(notes ...string) string {
		return strings.Join(slices.DeleteFunc(notes, func(n string) bool { return n == "" }), ", ")
	}
	of := func(metric, one, many string, labels ...string) string {
		if n, known := b.sum(metric, labels...); known {
			return things(n, one, many)
		}
		return ""
	}
	made := of("ejabberd_accounts_created", "new", "new", "", "7d")
	if made != "" {
		made += " in 7 days"
	}
	tiles := []tile{
		tell("Accounts", "ejabberd_accounts", count, made),
		tell("Accounts online", "ejabberd_accounts_online", count, of("ejabberd_sessions", "session", "sessions")),
	}
	if !tiles[1].Known { // sessions are known more often
		tiles[1] = tell("Sessions", "ejabberd_sessions", count, "")
	}
	return append(tiles,
		b.federation(),
		tell("Uploads", "ejabberd_upload_bytes", size, joined(of("ejabberd_upload_files", "file", "files"), of("ejabberd_upload_accounts", "account", "accounts"))),
		tell("Database", "ejabberd_database_size_bytes", size, of("ejabberd_database_connections", "connection", "connections", "", "ejabberd")),
		b.firstExpiry(),
	)
}

func (b *builder) federation() tile {
	const name, metric = "Federation", "ejabberd_s2s_connections"
	in, known := b.sum(metric, "in")
	out, _ := b.sum(metric, "out")
	if !known {
		return tile{name, "unknown", b.why(metric), false}
	}
	return tile{name, count(in + out), things(in, "connection", "connections") + " in, " + count(out) + " out", true}
}

// firstExpiry is the certificate that ends first.
func (b *builder) firstExpiry() tile {
	const name, metric = "Certificate", "ejabberd_certificate_not_after_timestamp_seconds"
	samples := b.pick(metric)
	if len(samples) == 0 {
		return tile{name, "unknown", b.why(metric), false}
	}
	first := slices.MinFunc(samples, func(x, y *sample) int { return cmp.Compare(x.Value, y.Value) })
	return tile{name, left(stamp(first.Value).Sub(b.Now)), first.Labels[1] + " expires first", true}
}
