// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/chapril/ejabberd_exporter/probes"
)

// result is a run, judged and ready to be rendered.
type result struct {
	state   probes.State
	works   bool          // without regard to thresholds
	summary string        // what was found, in short
	notes   []probes.Note // everything worth a line, worst first; texts are clean
	figures []figure
	metrics string // the Set as text
	failure error  // of the run as a whole
	domain  string
	limit   time.Duration
	took    time.Duration
}

// evaluate turns what a run found into a verdict: the worst of its error, its Notes and the thresholds.
func evaluate(s settings, report *probes.Report, failure error, took time.Duration) result {
	figures, alarms := judge(s.figures, s.thresholds, report.Set)
	r := result{
		summary: clean(report.Summary), figures: figures, metrics: report.Set.Text(), failure: failure,
		domain: s.target.Domain, limit: s.timeout, took: took,
	}
	seen := report.Worst()
	r.works = failure == nil && (seen == probes.OK || seen == probes.Warning)
	if failure != nil {
		r.state = stateOf(failure, s.timeoutState)
		if !told(failure, report.Notes) {
			r.notes = append(r.notes, probes.Note{State: r.state, Text: failure.Error()})
		}
	}
	r.notes = slices.Concat(r.notes, report.Notes, alarms)
	for i := range r.notes {
		n := &r.notes[i]
		if n.Reason == probes.Timeout && n.State == probes.Critical {
			n.State = s.timeoutState
		}
		n.Subject, n.Text = clean(n.Subject), clean(n.Text)
		r.state = r.state.Worse(n.State)
	}
	worstFirst(r.notes)
	return r
}

// stateOf is the verdict of a run's error: trouble on the network is critical; when the probe could not do its work, because of
// its configuration, a file or a mistake in the program, nothing is known.
func stateOf(failure error, timeoutState probes.State) probes.State {
	if _, isLate := errors.AsType[*late](failure); isLate {
		return timeoutState
	}
	f, ok := errors.AsType[*probes.Failure](failure)
	switch {
	case !ok:
		return probes.Unknown
	case f.Reason == probes.Timeout:
		return timeoutState
	}
	return probes.Critical
}

// told tells whether a Note says already what the error says.
func told(failure error, notes []probes.Note) bool {
	f, ok := errors.AsType[*probes.Failure](failure)
	return ok && slices.ContainsFunc(notes, func(n probes.Note) bool {
		return n.State != probes.OK && strings.Contains(n.Text, f.Err.Error())
	})
}

// worstFirst sorts notes by state and keeps their order otherwise.
func worstFirst(notes []probes.Note) {
	slices.SortStableFunc(notes, func(a, b probes.Note) int {
		switch {
		case a.State == b.State:
			return 0
		case a.State.Worse(b.State) == a.State:
			return -1
		}
		return 1
	})
}
