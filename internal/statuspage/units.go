// SPDX-License-Identifier: Apache-2.0

package statuspage

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

const day = 24 * time.Hour

// thin is the space between groups of digits: unlike point and comma it means the same everywhere.
const thin = "\u202f"

// count is a number of things: 12 345.
func count(n float64) string {
	text := strconv.FormatFloat(math.Round(n), 'f', 0, 64)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + thin + text[i:]
	}
	return text
}

// things is a number with its word: "1 account", "2 accounts".
func things(n float64, one, many string) string {
	if n == 1 {
		return count(n) + " " + one
	}
	return count(n) + " " + many
}

// size is a number of bytes.
func size(n float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	i := 0
	for ; n >= 1023.5 && i < len(units)-1; i++ {
		n /= 1024
	}
	if i > 0 && n < 9.95 {
		return fmt.Sprintf("%.1f %s", n, units[i])
	}
	return fmt.Sprintf("%.0f %s", n, units[i])
}

// span is a length of time in its largest unit; hours up to two days.
func span(d time.Duration) string {
	for _, u := range []struct {
		from, unit time.Duration
		name       string
	}{{2 * day, day, "days"}, {time.Hour, time.Hour, "h"}, {time.Minute, time.Minute, "min"}} {
		if d >= u.from {
			return count(math.Floor(float64(d)/float64(u.unit))) + " " + u.name
		}
	}
	return fmt.Sprintf("%.0f s", max(0, d.Seconds()))
}

// ago is how long before now something was.
func ago(now, then time.Time) string {
	if now.Sub(then) < 1500*time.Millisecond {
		return "now"
	}
	return span(now.Sub(then)) + " ago"
}

// left is how long something still lasts.
func left(d time.Duration) string {
	if d < 0 {
		return "expired " + span(-d) + " ago"
	}
	return span(d)
}

// days is a length of time that is agreed in days.
func days(seconds float64) string { return things(math.Round(seconds/day.Seconds()), "day", "days") }

// stamp is a Unix time.
func stamp(seconds float64) time.Time { return time.Unix(int64(seconds), 0) }
