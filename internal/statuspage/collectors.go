// SPDX-License-Identifier: Apache-2.0

package statuspage

import (
	"fmt"
	"slices"
	"strings"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/remedy"
)

type (
	state  = collector.State
	sample = metric.Sample
)

// group are the collectors that fare alike.
type group struct {
	Title string
	Open  bool // shown at once
	Rows  []row
}

// row is one collector.
type row struct {
	Name, Help string
	Level      level
	Word       string // the level in a word
	Why, Age   string

	err error
}

func isOff(s state) bool { return s.Err != nil && collector.IsOff(s.Err) }

// lacks tells whether the source is there and may not be read: a text to paste helps.
func lacks(err error) bool {
	api, role, directory := remedy.Needs(err)
	return api || role || directory
}

// collectors tells how each collector fares, those that need somebody first.
func (b *builder) collectors() []group {
	byLevel := map[level][]row{}
	for _, s := range b.Collectors {
		r := row{Name: s.Name, Help: s.Help, Age: b.since(s.Good), err: s.Err}
		switch {
		case isOff(s):
			r.Level, r.Word, r.Why, r.Age = off, "off", reason(s.Err), ""
		case s.Stale:
			r.Level, r.Word, r.Why = warn, "stale", s.Err.Error()
		case s.Err != nil && lacks(s.Err):
			r.Level, r.Word, r.Why = bad, "missing", s.Err.Error()
		case s.Err != nil:
			r.Level, r.Word, r.Why = bad, "failing", s.Err.Error()
		case waiting(s) && !s.Good.IsZero():
			r.Level, r.Word, r.Why = busy, "running", "its last numbers are too old to be shown"
		case waiting(s):
			r.Level, r.Word, r.Why = busy, "running", "it has not answered yet"
		default:
			r.Level, r.Word = good, "ok"
		}
		byLevel[r.Level] = append(byLevel[r.Level], r)
	}
	for _, d := range b.Disabled {
		byLevel[off] = append(byLevel[off], row{Name: d.Name, Help: d.Help, Level: off, Word: "off", Why: d.Why})
	}
	b.complain(byLevel[bad], bad, "fails", "fail")
	b.complain(byLevel[warn], warn, "shows numbers of an earlier run", "show numbers of an earlier run")
	var groups []group
	for _, g := range []struct {
		title string
		level level
	}{{"Failing", bad}, {"Stale: numbers of an earlier run", warn}, {"Still running", busy}, {"Working", good}, {"Off: not here, or not wanted", off}} {
		if rows := byLevel[g.level]; len(rows) > 0 {
			groups = append(groups, group{fmt.Sprintf("%s (%d)", g.title, len(rows)), g.level == bad || g.level == warn, rows})
		}
	}
	return groups
}

// complain joins what fails for the same reason. What follows from ejabberd or a database being down is told there.
func (b *builder) complain(rows []row, l level, one, many string) {
	var reasons []string
	names := map[string][]string{}
	for _, r := range rows {
		if b.follows(r) {
			continue
		}
		why := commandless(r.Why)
		if !slices.Contains(reasons, why) {
			reasons = append(reasons, why)
		}
		names[why] = append(names[why], r.Name)
	}
	for _, why := range reasons {
		what := "Collector " + names[why][0] + " " + one + "."
		if len(names[why]) > 1 {
			what = fmt.Sprintf("%d collectors %s: %s.", len(names[why]), many, strings.Join(names[why], ", "))
		}
		b.need(l, "collectors", what, why)
	}
}

// follows tells whether a collector fails for what is told already.
func (b *builder) follows(r row) bool {
	down := func(metric string) bool {
		up, known := b.sum(metric)
		return known && up == 0
	}
	api, sql := collector.Unanswered(r.err)
	return api && down("ejabberd_up") || sql && down("ejabberd_database_up") || r.Name == collector.Certificates.Name && down("ejabberd_listener_up")
}

// commandless takes the command of the API out of a reason: each collector has its own, and the reason is the same.
func commandless(reason string) string {
	if rest, ours := strings.CutPrefix(reason, "ejabberd "); ours {
		if _, why, found := strings.Cut(rest, ": "); found {
			return why
		}
	}
	return reason
}
