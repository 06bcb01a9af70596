// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// Doors that have no number of their own, or a path.
const (
	epmdDoor         = "4369"
	distributionDoor = "distribution"
	metricsDoor      = "11111"
)

var webDoors = []string{"/admin", "/api", "/register"}

var exposedOpen = gauge("probe_xmpp_exposed_open",
	"Number of addresses at which something is open that should be closed to the world", metric.Sum,
	metric.OneOf("door", epmdDoor, distributionDoor, "5280", "5281", metricsDoor, webDoors[0], webDoors[1], webDoors[2]))

// Exposed probes what must not be reachable.
func Exposed() Probe {
	return Probe{
		Name:    "exposed",
		Help:    "What is not for the world is closed from here: epmd, Erlang distribution, HTTP ports without TLS, mod_metrics, web admin, API, registration",
		Metrics: []*metric.Metric{exposedOpen, failureInfo},
		Figures: []Figure{{Label: "open", Min: "0", Value: func(s *metric.Set) (open float64, ok bool) {
			for _, v := range values(s, exposedOpen) {
				open, ok = open+v, true
			}
			return open, ok
		}}},
		Settings: func(set *Settings) Run {
			var s endpointSettings
			s.declareFamilies(set)
			set.String(&s.host, Local, "hostname", "", "Address or host name to look at, instead of what the SRV records of the domain say").Short = 'H'
			var x exposedSettings
			x.declare(set)
			return func(ctx context.Context, target Target, out *Report) error {
				return probeExposed(ctx, s, x, target, out)
			}
		},
	}
}

// exposedSettings are what exposed alone can be told.
type exposedSettings struct {
	ports, distribution numberList
	sites               []string
	open                []string
}

func (x *exposedSettings) declare(set *Settings) {
	set.Var(&x.ports, Local, "ports", "TCP ports that must be closed, instead of 4369,5280,5281").List = true
	set.Var(&x.distribution, Local, "distribution", "Ports of Erlang distribution, where they are known; those that an open epmd names are looked at in any case").List = true
	set.List(&x.sites, Local, "url", "Website where "+strings.Join(webDoors, ", ")+" must be closed, instead of https://DOMAIN and https://DOMAIN:5443")
	set.List(&x.open, Local, "expect-open", "What is meant to be open, and is warned of where it is closed: one of the ports, 11111 (UDP), distribution, "+strings.Join(webDoors, ", "))
}

// guard is the run of the probe.
type guard struct {
	*engine
	exposedSettings
	out     *Report
	meant   map[string]bool // doors that --expect-open names: whether one was found open
	checked int
}

func probeExposed(ctx context.Context, s endpointSettings, x exposedSettings, target Target, out *Report) error {
	e, err := s.start()
	if err != nil {
		return err
	}
	g := &guard{engine: e, exposedSettings: x, out: out, meant: map[string]bool{}}
	pages, err := g.prepare(target.Domain)
	if err != nil {
		return err
	}
	ctx, cancel := early(ctx)
	defer cancel()
	names, cancel := share(ctx, 2)
	found := &survey{located: e.locate(names, target.Domain, []service{xmppClient, xmppsClient, xmppServer})}
	cancel()
	var (
		looks    group
		ports    []*watched
		websites []*sighting
		nowhere  survey
	)
	looks.Go(func() { ports = g.watch(ctx, found.endpoints) })
	looks.Go(func() { websites, nowhere.faults = g.knock(ctx, pages) })
	looks.Wait()
	found.merge(&nowhere)
	for _, f := range found.faults { // nothing was looked at there
		out.Notes = append(out.Notes, Note{Unknown, f.subject, f.Error(), f.Reason})
	}
	for _, w := range ports {
		g.tell(w)
	}
	for _, v := range websites {
		g.tellSite(v)
	}
	for door, open := range g.meant {
		if !open && g.checked > 0 {
			out.Note(Warning, "", door+" is meant to be open, and is closed")
		}
	}
	if g.checked == 0 && out.Worst() == OK {
		out.Note(Unknown, "", "nothing could be looked at from here")
	}
	if open := values(out.Set, exposedOpen); len(open) > 0 {
		out.Summary = fmt.Sprintf("looked at from here: %d", g.checked)
	}
	return nil
}

// prepare checks the settings and finds out which websites to look at.
func (g *guard) prepare(domain string) ([]page, error) {
	if len(g.ports) == 0 {
		g.ports = numberList{4369, 5280, 5281}
	}
	doors := append([]string{distributionDoor, metricsDoor}, webDoors...)
	for _, p := range g.ports {
		doors = append(doors, fmt.Sprint(p))
	}
	for _, door := range g.open {
		if !slices.Contains(doors, door) {
			return nil, errors.New("--expect-open names nothing that is looked at: " + strings.Join(doors, ", "))
		}
		g.meant[door] = false
	}
	sites := g.sites
	if len(sites) == 0 {
		sites = []string{"https://" + domain, "https://" + domain + ":5443"}
	}
	var pages []page
	for _, text := range sites {
		u, err := encrypted(text)
		if err != nil {
			return nil, fmt.Errorf("--url: %w", err)
		}
		pages = append(pages, page{service{name: "web", direct: true}, u})
	}
	return pages, nil
}

// found notes an open door.
func (g *guard) found(subject, door, how string) {
	if _, meant := g.meant[door]; meant {
		g.meant[door] = true
		g.out.Note(OK, subject, how+", as it is meant to be")
		return
	}
	g.out.Set.Add(exposedOpen, 1, door)
	g.out.Set.Add(failureInfo, 1, Connect, OtherReason)
	g.out.Notes = append(g.out.Notes, Note{Critical, subject, how, OtherReason})
}

// numberList are ports, "4369,5280".
type numberList []portNumber

func (l *numberList) String() string {
	texts := make([]string, len(*l))
	for i := range *l {
		texts[i] = (*l)[i].String()
	}
	return strings.Join(texts, ",")
}

func (l *numberList) Set(text string) error {
	for item := range strings.SplitSeq(text, ",") {
		var port portNumber
		if err := port.Set(item); err != nil {
			return err
		}
		*l = append(*l, port)
	}
	return nil
}

// siteOf is a website without its path.
func siteOf(u *url.URL) string { return u.Scheme + "://" + u.Host }
