// SPDX-License-Identifier: Apache-2.0

package collector_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/events"
	"github.com/chapril/ejabberd_exporter/internal/logfile"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

type eventsAre struct {
	counts events.Counts
	err    error
}

func (e eventsAre) Counts() (events.Counts, error) { return e.counts, e.err }

type logSays struct {
	counts logfile.Counts
	err    error
}

func (l logSays) Counts() (logfile.Counts, error) { return l.counts, l.err }

// TestWhatIsWatchedIsOffOrFails: what this server or this process does not have is off, what ought to work fails.
func TestWhatIsWatchedIsOffOrFails(t *testing.T) {
	broken, blocked := errors.New("broken"), errors.New("blocked")
	for name, c := range map[string]struct {
		definition collector.Definition
		sources    collector.Sources
		off        bool
		says       string
	}{
		"no mod_metrics":    {collector.Events, collector.Sources{}, true, "mod_metrics"},
		"events unknown":    {collector.Events, collector.Sources{Blocked: blocked}, false, "blocked"},
		"events, once":      {collector.Events, collector.Sources{Events: eventsAre{err: events.ErrIdle}}, true, "keeps running"},
		"events, taken":     {collector.Events, collector.Sources{Events: eventsAre{err: broken}}, false, "broken"},
		"no ejabberd":       {collector.Log, collector.Sources{}, true, "--ejabberd.log"},
		"log unknown":       {collector.Log, collector.Sources{Blocked: blocked}, false, "blocked"},
		"log, once":         {collector.Log, collector.Sources{Log: logSays{err: logfile.ErrIdle}}, true, "keeps running"},
		"log not readable":  {collector.Log, collector.Sources{Log: logSays{err: logfile.ErrUnreadable}}, true, "SupplementaryGroups=adm"},
		"log not there":     {collector.Log, collector.Sources{Log: logSays{err: logfile.ErrMissing}}, true, "--ejabberd.log"},
		"log can't be read": {collector.Log, collector.Sources{Log: logSays{err: broken}}, false, "broken"},
	} {
		set := metric.NewSet(nil)
		err := c.definition.Collect(t.Context(), &c.sources, set)
		if err == nil || collector.IsOff(err) != c.off || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want off %v, and a text with %q", name, err, c.off, c.says)
		}
		if got := set.Text(); got != "" {
			t.Errorf("%s: unknown must be absent: %s", name, got)
		}
	}
}

// TestVhostsWithoutSeriesOfTheirOwnAreAddedUp, as everywhere.
func TestVhostsWithoutSeriesOfTheirOwnAreAddedUp(t *testing.T) {
	counts := events.Counts{Vhosts: map[string][9]uint64{"a.test": {events.Login: 1}, "b.test": {events.Login: 2}, "c.test": {events.Login: 4}}}
	bounds := metric.Bounds{}
	bounds.Bind("vhost", 1, "a.test", "b.test", "c.test")
	set := metric.NewSet(bounds)
	if err := collector.Events.Collect(t.Context(), &collector.Sources{Events: eventsAre{counts: counts}}, set); err != nil {
		t.Fatal(err)
	}
	want := "ejabberd_logins_total{vhost=\"a.test\"} 1\nejabberd_logins_total{vhost=\"other\"} 6\n"
	if got := set.Text(); !strings.Contains(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
