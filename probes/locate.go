// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/dns"
)

// Resolver is what the probes need of internal/dns.
type Resolver interface {
	SRV(ctx context.Context, service, proto, domain string) ([]dns.SRV, error)
	Addresses(ctx context.Context, host string, ip6 bool) ([]netip.Addr, error)
}

// located is what the DNS says about where a domain is served.
type located struct {
	endpoints []endpoint
	records   map[string]int // SRV records by service; nil where the host was given
	faults    []fault        // targets without an address, lookups that failed
	left      int            // endpoints beyond maxEndpoints
}

// locate finds the endpoints of a domain: all targets of its SRV records, or the host that the settings name, each in every
// address family.
func (e *engine) locate(ctx context.Context, domain string, services []service) located {
	var found located
	targets, given := e.given(domain, services)
	if !given {
		targets = found.srv(ctx, e.resolver, domain, services)
	}
	found.reach(ctx, e, domain, targets)
	return found
}

var (
	errNoAddress = errors.New("no address")
	errNoFamily  = map[string]error{ip4: errors.New("no ip4 address"), ip6: errors.New("no ip6 address")}
)

// reach looks up the addresses of targets and adds what they are as endpoints.
func (found *located) reach(ctx context.Context, e *engine, domain string, targets []target) {
	type lookup struct {
		target target
		family string
		addrs  []netip.Addr
		err    error
	}
	var lookups []*lookup
	var running group
	if n := len(targets); n > maxEndpoints {
		targets, found.left = targets[:maxEndpoints], found.left+n-maxEndpoints
	}
	for _, t := range targets {
		for _, family := range e.families() {
			l := &lookup{target: t, family: family}
			lookups = append(lookups, l)
			running.Go(func() { l.addrs, l.err = e.addresses(ctx, t.host, family) })
		}
	}
	running.Wait()
	somewhere := map[string]bool{} // hosts with an address
	for _, l := range lookups {
		somewhere[l.target.host] = somewhere[l.target.host] || l.err == nil
	}
	for _, l := range lookups {
		switch absent := errors.Is(l.err, dns.ErrNotFound); {
		case absent && (e.requireFamily || len(e.families()) == 1):
			found.fault(l.target.host, dnsFault(errNoFamily[l.family]))
		case absent && !somewhere[l.target.host]:
			found.fault(l.target.host, dnsFault(errNoAddress))
		case absent:
		case l.err != nil:
			found.fault(l.target.host, dnsFault(l.err))
		}
		for i, addr := range l.addrs {
			at := endpoint{target: l.target, domain: domain, family: l.family, addr: addr}
			if len(l.addrs) > 1 {
				at.nth = fmt.Sprintf("address %d of %d", i+1, len(l.addrs))
			}
			found.endpoints = append(found.endpoints, at)
		}
	}
	found.bound()
}

// bound leaves out the endpoints beyond maxEndpoints.
func (found *located) bound() {
	if n := len(found.endpoints); n > maxEndpoints {
		found.endpoints, found.left = found.endpoints[:maxEndpoints], found.left+n-maxEndpoints
	}
}

// given are the targets where the settings name a host or ports; ok is false where the DNS decides.
func (e *engine) given(domain string, services []service) (targets []target, ok bool) {
	host := strings.TrimSuffix(strings.Trim(e.host, "[]"), ".")
	switch {
	case host == "" && len(e.ports) == 0:
		return nil, false
	case host == "":
		host = domain
	}
	for _, s := range services {
		for _, p := range e.ports {
			if p.name == s.name {
				targets = append(targets, target{s, host, p.port})
			}
		}
		if len(e.ports) == 0 && !s.listed {
			targets = append(targets, target{s, host, s.port})
		}
	}
	return targets, true
}

// srv asks for the SRV records of all services. Only where there is none at all for clients, or none for servers, does the
// domain itself serve them, and then by STARTTLS; the target "." says that a service is not provided.
func (found *located) srv(ctx context.Context, r Resolver, domain string, services []service) []target {
	records, errs := make([][]dns.SRV, len(services)), make([]error, len(services))
	var running group
	for i, s := range services {
		running.Go(func() { records[i], errs[i] = r.SRV(ctx, s.name, "tcp", domain) })
	}
	running.Wait()
	found.records = map[string]int{}
	var targets []target
	order := map[target]dns.SRV{}
	said, refused := map[bool]bool{}, false // said: whether the DNS says anything about clients, about peers
	for i, s := range services {
		found.records[s.name] = 0
		if errs[i] != nil {
			if !errors.Is(errs[i], dns.ErrNotFound) {
				said[s.peers] = true
				delete(found.records, s.name)
				found.fault("SRV _"+s.name+"._tcp."+domain, dnsFault(errs[i]))
			}
			continue
		}
		said[s.peers] = true
		for _, rec := range records[i] {
			at := target{s, rec.Target, rec.Port}
			switch {
			case rec.Target == ".":
				refused = true
			case !slices.Contains(targets, at):
				targets = append(targets, at)
				order[at] = rec
				found.records[s.name]++
			}
		}
	}
	// Records for STARTTLS and for direct TLS are one set, as clients see them (XEP-0368, 3): who is preferred comes first.
	slices.SortStableFunc(targets, func(a, b target) int {
		return cmp.Or(cmp.Compare(truth(a.peers), truth(b.peers)), cmp.Compare(order[a].Priority, order[b].Priority), cmp.Compare(order[b].Weight, order[a].Weight))
	})
	for _, s := range services {
		if !s.direct && !said[s.peers] {
			targets = append(targets, target{s, domain, s.port})
		}
	}
	switch {
	case len(targets) > 0:
	case refused:
		found.fault("", dnsFault(fmt.Errorf("the SRV records of %s say that it does not provide this service", domain)))
	case len(found.faults) == 0: // direct TLS alone was asked for, and is nowhere
		var names []string
		for _, s := range services {
			names = append(names, srvName(s, domain))
		}
		found.fault("", dnsFault(fmt.Errorf("no SRV record %s", strings.Join(names, " or "))))
	}
	return targets
}

// addresses knows localhost, which resolvers need not.
func (e *engine) addresses(ctx context.Context, host, family string) ([]netip.Addr, error) {
	if host == "localhost" {
		if family == ip6 {
			return []netip.Addr{netip.IPv6Loopback()}, nil
		}
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}, nil
	}
	return e.resolver.Addresses(ctx, host, family == ip6)
}

// fault notes what is wrong, once.
func (found *located) fault(subject string, f *Failure) {
	for _, known := range found.faults {
		if known.subject == subject && known.Error() == f.Error() {
			return
		}
	}
	found.faults = append(found.faults, fault{State: Critical, Failure: f, subject: subject})
}

// dnsFault is a failure of phase resolve.
func dnsFault(err error) *Failure {
	reason := DNS
	if errors.Is(err, dns.ErrTimeout) {
		reason = Timeout
	}
	return &Failure{Phase: Resolve, Reason: reason, Err: err}
}
