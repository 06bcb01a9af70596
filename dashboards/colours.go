// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// Colours of states mean the same on every board, and belong to states alone.
const (
	good = "green"
	warn = "orange"
	bad  = "red"
	calm = "blue" // a number that is neither good nor bad
)

// palette gives what is drawn on several boards the same colour on each: by the label that has the words as its values.
var palette = map[string]map[string]string{
	"family":    {"ip4": "blue", "ip6": "purple"},
	"direction": {"in": "semi-dark-blue", "out": "dark-yellow"},
	"level": {
		"soft": warn, "hard": bad,
		"info": "light-blue", "notice": "blue", "warning": warn, "error": bad, "critical": "dark-red", "alert": "dark-red", "emergency": "dark-red",
	},
	"": {"limit": bad, "failed": bad, "without an address": bad, "expected": good}, // legends that are words themselves
}

var inLegend = regexp.MustCompile(`\{\{ *(\w+) *\}\}`)

// overrides colour the series of a panel by the palette.
func overrides(queries []query) []dashboard.DashboardFieldConfigSourceOverrides {
	labels := map[string]bool{}
	for _, q := range queries {
		for _, m := range inLegend.FindAllStringSubmatch(q.legend, -1) {
			labels[m[1]] = true
		}
		word, _, _ := strings.Cut(q.legend, " {{") // "limit {{vhost}}" as well
		if _, ok := palette[""][word]; ok {
			labels[""] = true
		}
	}
	if labels["direction"] { // one colour for a series: the family's is the better known
		labels["direction"] = !labels["family"]
	}
	all := []dashboard.DashboardFieldConfigSourceOverrides{} // not null: Grafana wants a list
	for _, label := range slices.Sorted(maps.Keys(palette)) {
		if !labels[label] {
			continue
		}
		for _, word := range slices.Sorted(maps.Keys(palette[label])) {
			all = append(all, dashboard.DashboardFieldConfigSourceOverrides{
				Matcher: dashboard.MatcherConfig{Id: "byRegexp", Options: `/(^|[^\w-])` + word + `($|[^\w-])/`},
				Properties: []dashboard.DynamicConfigValue{{
					Id: "color", Value: map[string]string{"mode": "fixed", "fixedColor": palette[label][word]},
				}},
			})
		}
	}
	return all
}

// limits are from where on a number has which colour.
type limits []dashboard.Threshold

// above is good below the first number and bad from the second on.
func above(warning, critical float64) limits {
	return limits{{Color: good}, {Value: &warning, Color: warn}, {Value: &critical, Color: bad}}
}

// below is bad below the second number and good from the first on.
func below(warning, critical float64) limits {
	return limits{{Color: bad}, {Value: &critical, Color: warn}, {Value: &warning, Color: good}}
}

// atMost is good up to a number and worth a look from there on: nothing is broken yet.
func atMost(warning float64) limits { return limits{{Color: good}, {Value: &warning, Color: warn}} }

// atLeast is worth a look below a number.
func atLeast(enough float64) limits { return limits{{Color: warn}, {Value: &enough, Color: good}} }

// noneIsGood is bad as soon as there is one.
func noneIsGood() limits {
	one := 1.0
	return limits{{Color: good}, {Value: &one, Color: bad}}
}

// neutral numbers are neither good nor bad.
func neutral() limits { return limits{{Color: calm}} }

// state is what a value is called, and its colour.
type state struct{ value, text, colour string }

// states names values.
func states(all ...state) []dashboard.ValueMapping {
	options := map[string]dashboard.ValueMappingResult{}
	for _, s := range all {
		options[s.value] = dashboard.ValueMappingResult{Text: &s.text, Color: &s.colour}
	}
	return []dashboard.ValueMapping{{ValueMap: &dashboard.ValueMap{Type: dashboard.MappingTypeValueToText, Options: options}}}
}

// wellOr is 1 while all is well.
func wellOr(well, not string) []dashboard.ValueMapping {
	return states(state{"1", well, good}, state{"0", not, bad})
}

func sentence(s string) string {
	if s == "" || strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}
