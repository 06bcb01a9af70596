// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var legacyAccepted = gauge("probe_xmpp_tls_legacy_accepted",
	"Whether any port accepts an obsolete version of TLS; absent where not all of them clearly refuse it, and none accepts it", metric.Max,
	metric.OneOf("version", "1.0", "1.1"))

// legacyVersions are those that RFC 8996 says not to use.
var legacyVersions = []tlsVersion{tls.VersionTLS10, tls.VersionTLS11}

// legacyPatience is how long a server may be silent about an obsolete version: some firewalls drop such an offer.
const legacyPatience = 2 * time.Second

// legacy is what became of trying an obsolete version of TLS at an endpoint.
type legacy struct {
	accepted, refused bool     // neither: who knows
	failure           *Failure // why it came to nothing
}

// tryLegacy offers each obsolete version, and nothing else, to all endpoints of a domain that speak TLS. Ours is a client that
// could go on with it, so that a refusal is the server's.
func (e *engine) tryLegacy(ctx context.Context, found *survey, out *Report) {
	var able []endpoint
	for _, v := range found.tested() {
		if v.tls != nil && !v.named {
			able = append(able, v.endpoint)
		}
	}
	outcomes := map[endpoint][]*legacy{} // by endpoint, in the order of legacyVersions
	var unclear []endpoint
	for _, version := range legacyVersions {
		for _, v := range e.offerAlone(ctx, version, able) {
			outcome := v.legacy(version)
			outcomes[v.endpoint] = append(outcomes[v.endpoint], outcome)
			if outcome.ended() && !slices.Contains(unclear, v.endpoint) {
				unclear = append(unclear, v.endpoint)
			}
		}
	}
	// Many servers, ejabberd among them, just hang up. It is the version that they refuse if they take the same offer with a newer one.
	for _, v := range e.offerAlone(ctx, tls.VersionTLS12, unclear) {
		for _, outcome := range outcomes[v.endpoint] {
			outcome.refused = outcome.refused || outcome.ended() && v.legacy(tls.VersionTLS12).accepted
		}
	}
	for i, version := range legacyVersions {
		accepted, refused := 0, 0
		for _, outcome := range outcomes {
			accepted += int(truth(outcome[i].accepted))
			refused += int(truth(outcome[i].refused))
		}
		if accepted > 0 || refused > 0 && refused == len(outcomes) {
			out.Set.Add(legacyAccepted, truth(accepted > 0), version.String())
		}
	}
	for _, at := range able {
		e.sayLegacy(at.subject(), outcomes[at], out)
	}
}

// offerAlone visits endpoints with one version of TLS, no further than it takes to see what they make of it.
func (e *engine) offerAlone(ctx context.Context, version tlsVersion, endpoints []endpoint) []*visit {
	ctx, cancel := limited(ctx, func(left time.Duration) time.Duration { return min(left/3, legacyPatience) })
	defer cancel()
	only := *e
	only.only = version
	able := &survey{located: located{endpoints: endpoints}}
	able.tour(ctx, only.attempt)
	return able.visits
}

// legacy reads the outcome of a visit that offered one version alone.
func (v *visit) legacy(version tlsVersion) *legacy {
	switch {
	case v.tls != nil && v.tls.Version == uint16(version): // whatever came of it afterwards
		return &legacy{accepted: true}
	case v.failure == nil:
		return &legacy{failure: &Failure{Handshake, Protocol, errors.New("the server chose a version that it was not offered")}}
	}
	const protocolVersion = tls.AlertError(70)
	alert := alertOf(v.failure.Err)
	return &legacy{refused: alert != nil && alert.Error() == protocolVersion.Error(), failure: v.failure}
}

// ended tells whether the server ended the handshake and did not say that it was for the version.
func (l *legacy) ended() bool {
	return l.failure != nil && !l.refused && l.failure.Phase == Handshake && (l.failure.Reason == Closed || alertOf(l.failure.Err) != nil)
}

// alertOf is the alert with which the other side ended a handshake, or nil.
func alertOf(err error) error {
	if remote, ok := errors.AsType[*net.OpError](err); ok && remote.Op == "remote error" {
		return remote.Err
	}
	return nil
}

// sayLegacy adds a Note for an endpoint where obsolete versions are accepted, or may be. Whoever allows old versions hears no
// complaint.
func (e *engine) sayLegacy(subject string, outcomes []*legacy, out *Report) {
	state, parts := OK, []string(nil)
	for i, o := range outcomes {
		version := legacyVersions[i]
		switch {
		case o.accepted:
			parts = append(parts, "accepts TLS "+version.String())
			if version < e.tlsMin {
				state = Warning
			}
		case !o.refused:
			parts = append(parts, fmt.Sprintf("may accept TLS %s (%v)", version.String(), o.failure))
		}
	}
	if len(parts) > 0 {
		out.Note(state, subject, strings.Join(parts, ", "))
	}
}

// legacySuites are all that there are for the oldest version; without this list the weak ones would be missing.
func legacySuites() (ids []uint16) {
	for _, suite := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		if slices.Contains(suite.SupportedVersions, tls.VersionTLS10) {
			ids = append(ids, suite.ID)
		}
	}
	return ids
}

// legacyFigure is 1 where an obsolete version is accepted, 0 where all are refused everywhere, and unknown otherwise.
func legacyFigure(s *metric.Set) (value float64, ok bool) {
	known := values(s, legacyAccepted)
	switch {
	case slices.Contains(known, 1):
		return 1, true
	case len(known) == len(legacyVersions):
		return 0, true
	}
	return 0, false
}
