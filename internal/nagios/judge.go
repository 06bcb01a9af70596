// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"math"
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/probes"
)

// threshold is a declared threshold with the range that its flag was given.
type threshold struct {
	probes.Threshold
	figure probes.Figure
	limit  *Range // nil: not judged
}

// judge reads the figures from set and holds them against the thresholds: the figures for perfdata, and a Note for each that
// raises an alarm, the worst alone where several do for one figure. An unknown figure raises none.
func judge(declared []probes.Figure, thresholds []threshold, set *metric.Set) (figures []figure, alarms []probes.Note) {
	for _, d := range declared {
		f := figure{label: d.Label, unit: d.Unit, min: d.Min}
		f.value, f.known = d.Value(set)
		f.known = f.known && finite(f.value)
		var worst probes.Note
		for _, t := range thresholds {
			if t.Figure != d.Label || t.limit == nil {
				continue
			}
			note := t.hold(&f, set)
			if note.State != probes.OK && worst.State.Worse(note.State) != worst.State {
				worst = note
			}
		}
		if worst.State != probes.OK {
			alarms = append(alarms, worst)
		}
		figures = append(figures, f)
	}
	return figures, alarms
}

// hold judges f by one threshold and writes the range that it applied into f.
func (t threshold) hold(f *figure, set *metric.Set) probes.Note {
	limit := *t.limit
	if limit.Percent {
		whole, ok := t.figure.Whole(set)
		ok = ok && finite(whole) && whole > 0
		switch {
		case !ok && f.known:
			return probes.Note{State: probes.Unknown, Text: f.label + " cannot be judged in percent: the whole is unknown"}
		case !ok:
			return probes.Note{}
		}
		limit = limit.Of(whole)
	}
	if t.State == probes.Critical {
		f.critical = limit.String()
	} else {
		f.warning = limit.String()
	}
	if !f.known || !limit.Alarm(f.value) {
		return probes.Note{}
	}
	if t.figure.Whole != nil {
		return probes.Note{State: t.State, Text: daysLeft(f.value, limit)}
	}
	return probes.Note{State: t.State, Text: strings.ReplaceAll(f.label, "_", " ") + " " + words(f.value, f.unit, limit)}
}

// words says in which way value is wrong: "2.1 s is above 1 s".
func words(value float64, unit string, limit Range) string {
	number := rounded
	if rounded(value) == rounded(limit.Start) || rounded(value) == rounded(limit.End) {
		number = plainNumber // "1 s is above 1 s" would puzzle
	}
	show := func(v float64) string { return strings.TrimSpace(number(v) + " " + unit) }
	text := show(value)
	switch {
	case value < limit.Start:
		return text + " is below " + show(limit.Start)
	case value > limit.End:
		return text + " is above " + show(limit.End)
	case math.IsInf(limit.Start, -1) && math.IsInf(limit.End, 1):
		return text + " is never wanted"
	case math.IsInf(limit.Start, -1):
		return text + " is not above " + show(limit.End)
	case math.IsInf(limit.End, 1):
		return text + " is not below " + show(limit.Start)
	}
	return text + " is between " + show(limit.Start) + " and " + show(limit.End)
}

// daysLeft says how long a certificate is still good: "certificate: 5 days left, wanted 9:".
func daysLeft(value float64, limit Range) string {
	wanted := ", wanted " + limit.format(rounded)
	days := func(n float64) string {
		if n == 1 {
			return "1 day"
		}
		return plainNumber(n) + " days"
	}
	if value < 0 {
		return "certificate: expired " + days(math.Floor(-value)) + " ago" + wanted
	}
	return "certificate: " + days(math.Floor(value)) + " left" + wanted
}

// rounded writes a number for people: three decimals at most.
func rounded(v float64) string { return plainNumber(math.Round(v*1000) / 1000) }
