// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var (
	hostMeta    = service{name: "host-meta", port: 443, direct: true}
	bosh        = service{name: "bosh", port: 443, direct: true}
	webSocket   = service{name: "websocket", port: 443, direct: true}
	webRegister = service{name: "web-register", port: 443, direct: true}
)

// Web probes what clients in browsers need.
func Web() Probe {
	return Probe{
		Name: "web",
		Help: "Clients in browsers can find the service (host-meta) and open sessions by BOSH and WebSocket, in every address family",
		Metrics: []*metric.Metric{
			endpointSuccess, endpointDuration, phaseDuration, failureInfo, retriesMetric,
			earliestExpiry, certNotAfter, certNotBefore, certValid, tlsVersionInfo,
		},
		Figures: []Figure{
			{Label: "time", Unit: "s", Min: "0", Value: totalTime},
			serviceFigure("hostmeta", hostMeta), serviceFigure("bosh", bosh), serviceFigure("ws", webSocket),
			daysFigure("cert_days"),
			plainFigure("retries", retriesMetric),
		},
		Thresholds: endpointThresholds,
		Settings: func(set *Settings) Run {
			var s endpointSettings
			s.declareReach(set)
			s.declareTrust(set)
			var w webSettings
			w.declare(set)
			return func(ctx context.Context, target Target, out *Report) error {
				return probeWeb(ctx, s, w, target, out)
			}
		},
	}
}

// serviceFigure is how long a service took at its slowest endpoint.
func serviceFigure(label string, of service) Figure {
	return Figure{Label: label, Unit: "s", Min: "0", Value: func(s *metric.Set) (slowest float64, ok bool) {
		for _, sample := range s.All() {
			if sample.Metric == endpointDuration && sample.Labels[0] == of.name {
				slowest, ok = max(slowest, sample.Value), true
			}
		}
		return slowest, ok
	}}
}

// webSettings are what web alone can be told.
type webSettings struct {
	site, bosh, webSocket, registerURL webURL
	register                           registerPolicy
	requireHostMeta                    bool
}

func (w *webSettings) declare(set *Settings) {
	set.Var(&w.site, Local, "url", "Website whose host-meta is read, instead of https://DOMAIN")
	set.Var(&w.bosh, Local, "bosh", "URL of BOSH, instead of those that host-meta names")
	set.Var(&w.webSocket, Local, "websocket", "URL of the WebSocket, instead of those that host-meta names")
	set.Bool(&w.requireHostMeta, Safe, "require-hostmeta", "Take it as critical rather than as a warning where host-meta is missing or poor")
	set.Var(&w.register, Safe, "register-web", "What registration on the web must be: absent, or protected by a captcha whose picture is delivered")
	set.Var(&w.registerURL, Local, "register-url", "URL of the form, instead of /register/new on the website")
}

// errNoWeb is for a domain that offers nothing to clients in browsers.
var errNoWeb = errors.New("there is neither BOSH nor WebSocket: host-meta names none, and --bosh or --websocket neither")

func probeWeb(ctx context.Context, s endpointSettings, w webSettings, target Target, out *Report) error {
	e, err := s.start()
	if err != nil {
		return err
	}
	ctx, cancel := early(ctx)
	defer cancel()
	look := &browsing{engine: e, domain: target.Domain, settings: w}

	site := w.site.orElse(&url.URL{Scheme: "https", Host: target.Domain, Path: "/"})
	first := []page{{hostMeta, site}}
	if w.register != "" {
		first = append(first, page{webRegister, w.registerURL.orElse(site.JoinPath("register", "new"))})
	}
	half, cancel := share(ctx, 2) // an overloaded website must leave time for what it leads to
	found := look.visit(half, first)
	cancel()

	var second []page
	for _, offered := range []struct {
		service
		given webURL
	}{{bosh, w.bosh}, {webSocket, w.webSocket}} {
		switch {
		case offered.given.URL != nil:
			second = append(second, page{offered.service, offered.given.URL})
		default:
			for _, u := range look.links[offered.name] {
				second = append(second, page{offered.service, u})
			}
		}
	}
	if len(second) == 0 && !found.unread() {
		found.faults = append(found.faults, fault{State: look.poor(), Failure: &Failure{Resolve, Protocol, errNoWeb}})
	}
	found.merge(look.visit(ctx, second))
	if s.anyFamily {
		found.relax()
	}
	found.fill(out, func(v *visit) string { return v.said })
	return nil
}

// unread tells whether host-meta is somewhere, but nobody could be asked for it: then it is unknown what it names.
func (s *survey) unread() bool {
	asked, failed := 0, 0
	for _, v := range s.visits {
		if v.name == hostMeta.name {
			asked++
			if v.failure != nil {
				failed++
			}
		}
	}
	return asked > 0 && asked == failed
}

// page is something to visit over HTTPS.
type page struct {
	service
	url *url.URL
}

// visit visits pages, each at every address of its host.
func (b *browsing) visit(ctx context.Context, pages []page) *survey {
	s := b.locate(ctx, pages)
	s.tour(ctx, func(ctx context.Context, at endpoint) *visit { return b.try(ctx, at, b.look) })
	return s
}

// locate finds the addresses of pages.
func (b *browsing) locate(ctx context.Context, pages []page) *survey {
	began := time.Now()
	names, cancel := share(ctx, 2)
	s := &survey{}
	for _, p := range pages {
		at := target{p.service, p.url.Hostname(), portOf(p.url)}
		if b.host != "" {
			at.host = b.host
		}
		one := &survey{} // pages of the same host may take it differently that it is nowhere
		one.reach(names, b.engine, p.url.Hostname(), []target{at})
		for i := range one.endpoints {
			one.endpoints[i].url = p.url
		}
		nowhere := len(one.faults) > 0 && errors.Is(one.faults[0].Failure, errNoAddress)
		switch {
		case nowhere && p.service == webRegister && b.settings.register == registerAbsent:
			one.faults = nil // absent indeed
		case nowhere && p.service == hostMeta:
			one.faults[0].State = b.poor() // a domain need not have a website
		}
		s.endpoints = append(s.endpoints, one.endpoints...)
		s.merge(one)
	}
	cancel()
	s.bound()
	s.resolve = time.Since(began)
	return s
}

// merge adds a later survey.
func (s *survey) merge(later *survey) {
	s.visits = append(s.visits, later.visits...)
	s.resolve += later.resolve
	s.left += later.left
	for _, f := range later.faults {
		at := slices.IndexFunc(s.faults, func(known fault) bool { return known.subject == f.subject && known.Error() == f.Error() })
		if at < 0 {
			s.faults = append(s.faults, f)
			continue
		}
		s.faults[at].State = s.faults[at].Worse(f.State)
	}
}

// poor is the state of a service without a good host-meta.
func (b *browsing) poor() State {
	if b.settings.requireHostMeta {
		return Critical
	}
	return Warning
}

// missing notes what host-meta lacks.
func (b *browsing) missing(v *visit, format string, args ...any) {
	v.fault(b.poor(), Get, Protocol, fmt.Errorf(format, args...))
}
