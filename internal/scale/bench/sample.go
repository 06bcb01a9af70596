// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// sample is what was measured again and again, in seconds or whatever it is of.
type sample []float64

func (s *sample) add(d time.Duration) { *s = append(*s, d.Seconds()) }

// quantile is the value below which a part of the sample lies.
func (s sample) quantile(q float64) float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(s))
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (sorted[high]-sorted[low])*(at-float64(low))
}

func (s sample) median() float64 { return s.quantile(0.5) }

func (s sample) sum() (total float64) {
	for _, v := range s {
		total += v
	}
	return total
}

func (s sample) mean() float64 { return s.sum() / float64(len(s)) }

// spread is the median with its quartiles.
func (s sample) spread() string {
	return fmt.Sprintf("%s (%s … %s)", seconds(s.median()), seconds(s.quantile(0.25)), seconds(s.quantile(0.75)))
}

// over gives the ratio of two samples that were taken in turns: the median of the ratios, turn by turn.
func (s sample) over(base sample) sample {
	var ratios sample
	for i := range min(len(s), len(base)) {
		ratios = append(ratios, s[i]/base[i])
	}
	return ratios
}

// seconds is a duration for people.
func seconds(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case v < 1e-5:
		return fmt.Sprintf("%.2f µs", v*1e6)
	case v < 1e-3:
		return fmt.Sprintf("%.0f µs", v*1e6)
	case v < 0.1:
		return fmt.Sprintf("%.1f ms", v*1e3)
	case v < 1:
		return fmt.Sprintf("%.0f ms", v*1e3)
	}
	return fmt.Sprintf("%.2f s", v)
}

// timed is how long something takes.
func timed(do func() error) (time.Duration, error) {
	began := time.Now()
	err := do()
	return time.Since(began), err
}
