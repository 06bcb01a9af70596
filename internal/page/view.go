// SPDX-License-Identifier: Apache-2.0

package page

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// What the exporter says of its collectors.
const (
	success         = "ejabberd_exporter_collector_success"
	lastSuccess     = "ejabberd_exporter_collector_last_success_timestamp_seconds"
	refreshInterval = "ejabberd_exporter_collector_refresh_interval_seconds"
)

// view is a page that was read.
type view struct {
	series []sample
	now    time.Time

	success map[string]bool          // by collector; nothing of those that are off
	stale   map[string]time.Duration // collectors that work and last succeeded too long ago, and when
	old     bool                     // that is all of them: the page itself is old
}

var errNotOurs = errors.New("there is nothing of ejabberd_exporter on the page: is it the right address?")

// newView finds out which collectors can be trusted. Those without an interval are read at each scrape.
func newView(series []sample, maxAge time.Duration) *view {
	v := &view{series: series, now: time.Now(), success: map[string]bool{}, stale: map[string]time.Duration{}}
	limits, ages := map[string]time.Duration{}, map[string]time.Duration{}
	for _, s := range series {
		name, value := s.label("collector"), time.Duration(s.value*float64(time.Second))
		switch s.name {
		case success:
			v.success[name] = s.value == 1
		case refreshInterval:
			limits[name] = 3 * value
		case lastSuccess:
			ages[name] = v.now.Sub(time.Unix(0, int64(value)))
		}
	}
	maps.DeleteFunc(ages, func(name string, _ time.Duration) bool { return !v.success[name] }) // who fails says nothing about the page
	for name, age := range ages {
		limit, refreshed := limits[name]
		if !refreshed {
			limit = maxAge
		}
		if age > limit {
			v.stale[name] = age
		}
	}
	v.old = len(ages) > 0 && len(ages) == len(v.stale)
	return v
}

// find finds the series of a selector, at least one, all of which can be trusted.
func (v *view) find(s selector) ([]sample, error) {
	owner := collectorOf[s.name]
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if of, is := strings.CutSuffix(s.name, suffix); is && owner == "" {
			owner = collectorOf[of]
		}
	}
	if err := v.trust(owner, s.name); err != nil {
		return nil, err
	}
	var found, others []sample
	for _, series := range v.series {
		switch {
		case s.matches(&series):
			found = append(found, series)
		case series.name == s.name:
			others = append(others, series)
		}
	}
	switch {
	case len(found) > 0:
		return found, nil
	case len(others) > 0:
		return nil, fmt.Errorf("no series has these labels; there is %s", labelsOf(others))
	case owner == "":
		return nil, errors.New("the page has no such metric: docs/metrics.md lists them")
	}
	return nil, fmt.Errorf("the page does not have it, though collector %s works: this server does not tell", owner)
}

// trust tells why a metric cannot be believed. owner is the collector that counts it; the exporter's own metrics and those of others
// have none.
func (v *view) trust(owner, name string) error {
	foreign := !strings.HasPrefix(name, "ejabberd_")
	switch works, on := v.success[owner]; {
	case foreign:
		return nil
	case len(v.success) == 0:
		return errNotOurs
	case owner == "" && !strings.HasPrefix(name, "ejabberd_exporter_"):
		return errors.New("this check_ejabberd knows no such metric: see docs/metrics.md, and install the release that the exporter has")
	case v.old:
		return fmt.Errorf("the page is old: no collector succeeded for %s; does the exporter still run?", youngest(v.stale))
	case owner == "":
		return nil
	case !on:
		return &offError{owner}
	case !works && !evenFailed[name]:
		return fmt.Errorf("collector %s failed or was late: ejabberd_exporter --check on its host says why", owner)
	case works && v.stale[owner] > 0:
		return fmt.Errorf("collector %s last succeeded %s ago, more than three times its interval: is the exporter overloaded?", owner, v.stale[owner].Round(time.Second))
	}
	return nil
}

// offError: a collector is off.
type offError struct{ collector string }

func (e *offError) Error() string {
	return "collector " + e.collector + " is off: this server does not have what it counts, or a flag of the exporter says so"
}

func youngest(stale map[string]time.Duration) time.Duration {
	return slices.Min(slices.Collect(maps.Values(stale))).Round(time.Second)
}

// labelsOf writes the labels of a few series.
func labelsOf(series []sample) string {
	var texts []string
	for _, s := range series {
		if len(texts) == 5 {
			texts = append(texts, "…")
			break
		}
		labels := slices.Clone(s.labels)
		slices.SortFunc(labels, func(a, b label) int { return strings.Compare(a.name, b.name) })
		texts = append(texts, strings.TrimPrefix(selector{labels: labels}.String(), " "))
	}
	return strings.Join(texts, " ")
}

// lifetime is for how many days in all the certificate is good that expires first.
func (v *view) lifetime(found []sample) (days float64) {
	first := slices.MinFunc(found, func(a, b sample) int {
		switch {
		case a.value < b.value:
			return -1
		case a.value > b.value:
			return 1
		}
		return 0
	})
	if first.name != certNotAfter {
		return 0
	}
	for _, s := range v.series {
		if s.name == certNotBefore && slices.Equal(s.labels, first.labels) {
			days = (first.value - s.value) / 86400
		}
	}
	return days
}
