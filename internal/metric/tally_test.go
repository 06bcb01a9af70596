// SPDX-License-Identifier: Apache-2.0

package metric_test

import (
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

func TestATallyIsWhatObserveWouldSay(t *testing.T) {
	tally, observed := metric.NewTally(ages), metric.NewSet(nil)
	for _, v := range []float64{0, 0.5, 1, 1.5, 10, 11} {
		tally.Observe(v)
		observed.ObserveN(ages, v, 2)
	}
	added := metric.NewSet(nil)
	added.AddTally(tally)
	added.AddTally(tally)
	if got, want := added.Text(), observed.Text(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAnEmptyTallyIsAnEmptyHistogram(t *testing.T) {
	added, empty := metric.NewSet(nil), metric.NewSet(nil)
	added.AddTally(metric.NewTally(ages))
	empty.ObserveN(ages, 0, 0)
	if got, want := added.Text(), empty.Text(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
