// SPDX-License-Identifier: Apache-2.0

package metric_test

import (
	"math"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var (
	sessions = &metric.Metric{Name: "sessions", Labels: []metric.Label{metric.Vhost, metric.OneOf("family", "ip4", "ip6")}}
	oldest   = &metric.Metric{Name: "oldest", Fold: metric.Min, Labels: []metric.Label{metric.Vhost}}
	newest   = &metric.Metric{Name: "newest", Fold: metric.Max, Labels: []metric.Label{metric.Vhost}}
	version  = &metric.Metric{Name: "version", Labels: []metric.Label{metric.Like("version", `[0-9.]+`)}}
	ages     = &metric.Metric{Name: "ages", Kind: metric.Histogram, Buckets: []float64{1, 10}}
	up       = &metric.Metric{Name: "up", OnFailure: true}
)

func bounds() metric.Bounds {
	b := metric.Bounds{}
	b.Bind("vhost", 2, "a.example", "b.example", "c.example", "d.example")
	return b
}

func TestOnlyClosedAndBoundValuesAreShown(t *testing.T) {
	s := metric.NewSet(bounds())
	s.Add(sessions, 1, "a.example", "ip4")
	s.Add(sessions, 2, "a.example", "192.0.2.7") // an address where a family belongs
	s.Add(sessions, 3, "alice@a.example", "ip4") // an account where a vhost belongs
	s.Add(sessions, 4, metric.Shared, "ip6")
	s.Add(version, 5, "23.01")
	s.Add(version, 6, "23.01 alice@a.example")
	want := `sessions{vhost="a.example",family="ip4"} 1
sessions{vhost="a.example",family="other"} 2
sessions{vhost="shared",family="ip6"} 4
version{version="23.01"} 5
version{version="other"} 6
`
	if got := s.Text(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if !s.UnknownVhost() {
		t.Error("an unknown vhost went unnoticed")
	}
}

func TestVhostsBeyondTheLimitAreFolded(t *testing.T) {
	s := metric.NewSet(bounds())
	for i, vhost := range []string{"a.example", "b.example", "c.example", "d.example"} {
		s.Add(sessions, float64(i+1), vhost, "ip4")
		s.Add(oldest, float64(100+i), vhost)
		s.Add(newest, float64(100+i), vhost)
	}
	for _, c := range []struct {
		m      *metric.Metric
		labels []string
		want   float64
	}{
		{sessions, []string{"b.example", "ip4"}, 2},
		{sessions, []string{"other", "ip4"}, 7},
		{oldest, []string{"other"}, 102},
		{newest, []string{"other"}, 103},
	} {
		if got, ok := s.Get(c.m, c.labels...); !ok || got != c.want {
			t.Errorf("%s%v = %v, %v, want %v", c.m.Name, c.labels, got, ok, c.want)
		}
	}
	if s.UnknownVhost() {
		t.Error("a folded vhost is no unknown one")
	}
}

func TestUnknownIsAbsent(t *testing.T) {
	s := metric.NewSet(nil)
	s.Add(up, math.NaN())
	if got := s.Text(); got != "" {
		t.Errorf("NaN became %q", got)
	}
}

func TestHistogramCountsInclusiveUpperBounds(t *testing.T) {
	s := metric.NewSet(nil)
	s.ObserveN(ages, 0, 0)
	if got, want := s.Text(), "ages_bucket{le=\"1\"} 0\nages_bucket{le=\"10\"} 0\nages_bucket{le=\"+Inf\"} 0\nages_sum 0\nages_count 0\n"; got != want {
		t.Errorf("empty: got %q, want %q", got, want)
	}
	for _, v := range []float64{0.5, 1, 1.5, 10, 11} {
		s.Observe(ages, v)
	}
	want := "ages_bucket{le=\"1\"} 2\nages_bucket{le=\"10\"} 4\nages_bucket{le=\"+Inf\"} 5\nages_sum 24\nages_count 5\n"
	if got := s.Text(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestOnFailureKeepsOnlyWhatIsDeclaredSo(t *testing.T) {
	s := metric.NewSet(nil)
	s.Add(up, 0)
	s.Add(version, 1, "23.01")
	if got := s.OnFailure().Text(); got != "up 0\n" {
		t.Errorf("got %q", got)
	}
}

func TestWrongNumberOfLabelsPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	metric.NewSet(nil).Add(sessions, 1, "a.example")
}
