// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"math"
	"testing"
)

func TestRange(t *testing.T) {
	for _, c := range []struct {
		text         string
		quiet, alarm []float64
	}{
		{"10", []float64{0, 5, 10}, []float64{-0.001, 10.001, math.Inf(1)}},
		{":10", []float64{0, 10}, []float64{-1, 11}},
		{"10:", []float64{10, 1e300}, []float64{9.999, -10}},
		{"~:10", []float64{-1e300, 10}, []float64{10.001}},
		{"10:20", []float64{10, 15, 20}, []float64{9.99, 20.01}},
		{"@10:20", []float64{9.99, 20.01}, []float64{10, 15, 20}},
		{"@~:10", []float64{10.001}, []float64{-1e300, 10}},
		{"@10:", []float64{9.999}, []float64{10, 1e300}},
		{"-5:5", []float64{-5, 0, 5}, []float64{-5.01, 5.01}},
		{"-20:-10", []float64{-20, -10}, []float64{-9, 0, -21}},
		{"0", []float64{0}, []float64{-0.1, 0.1}},
		{"7:7", []float64{7}, []float64{6.999, 7.001}},
		{"0.0125:1.5", []float64{0.0125, 1.5}, []float64{0.0124, 1.51}},
		{"~:", []float64{-1e300, 0, 1e300}, nil},
		{"@~:", nil, []float64{-1e300, 0, 1e300}},
		{"-0:1", []float64{0, 1}, []float64{-0.1}},
	} {
		r, err := ParseRange(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		for _, v := range c.quiet {
			if r.Alarm(v) {
				t.Errorf("%s: %v raises the alarm", c.text, v)
			}
		}
		for _, v := range c.alarm {
			if !r.Alarm(v) {
				t.Errorf("%s: %v raises no alarm", c.text, v)
			}
		}
	}
}

func TestRangeRefused(t *testing.T) {
	for _, text := range []string{
		"", ":", "@", "@:", "~", "@~", "10:~", "20:10", "-5", "@20:10", "abc", "1,5", "1e3", "+5", "0x10", "1_000", ".5", "5.", "1:2:3",
		" 10", "10 ", "10\n", "inf", "nan", "NaN:", "--5", "@@1", "1@", "~5:", "٣", "%", "10%:20", "10:20%", "%:", "10%%:", "-5%",
	} {
		if r, err := ParseRange(text); err == nil {
			t.Errorf("%q is read as %+v", text, r)
		}
	}
}

func TestPercent(t *testing.T) {
	for text, want := range map[string]string{
		"25%:": "22.5:", "10%": "9", "10%:20%": "9:18", "~:50%": "~:45", "@50%:": "@45:", "20:": "20:", "0%:": "0:", "~:": "~:",
	} {
		r, err := ParseRange(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if r.String() != text {
			t.Errorf("%s: written as %s", text, r)
		}
		if got := r.Of(90).String(); got != want {
			t.Errorf("%s of 90: got %s, want %s", text, got, want)
		}
	}
}

// FuzzRange: what is read can be written and read again, and means the same.
func FuzzRange(f *testing.F) {
	for _, seed := range []string{"10", "10:", "~:10", "@10:20", "-5:5", "25%:", "@~:10", "20:10", "0.1:0.10", "-0", "9999999999999999999999"} {
		f.Add(seed, 7.5)
	}
	f.Fuzz(func(t *testing.T, text string, value float64) {
		r, err := ParseRange(text)
		if err != nil {
			return
		}
		if math.IsNaN(r.Start) || math.IsNaN(r.End) || r.Start > r.End {
			t.Fatalf("%q: odd range %+v", text, r)
		}
		again, err := ParseRange(r.String())
		if err != nil || again != r {
			t.Fatalf("%q is written as %q and read as %+v, %v, want %+v", text, r, again, err, r)
		}
		inside, outside := r, r
		inside.Inside, outside.Inside = true, false
		if !math.IsNaN(value) && inside.Alarm(value) == outside.Alarm(value) {
			t.Fatalf("%q: %v is both inside and outside", text, value)
		}
	})
}
