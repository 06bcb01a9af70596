// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// story is a day on which something happened, and what the panels must show of it.
type story struct {
	name     string
	change   func(s *series, m moment, usual float64) float64 // what is not usual
	expect   func(*seen)
	midnight time.Time
}

func histories() []story {
	return []story{
		quietDay(),
		registrationWave(),
		quotaSqueeze(),
		s2sCollapse(),
		brokenIPv6(),
		certificateRunningOut(),
	}
}

// TestHistories runs every query of every board on every history, and looks at the panels that should show it.
func TestHistories(t *testing.T) {
	t.Parallel()
	all := histories()
	prometheus := startHistories(t, all)
	found := map[string]bool{}
	for _, h := range all {
		t.Run(h.name, func(t *testing.T) {
			d := &seen{T: t, server: prometheus, midnight: h.midnight}
			for _, b := range boards() {
				for _, p := range b.panels() {
					d.panelLines(t, p, d.wholeDay())
					for _, q := range p.show {
						found[q.expr] = found[q.expr] || len(d.run(t, q, d.wholeDay())) > 0
					}
				}
			}
			h.expect(d)
		})
	}
	eachQuery(func(b board, p panel, q query) {
		if !found[q.expr] {
			t.Errorf("%s, %s: nothing on any day: the world of these tests lacks what it asks for\n%s", b.name, p.title, q.expr)
		}
	})
}

// seen is a day as the boards show it.
type seen struct {
	*testing.T
	*server
	midnight time.Time
}

func (d *seen) wholeDay() span {
	return span{from: d.midnight, to: d.midnight.Add(day - between), step: 10 * time.Minute}
}

// panel are the lines of a panel, by their legends.
func (d *seen) panel(board, title string) map[string]line {
	d.Helper()
	return d.at(board, title, 24)
}

// at is a panel as it is at an hour of the day.
func (d *seen) at(board, title string, hour float64) map[string]line {
	d.Helper()
	over := d.wholeDay()
	if hour < 24 {
		over.to = d.midnight.Add(time.Duration(hour * float64(time.Hour)))
	}
	return d.panelLines(d.T, find(d.T, board, title), over)
}

func find(t *testing.T, name, title string) panel {
	t.Helper()
	for _, b := range boards() {
		for _, p := range b.panels() {
			if b.name == name && p.title == title {
				return p
			}
		}
	}
	t.Fatalf("no panel %q on board %s", title, name)
	return panel{}
}

// number is the number of a panel that has one, at an hour of the day.
func (d *seen) number(board, title string, hour float64) float64 {
	d.Helper()
	lines := d.at(board, title, hour)
	if len(lines) != 1 {
		d.Fatalf("%s, %s shows %d numbers at %v: %v", board, title, len(lines), hour, lines)
	}
	for _, l := range lines {
		for _, value := range l.values {
			return value
		}
	}
	return nothing
}

// during are the values of a line between two hours of the day.
func (d *seen) during(l line, from, to float64) (values []float64) {
	d.Helper()
	for at, value := range l.values {
		if hour := (at - float64(d.midnight.Unix())) / 3600; hour >= from && hour < to {
			values = append(values, value)
		}
	}
	if len(values) == 0 {
		d.Fatalf("%v has nothing between %v and %v o'clock", l.labels, from, to)
	}
	return values
}

func (d *seen) most(l line, from, to float64) float64 { return slices.Max(d.during(l, from, to)) }

func (d *seen) least(l line, from, to float64) float64 { return slices.Min(d.during(l, from, to)) }

// only wants a line to have one value between two hours.
func (d *seen) only(value float64, name string, l line, from, to float64) {
	d.Helper()
	if most, least := d.most(l, from, to), d.least(l, from, to); most != value || least != value {
		d.Errorf("%s is %v to %v between %v and %v o'clock, want %v", name, least, most, from, to, value)
	}
}

// line finds a line by its legend.
func (d *seen) line(board, title, legend string) line {
	d.Helper()
	lines := d.panel(board, title)
	l, ok := lines[legend]
	if !ok {
		d.Fatalf("%s, %s has no line %q but %v", board, title, legend, slices.Sorted(maps.Keys(lines)))
	}
	return l
}

// matching are the lines whose legends have a word.
func matching(lines map[string]line, word string) map[string]line {
	some := maps.Clone(lines)
	maps.DeleteFunc(some, func(name string, _ line) bool { return !slices.Contains(strings.Fields(name), word) })
	return some
}
