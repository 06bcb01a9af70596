// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/dns"
)

// resolve looks up the addresses of the hosts.
func (q *inquiry) resolve(ctx context.Context) {
	if n := len(q.hosts); n > maxEndpoints {
		q.out.Note(Warning, "", fmt.Sprintf("only the first %d hosts are looked up, %d are left out", maxEndpoints, n-maxEndpoints))
		q.hosts = q.hosts[:maxEndpoints]
	}
	var running group
	for i := range q.hosts {
		running.Go(func() { q.resolveHost(ctx, &q.hosts[i]) })
	}
	running.Wait()
}

func (q *inquiry) resolveHost(ctx context.Context, d *destination) {
	if d.bySRV {
		alias, err := q.asked.CNAME(ctx, d.name)
		switch {
		case err == nil:
			d.aliased = alias
		case !errors.Is(err, dns.ErrNotFound):
			d.errs = append(d.errs, err)
		}
	}
	for _, family := range q.families() {
		addrs, err := q.asked.Addresses(ctx, d.name, family == ip6)
		switch {
		case errors.Is(err, dns.ErrNotFound):
			d.missing = append(d.missing, family)
			continue
		case err != nil:
			d.errs = append(d.errs, err)
			continue
		}
		if keep, ok := q.asked.TTL(ctx, d.name, family == ip6); ok {
			d.ttls = append(d.ttls, keep)
		}
		for _, addr := range addrs {
			d.private = d.private || unroutable(addr)
		}
	}
}

// sharedNAT is the space between customers and their provider's NAT (RFC 6598).
var sharedNAT = netip.MustParsePrefix("100.64.0.0/10")

// unroutable tells whether nobody on the internet can reach an address.
func unroutable(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsUnspecified() || sharedNAT.Contains(a)
}

// tell notes what was found about the hosts.
func (q *inquiry) tell() {
	unresolved := 0
	for _, d := range q.hosts {
		for _, keep := range d.ttls {
			q.ttl(keep)
		}
		lacking := len(d.missing) == len(q.families()) || len(d.missing) > 0 && !q.anyFamily
		if lacking || len(d.errs) > 0 {
			unresolved++
		}
		for _, err := range d.errs {
			q.fault(Critical, d.name, err)
		}
		switch {
		case len(d.missing) == len(q.families()):
			q.fault(Critical, d.name, errNoAddress)
		case lacking:
			q.fault(Critical, d.name, fmt.Errorf("no %s address (--any-family allows that)", strings.Join(d.missing, ", no ")))
		}
		if d.aliased != "" {
			q.fault(Critical, d.name, fmt.Errorf("an SRV record leads to it, though it is an alias of %s: RFC 2782 forbids that", d.aliased))
		}
		if d.private && q.public.wanted(q.domain) {
			q.fault(Warning, d.name, errors.New("a loopback or private address for a public domain (--public no allows that)"))
		}
		if !lacking && len(d.errs) == 0 && d.aliased == "" {
			q.out.Note(OK, d.name, "has addresses")
		}
	}
	if len(q.hosts) == 0 && q.out.Worst() == Critical { // nobody knows where they are
		return
	}
	q.out.Set.Add(srvTargets, float64(len(q.hosts)))
	q.out.Set.Add(srvUnresolved, float64(unresolved))
	q.out.Summary = fmt.Sprintf("%d hosts", len(q.hosts))
	if len(q.hosts) == 1 {
		q.out.Summary = "1 host"
	}
	if keep, ok := q.out.Set.Get(dnsMinTTL); ok {
		q.out.Summary += fmt.Sprintf(", TTL from %.0f s", keep)
	}
}
