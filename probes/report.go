// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"crypto/tls"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// relax forgives what cannot be connected to in one family while the target works in the other.
func (s *survey) relax() {
	for _, v := range s.visits {
		if v.failure == nil || v.failure.Phase != Connect {
			continue
		}
		if slices.ContainsFunc(s.tested(), func(o *visit) bool { return o.target == v.target && o.family != v.family && o.failure == nil }) {
			for i := range v.faults {
				v.faults[i].State = OK
			}
		}
	}
}

// fill puts what was found into a Report: numbers, one Note for each endpoint, the summary.
func (s *survey) fill(out *Report, say func(*visit) string) {
	bounds := metric.Bounds{}
	bounds.Bind("peer", 0, s.peers...)
	bind(bounds, s.visits)
	s.bounds, out.Set = bounds, metric.NewSet(bounds)
	s.pour(out, say)
	out.Summary = summary(out.Set)
}

// bind lets the endpoints of visits stand in labels.
func bind(bounds metric.Bounds, visits []*visit) {
	hosts, ports := map[string]bool{}, map[string]bool{}
	for _, v := range visits {
		hosts[v.host], ports[strconv.Itoa(int(v.port))] = true, true
	}
	bounds.Bind("target", maxEndpoints, slices.Sorted(maps.Keys(hosts))...)
	bounds.Bind("port", maxEndpoints, slices.Sorted(maps.Keys(ports))...)
}

// pour adds numbers and Notes to those of a Report whose Set is bound to the endpoints.
func (s *survey) pour(out *Report, say func(*visit) string) {
	for name, n := range s.records {
		out.Set.Add(srvRecords, float64(n), name)
	}
	for _, f := range s.faults {
		out.Notes = append(out.Notes, Note{f.State, f.subject, f.Error(), f.Reason})
		out.Set.Add(failureInfo, 1, f.Phase, f.Reason)
	}
	if s.left > 0 {
		out.Note(Warning, "", fmt.Sprintf("only the first %d endpoints are probed, %d are left out", maxEndpoints, s.left))
	}
	if len(s.visits) > 0 {
		out.Set.Add(phaseDuration, s.resolve.Seconds(), Resolve)
	}
	tested := s.tested()
	for _, v := range tested {
		v.fill(out.Set)
		_, reason := v.wrong()
		out.Notes = append(out.Notes, Note{v.state(), v.subject(), v.text(say), reason})
	}
	for _, v := range s.visits {
		phase, reason := v.wrong()
		out.Endpoints = append(out.Endpoints, Endpoint{v.name, v.host, v.port, v.family, v.works() && !v.unreached, v.unreached, phase, reason})
	}
	untestable(out, s.visits, len(tested) == 0 && len(s.faults) == 0)
	if len(s.visits) == 0 && len(s.faults) == 0 {
		out.Note(Unknown, "", "there was nothing to look at")
	}
}

// untestable says which endpoints this machine cannot reach; that is no verdict unless nothing else is left.
func untestable(out *Report, visits []*visit, alone bool) {
	state := OK
	if alone {
		state = Unknown
	}
	for _, v := range visits {
		if v.unreached {
			out.Note(state, v.subject(), "not testable from here: this machine has no route to such addresses")
		}
	}
}

// works tells whether an endpoint does all that it should.
func (v *visit) works() bool { return v.failure == nil && !v.absent && v.state() != Critical }

// wrong is why the visit has its state; a timeout only where nothing else is as bad.
func (v *visit) wrong() (phase, reason string) {
	for _, f := range v.faults {
		if f.State == v.state() && (reason == "" || reason == Timeout) {
			phase, reason = f.Phase, f.Reason
		}
	}
	return phase, reason
}

func (v *visit) fill(set *metric.Set) {
	set.Add(endpointSuccess, truth(v.works()), v.labels()...)
	set.Add(retriesMetric, float64(v.retries))
	for _, f := range v.faults {
		if f.State != OK {
			set.Add(failureInfo, 1, f.Phase, f.Reason)
		}
	}
	if v.works() {
		set.Add(endpointDuration, v.total().Seconds(), v.labels()...)
		for phase, took := range v.took {
			set.Add(phaseDuration, took.Seconds(), phase)
		}
	}
	if v.before != nil {
		set.Add(startTLSDemanded, truth(v.before.StartTLSRequired))
	}
	if v.tls == nil {
		return
	}
	leaf := v.tls.Leaf()
	set.Add(certNotAfter, float64(leaf.NotAfter.Unix()), v.labels()...)
	set.Add(certNotBefore, float64(leaf.NotBefore.Unix()), v.labels()...)
	set.Add(certValid, truth(v.tls.BadChain == nil), v.labels("chain")...)
	set.Add(certValid, truth(v.tls.BadName == nil), v.labels("name")...)
	set.Add(certValid, truth(v.tls.BadTime == nil), v.labels("time")...)
	for _, c := range v.tls.Chain {
		set.Add(earliestExpiry, float64(c.NotAfter.Unix()))
	}
	version := tlsVersion(v.tls.Version)
	set.Add(tlsVersionInfo, 1, version.String())
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// text says what is wrong first, and then what was seen.
func (v *visit) text(say func(*visit) string) string {
	var wrong, parts []string
	for _, f := range v.faults {
		wrong = append(wrong, f.Error())
	}
	if v.failure == nil {
		if v.tls != nil {
			parts = append(parts, tls.VersionName(v.tls.Version), "certificate "+daysLeft(v.tls.Leaf().NotAfter))
		}
		if v.mutual {
			parts = append(parts, "talks only to servers that show a certificate")
		}
		parts = append(parts, say(v), milliseconds(v.total()))
	}
	if v.retries > 0 {
		parts = append(parts, "tried again after a reset")
	}
	seen := strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), ", ")
	if seen != "" {
		wrong = append(wrong, seen)
	}
	return strings.Join(wrong, "; ")
}

func daysLeft(end time.Time) string {
	days := time.Until(end).Hours() / 24
	if days < 0 {
		return fmt.Sprintf("expired %.0f days ago", math.Floor(-days))
	}
	return fmt.Sprintf("%.0f days", math.Floor(days))
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }

// summary is the short text of the status line, made of nothing but the numbers.
func summary(set *metric.Set) string {
	var parts []string
	if all := values(set, endpointSuccess); len(all) > 0 {
		failed := 0
		for _, works := range all {
			failed += int(1 - works)
		}
		switch {
		case failed > 0:
			parts = append(parts, fmt.Sprintf("%d of %d endpoints failed", failed, len(all)))
		case len(all) == 1:
			parts = append(parts, "1 endpoint")
		default:
			parts = append(parts, fmt.Sprintf("%d endpoints", len(all)))
		}
	}
	if first := firstToExpire(set); first != nil {
		parts = append(parts, "worst certificate "+daysLeft(time.Unix(int64(first.Value), 0)))
	}
	for _, sample := range set.All() {
		if sample.Metric == tlsVersionInfo { // the oldest comes first
			parts = append(parts, "TLS "+sample.Labels[0])
			break
		}
	}
	if total, ok := totalTime(set); ok {
		parts = append(parts, milliseconds(time.Duration(total*float64(time.Second))))
	}
	return strings.Join(parts, ", ")
}
