// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"math"
	"strings"
)

// figure is one figure as it was read and judged. warning and critical are the ranges in its own unit, as perfdata shows them.
type figure struct {
	label, unit, min  string
	value             float64
	known             bool
	warning, critical string
}

// perfdata writes the figures as label=value[unit];warn;crit;min;max, separated by spaces.
func perfdata(figures []figure) string {
	items := make([]string, len(figures))
	for i, f := range figures {
		value := "U"
		if f.known {
			value = plainNumber(f.value) + f.unit
		}
		item := perfLabel(f.label) + "=" + value + ";" + f.warning + ";" + f.critical + ";" + f.min
		items[i] = strings.TrimRight(item, ";")
	}
	return strings.Join(items, " ")
}

// perfLabel makes a label fit: no equals sign or quote inside, in quotes unless it is one plain word.
func perfLabel(label string) string {
	label = strings.NewReplacer("=", "_", "'", "_").Replace(clean(label))
	plain := func(r rune) bool {
		return r == '_' || r == '-' || r == '.' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z'
	}
	if label != "" && strings.IndexFunc(label, func(r rune) bool { return !plain(r) }) < 0 {
		return label
	}
	return "'" + label + "'"
}

// finite tells whether a number can stand in perfdata.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
