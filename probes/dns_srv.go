// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/dns"
)

// srvSet is what the DNS says under one name.
type srvSet struct {
	name    string
	records []dns.SRV
	err     error
}

// silent tells whether the DNS says, for sure, that there is nothing.
func (s *srvSet) silent() bool { return errors.Is(s.err, dns.ErrNotFound) }

// srvName is where the records of a service stand.
func srvName(s service, domain string) string { return "_" + s.name + "._tcp." + domain }

// component completes the name of a component.
func (q *inquiry) component(name string) string {
	if !strings.Contains(name, ".") {
		name += "." + q.domain
	}
	return name
}

// ask looks up the SRV records of the domain, of its components, and of whatever else is expected.
func (q *inquiry) ask(ctx context.Context, want map[string][]string) map[string]*srvSet {
	sets := map[string]*srvSet{}
	add := func(name string) { sets[name] = &srvSet{name: name} }
	for _, s := range allServices {
		add(srvName(s, q.domain))
	}
	for _, name := range q.components {
		add(srvName(xmppServer, q.component(name)))
		add(srvName(xmppsServer, q.component(name)))
	}
	for name := range want {
		add(name)
	}
	var running group
	for _, set := range sets {
		running.Go(func() {
			service, rest, _ := strings.Cut(strings.TrimPrefix(set.name, "_"), "._")
			proto, domain, _ := strings.Cut(rest, ".")
			set.records, set.err = q.asked.SRV(ctx, service, proto, domain)
		})
	}
	running.Wait()
	return sets
}

// judge says what stands under each name, and holds it against what is expected; nil expects nothing in particular.
func (q *inquiry) judge(sets map[string]*srvSet, want map[string][]string) {
	for _, s := range allServices {
		if set := sets[srvName(s, q.domain)]; set.err == nil || set.silent() {
			q.out.Set.Add(srvRecords, float64(len(set.records)), s.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(sets)) {
		set := sets[name]
		if set.err != nil && !set.silent() {
			q.fault(Critical, "", set.err)
			continue
		}
		have := make([]string, len(set.records))
		for i, rec := range set.records {
			have[i] = fmt.Sprintf("%d %d %d %s", rec.Priority, rec.Weight, rec.Port, strings.ToLower(rec.Target))
			q.ttl(rec.TTL)
		}
		wrong := false
		if expected := want[name]; want != nil && q.covered(name, want) {
			for _, rec := range without(expected, have) {
				q.fault(Critical, "SRV "+name, fmt.Errorf("%s is missing", rec))
				wrong = true
			}
			for _, rec := range without(have, expected) {
				q.fault(Critical, "SRV "+name, fmt.Errorf("%s is not expected", rec))
				wrong = true
			}
		}
		if !wrong && len(have) > 0 {
			q.out.Note(OK, "SRV "+name, strings.Join(have[:min(len(have), 8)], ", "))
		}
	}
}

// covered tells whether the file says all about a name: that of the domain's own services, and those that it names.
func (q *inquiry) covered(name string, want map[string][]string) bool {
	_, named := want[name]
	return named || slices.ContainsFunc(allServices, func(s service) bool { return srvName(s, q.domain) == name })
}

func without(all, known []string) (rest []string) {
	for _, one := range all {
		if !slices.Contains(known, one) && !slices.Contains(rest, one) {
			rest = append(rest, one)
		}
	}
	return rest
}

// follow finds the hosts that the records lead to. Where there are none at all for clients, or none for servers, that is the
// domain, or the component, itself.
func (q *inquiry) follow(sets map[string]*srvSet) {
	lead := func(name string, services ...service) {
		none, refused := true, true
		for _, s := range services {
			set := sets[srvName(s, name)]
			none = none && set.silent()
			for _, rec := range set.records {
				if rec.Target != "." {
					refused = false
					q.host(rec.Target, true)
				}
			}
			refused = refused && (set.err == nil || set.silent())
		}
		switch {
		case none:
			q.host(name, false)
		case refused && name != q.domain:
			q.fault(Critical, name, errors.New("its SRV records say that other servers cannot reach it"))
		}
	}
	lead(q.domain, xmppClient, xmppsClient)
	lead(q.domain, xmppServer, xmppsServer)
	for _, name := range q.components {
		lead(q.component(name), xmppServer, xmppsServer)
	}
	for _, name := range slices.Sorted(maps.Keys(sets)) {
		for _, rec := range sets[name].records {
			if rec.Target != "." {
				q.host(rec.Target, true)
			}
		}
	}
}

// host adds a destination, once.
func (q *inquiry) host(name string, bySRV bool) {
	name = strings.ToLower(name)
	at := slices.IndexFunc(q.hosts, func(d destination) bool { return d.name == name })
	if at < 0 {
		q.hosts = append(q.hosts, destination{name: name, bySRV: bySRV})
		return
	}
	q.hosts[at].bySRV = q.hosts[at].bySRV || bySRV
}
