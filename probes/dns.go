// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/dns"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var (
	srvTargets = gauge("probe_xmpp_srv_targets",
		"Number of hosts that clients and servers are sent to, by SRV records or, where there are none, by the name itself", metric.Sum)
	srvUnresolved = gauge("probe_xmpp_srv_unresolved",
		"Number of these hosts that lack addresses which they should have", metric.Sum)
	dnsMinTTL = gauge("probe_xmpp_dns_min_ttl_seconds",
		"Shortest time for which any of the answers may be kept, as the resolver told it", metric.Min)
)

// Zone probes what the DNS says about where the domain is served.
func Zone() Probe {
	return Probe{
		Name:    "dns",
		Help:    "The DNS sends clients and servers to the right places: SRV records as expected, and every target has addresses in both families",
		Metrics: []*metric.Metric{srvRecords, srvTargets, srvUnresolved, dnsMinTTL, phaseDuration, failureInfo},
		Figures: []Figure{
			named("time", phaseFigure(Resolve)),
			plainFigure("srv_targets", srvTargets),
			plainFigure("srv_unresolved", srvUnresolved),
			{Label: "min_ttl", Unit: "s", Min: "0", Value: func(s *metric.Set) (float64, bool) { return s.Get(dnsMinTTL) }},
		},
		Thresholds: timeThresholds,
		Settings: func(set *Settings) Run {
			var s endpointSettings
			s.declareFamilies(set)
			set.Bool(&s.anyFamily, Safe, "any-family", "Be content with hosts that have addresses of one family")
			d := dnsSettings{}
			d.declare(set)
			return func(ctx context.Context, target Target, out *Report) error {
				return probeDNS(ctx, s, d, target, out)
			}
		},
	}
}

// dnsSettings are what dns alone can be told.
type dnsSettings struct {
	expect            string
	components        nameList
	forbidXMPPConnect bool
	public            publicPolicy
}

func (d *dnsSettings) declare(set *Settings) {
	d.public = publicAuto
	set.String(&d.expect, Local, "expect", "", "File with all SRV records that there should be, one a line: NAME PRIORITY WEIGHT PORT TARGET, or as dig prints them")
	set.Var(&d.components, Local, "component", "Component that other servers must find, too: muc for muc.DOMAIN, or a full name").List = true
	set.Bool(&d.forbidXMPPConnect, Safe, "forbid-xmppconnect", "Warn where there are _xmppconnect TXT records, which nobody may trust")
	set.Var(&d.public, Safe, "public", "Whether hosts must have public addresses: yes, no, or auto for all domains but those like .test and .internal")
}

// inquiry is the run of the probe.
type inquiry struct {
	endpointSettings
	dnsSettings
	domain string
	asked  *dns.Resolver
	out    *Report
	hosts  []destination
}

// destination is a host that clients or servers are sent to.
type destination struct {
	name    string
	bySRV   bool // and not by its own name: it must be no alias
	ttls    []time.Duration
	aliased string
	missing []string // families without an address
	private bool
	errs    []error
}

func probeDNS(ctx context.Context, s endpointSettings, d dnsSettings, target Target, out *Report) error {
	if s.only4 && s.only6 {
		return errBothOnly
	}
	want, err := d.expected(target.Domain)
	if err != nil {
		return err
	}
	resolver, err := dns.New(s.resolver)
	if err != nil {
		return fmt.Errorf("--resolver: %w", err)
	}
	q := &inquiry{endpointSettings: s, dnsSettings: d, domain: target.Domain, asked: resolver, out: out}
	ctx, cancel := early(ctx)
	defer cancel()
	began := time.Now()
	half, cancel := share(ctx, 2) // a resolver that is silent about one name must leave time for the others
	sets := q.ask(half, want)
	q.askXMPPConnect(half)
	cancel()
	q.judge(sets, want)
	q.follow(sets)
	q.resolve(ctx)
	q.tell()
	out.Set.Add(phaseDuration, time.Since(began).Seconds(), Resolve)
	return nil
}

// fault notes what is wrong.
func (q *inquiry) fault(state State, subject string, err error) {
	f := dnsFault(err)
	q.out.Notes = append(q.out.Notes, Note{state, subject, f.Error(), f.Reason})
	q.out.Set.Add(failureInfo, 1, f.Phase, f.Reason)
}

// ttl counts how long an answer may be kept.
func (q *inquiry) ttl(keep time.Duration) { q.out.Set.Add(dnsMinTTL, keep.Seconds()) }

// askXMPPConnect looks for what XEP-0156 dropped: without DNSSEC anybody on the way can send clients elsewhere by it.
func (q *inquiry) askXMPPConnect(ctx context.Context) {
	texts, err := q.asked.TXT(ctx, "_xmppconnect."+q.domain)
	switch {
	case errors.Is(err, dns.ErrNotFound):
	case err != nil:
		q.fault(Critical, "", err)
	case q.forbidXMPPConnect:
		q.fault(Warning, "", fmt.Errorf("%d _xmppconnect TXT records: XEP-0156 dropped them as insecure, remove them", len(texts)))
	default:
		q.out.Note(OK, "", fmt.Sprintf("%d _xmppconnect TXT records: XEP-0156 dropped them as insecure", len(texts)))
	}
}

// publicPolicy says whether addresses must be public ones.
type publicPolicy string

const publicAuto publicPolicy = "auto"

func (p *publicPolicy) String() string { return string(*p) }

func (p *publicPolicy) Set(text string) error {
	if !slices.Contains([]string{"yes", "no", "auto"}, text) {
		return errors.New("yes, no or auto")
	}
	*p = publicPolicy(text)
	return nil
}

// localNames are the top-level domains that nobody outside resolves: of RFC 6761, RFC 6762, RFC 7686, RFC 9476, ICANN's
// .internal, and those that people use though nobody gave them away.
var localNames = []string{
	"test", "local", "localhost", "invalid", "onion", "alt", "internal", "lan", "home", "corp", "mail", "intranet", "private", "localdomain",
}

// wanted tells whether a domain should resolve to public addresses.
func (p publicPolicy) wanted(domain string) bool {
	if p != publicAuto {
		return p == "yes"
	}
	top := domain[strings.LastIndexByte(domain, '.')+1:]
	return top != domain && !slices.Contains(localNames, top) && !strings.HasSuffix(domain, ".home.arpa")
}
