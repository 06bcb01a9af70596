// SPDX-License-Identifier: Apache-2.0

package page

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// selector is what a threshold judges: one series, or what a function makes of several.
type selector struct {
	function string // one of functions, or nothing
	name     string
	labels   []label // sorted by name
}

// functions are what can be made of the series that a selector finds.
var functions = map[string]func(values []float64, now time.Time) float64{
	"sum": func(values []float64, _ time.Time) (sum float64) {
		for _, v := range values {
			sum += v
		}
		return sum
	},
	"min":   func(values []float64, _ time.Time) float64 { return slices.Min(values) },
	"max":   func(values []float64, _ time.Time) float64 { return slices.Max(values) },
	"count": func(values []float64, _ time.Time) float64 { return float64(len(values)) },
	// The oldest of times that have passed, in seconds.
	"age": func(values []float64, now time.Time) float64 { return seconds(now) - slices.Min(values) },
	// The nearest of times to come, in days.
	"days_left": func(values []float64, now time.Time) float64 { return (slices.Min(values) - seconds(now)) / 86400 },
}

const timestamp = "_timestamp_seconds"

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// readSelector reads METRIC, METRIC{LABEL=VALUE,…} or FUNCTION of one of these. Values may stand in quotes.
func readSelector(text string) (s selector, err error) {
	if strings.ContainsRune(text, '\\') { // no label that the exporter shows has one
		return s, fmt.Errorf("%.64q has a backslash, which no label has", text)
	}
	text = strings.TrimSpace(text)
	name, rest := word(text, true)
	if inner, called := strings.CutPrefix(rest, "("); called {
		if functions[name] == nil {
			return s, fmt.Errorf("%.64q is none of sum, min, max, count, age, days_left", name)
		}
		s.function = name
		inner, closed := strings.CutSuffix(inner, ")")
		if !closed {
			return s, fmt.Errorf("%.64q has no closing parenthesis", text)
		}
		name, rest = word(strings.TrimSpace(inner), true)
	}
	if s.name = name; name == "" {
		return s, errors.New("it names no metric")
	}
	if rest != "" {
		if s.labels, err = readMatchers(rest); err != nil {
			return s, err
		}
	}
	timed := s.function == "age" || s.function == "days_left"
	switch isTime := strings.HasSuffix(name, timestamp); {
	case isTime && !timed && s.function != "count":
		return s, fmt.Errorf("%s is a time: say age(%s), in seconds, or days_left(%s)", name, name, name)
	case timed && !isTime:
		return s, fmt.Errorf("%s is no time: %s is for metrics that end in %s", name, s.function, timestamp)
	}
	return s, nil
}

func readMatchers(text string) (labels []label, err error) {
	inner, opened := strings.CutPrefix(text, "{")
	inner, closed := strings.CutSuffix(strings.TrimSpace(inner), "}")
	if !opened || !closed {
		return nil, errors.New("labels stand in braces, {name=value,name=value}")
	}
	for pair := range strings.SplitSeq(inner, ",") {
		name, value, given := strings.Cut(strings.TrimSpace(pair), "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if plain, rest, err := readQuoted(value); err == nil && rest == "" {
			value = plain
		}
		if known, rest := word(name, false); !given || known == "" || rest != "" || value == "" || strings.ContainsAny(value, "\"'=~|") {
			return nil, fmt.Errorf("%.64q is no label: want name=value", pair)
		}
		labels = append(labels, label{name, value})
	}
	slices.SortFunc(labels, func(a, b label) int { return strings.Compare(a.name, b.name) })
	return labels, nil
}

// String writes the selector as PromQL would have it.
func (s selector) String() string {
	text := s.name
	if len(s.labels) > 0 {
		var pairs []string
		for _, l := range s.labels {
			pairs = append(pairs, l.name+`="`+l.value+`"`)
		}
		text += "{" + strings.Join(pairs, ",") + "}"
	}
	if s.function != "" {
		text = s.function + "(" + text + ")"
	}
	return text
}

// figure is the name for performance data: words and dots.
func (s selector) figure() string {
	parts := []string{s.name}
	if s.function != "" {
		parts = []string{s.function, s.name}
	}
	for _, l := range s.labels {
		parts = append(parts, l.value)
	}
	return strings.Join(parts, "_")
}

// unit is the one of performance data.
func (s selector) unit() string {
	switch {
	case s.function == "age":
		return "s"
	case s.function == "count", s.function == "days_left":
		return ""
	case strings.HasSuffix(s.name, "_seconds"), strings.HasSuffix(s.name, "_seconds_total"):
		return "s"
	case strings.HasSuffix(s.name, "_bytes"), strings.HasSuffix(s.name, "_bytes_total"):
		return "B"
	case strings.HasSuffix(s.name, "_total"):
		return "c"
	}
	return ""
}

// matches tells whether a series has the name and all the labels.
func (s selector) matches(series *sample) bool {
	return s.name == series.name && !slices.ContainsFunc(s.labels, func(l label) bool { return series.label(l.name) != l.value })
}

// of computes the value of the series that were found.
func (s selector) of(found []sample, now time.Time) (float64, error) {
	var values []float64
	for _, series := range found {
		if math.IsNaN(series.value) || math.IsInf(series.value, 0) {
			return 0, errors.New("the page has no number for it")
		}
		values = append(values, series.value)
	}
	if function := functions[s.function]; function != nil {
		return function(values, now), nil
	}
	if len(values) > 1 {
		return 0, fmt.Errorf("%d series match: name one by its labels, or say sum(…), min(…) or max(…)", len(values))
	}
	return values[0], nil
}
