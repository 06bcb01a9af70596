// SPDX-License-Identifier: Apache-2.0

// Package dns asks the DNS itself: SRV, TXT, CNAME and address records with their TTLs, from a chosen resolver or the system's.
//
// The probes need it because the standard resolver hides what they are about: it reads the hosts file (a line there makes a
// dead service look green), it drops TTLs, and it cannot tell that an SRV target is an alias. Answers are kept for as long as
// their TTLs allow, and a name that many probes want at once is asked for once.
package dns

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// SRV is one service record.
type SRV struct {
	Target                 string // without the final dot; "." alone says that the service is not provided
	Port, Priority, Weight uint16
	TTL                    time.Duration // as the resolver told it
}

// Resolver asks one resolver, or those of the system. It is safe for concurrent use; make one with New.
type Resolver struct {
	servers func() ([]string, error)
	cache   cache
}

// New makes a Resolver that asks server, "host:port" or a bare host for port 53. An empty server means those that
// /etc/resolv.conf names whenever a question is asked.
func New(server string) (*Resolver, error) {
	if server == "" {
		return &Resolver{servers: systemServers}, nil
	}
	server, err := hostPort(server)
	if err != nil {
		return nil, err
	}
	return &Resolver{servers: func() ([]string, error) { return []string{server}, nil }}, nil
}

// SRV looks up _service._proto.domain, sorted by priority, then by weight with the heaviest first.
func (r *Resolver) SRV(ctx context.Context, service, proto, domain string) ([]SRV, error) {
	records, err := r.lookup(ctx, "_"+service+"._"+proto+"."+domain, dnsmessage.TypeSRV)
	if err != nil {
		return nil, err
	}
	found := make([]SRV, 0, len(records))
	for _, rec := range records {
		body := rec.body.(*dnsmessage.SRVResource)
		found = append(found, SRV{
			Target: withoutDot(body.Target.String()), Port: body.Port, Priority: body.Priority, Weight: body.Weight,
			TTL: rec.ttl,
		})
	}
	slices.SortFunc(found, func(a, b SRV) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(b.Weight, a.Weight),
			cmp.Compare(a.Target, b.Target), cmp.Compare(a.Port, b.Port))
	})
	return found, nil
}

// Addresses looks up the IPv6 (AAAA) or the IPv4 (A) addresses of host, sorted. A host that is an address already is its own
// answer.
func (r *Resolver) Addresses(ctx context.Context, host string, ip6 bool) ([]netip.Addr, error) {
	kind := addressType(ip6)
	if addr, err := netip.ParseAddr(host); err == nil {
		if addr.Is6() == ip6 {
			return []netip.Addr{addr}, nil
		}
		return nil, question{host, kind}.failed(errNoData)
	}
	records, err := r.lookup(ctx, host, kind)
	if err != nil {
		return nil, err
	}
	found := make([]netip.Addr, 0, len(records))
	for _, rec := range records {
		switch body := rec.body.(type) {
		case *dnsmessage.AResource:
			found = append(found, netip.AddrFrom4(body.A))
		case *dnsmessage.AAAAResource:
			found = append(found, netip.AddrFrom16(body.AAAA))
		}
	}
	slices.SortFunc(found, netip.Addr.Compare)
	return slices.Compact(found), nil
}

// TXT looks up the texts of name, each joined from its pieces, sorted. They are what the zone says, bytes and all.
func (r *Resolver) TXT(ctx context.Context, name string) ([]string, error) {
	records, err := r.lookup(ctx, name, dnsmessage.TypeTXT)
	if err != nil {
		return nil, err
	}
	found := make([]string, 0, len(records))
	for _, rec := range records {
		found = append(found, strings.Join(rec.body.(*dnsmessage.TXTResource).TXT, ""))
	}
	slices.Sort(found)
	return found, nil
}

// CNAME looks up what name is an alias of; ErrNotFound where it is none.
func (r *Resolver) CNAME(ctx context.Context, name string) (string, error) {
	records, err := r.lookup(ctx, name, dnsmessage.TypeCNAME)
	if err != nil {
		return "", err
	}
	return withoutDot(records[0].body.(*dnsmessage.CNAMEResource).CNAME.String()), nil
}

// TTL is for how long the addresses of host may be kept, as the resolver told it: the shortest TTL on the way, aliases
// included, and a day at most. ok is false where host has none.
func (r *Resolver) TTL(ctx context.Context, host string, ip6 bool) (keep time.Duration, ok bool) {
	a := r.cache.get(ctx, question{strings.ToLower(withoutDot(host)), addressType(ip6)}, r.ask)
	return a.ttl, a.err == nil
}

func addressType(ip6 bool) dnsmessage.Type {
	if ip6 {
		return dnsmessage.TypeAAAA
	}
	return dnsmessage.TypeA
}

// lookup answers from the cache or asks.
func (r *Resolver) lookup(ctx context.Context, name string, kind dnsmessage.Type) ([]record, error) {
	q := question{strings.ToLower(withoutDot(name)), kind}
	a := r.cache.get(ctx, q, r.ask)
	if a.err != nil {
		return nil, q.failed(a.err)
	}
	return a.records, nil
}

func withoutDot(name string) string {
	if name == "." {
		return name
	}
	return strings.TrimSuffix(name, ".")
}
