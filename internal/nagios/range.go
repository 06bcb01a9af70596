// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Range is a threshold in the notation of the Monitoring Plugins guidelines, [@]start:end with both ends included. A figure
// outside it raises the alarm; with @, a figure inside it.
type Range struct {
	Start, End float64 // ±Inf where open
	Inside     bool    // written with @
	Percent    bool    // both ends are percent of a whole, see Of
}

var number = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// ParseRange reads a range strictly: what it does not understand entirely, it refuses.
func ParseRange(text string) (Range, error) {
	r := Range{End: math.Inf(1)}
	rest, inside := strings.CutPrefix(text, "@")
	r.Inside = inside
	start, end, colon := strings.Cut(rest, ":")
	if !colon {
		start, end = "", rest
	}
	if start == "" && end == "" {
		return Range{}, malformed(text)
	}
	plain, percent := false, false
	for _, side := range []struct {
		text string
		into *float64
	}{{start, &r.Start}, {end, &r.End}} {
		if side.text == "" {
			continue
		}
		if side.text == "~" && side.into == &r.Start {
			r.Start = math.Inf(-1)
			continue
		}
		digits, isPercent := strings.CutSuffix(side.text, "%")
		value, err := strconv.ParseFloat(digits, 64)
		if err != nil || !number.MatchString(digits) {
			return Range{}, malformed(text)
		}
		*side.into = value + 0 // no negative zero
		percent, plain = percent || isPercent, plain || !isPercent
	}
	if percent && plain {
		return Range{}, fmt.Errorf("range %q: give both ends in percent or none", text)
	}
	if r.Start > r.End {
		return Range{}, fmt.Errorf("range %q: starts above its end", text)
	}
	r.Percent = percent
	return r, nil
}

func malformed(text string) error {
	return fmt.Errorf("range %q: %w", text, errors.New("want [@]start:end, such as 10, 10:, ~:10, 10:20 or @10:20"))
}

// Alarm tells whether value raises the alarm.
func (r Range) Alarm(value float64) bool { return (r.Start <= value && value <= r.End) == r.Inside }

// Of turns a range in percent into one in the unit of whole; others stay as they are.
func (r Range) Of(whole float64) Range {
	if r.Percent {
		r.Start, r.End, r.Percent = r.Start*whole/100, r.End*whole/100, false
	}
	return r
}

// String writes the range as ParseRange reads it.
func (r Range) String() string { return r.format(plainNumber) }

func (r Range) format(number func(float64) string) string {
	unit, text := "", ""
	if r.Percent {
		unit = "%"
	}
	switch {
	case math.IsInf(r.Start, -1):
		text = "~:"
	case r.Start != 0 || math.IsInf(r.End, 1):
		text = number(r.Start) + unit + ":"
	}
	if !math.IsInf(r.End, 1) {
		text += number(r.End) + unit
	}
	if r.Inside {
		text = "@" + text
	}
	return text
}

// plainNumber writes a number in full precision and without exponent.
func plainNumber(v float64) string { return strconv.FormatFloat(v+0, 'f', -1, 64) }
