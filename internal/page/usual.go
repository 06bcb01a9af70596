// SPDX-License-Identifier: Apache-2.0

package page

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/probes"
)

// What is judged when nothing is named.
const (
	ejabberdUp    = "ejabberd_up"
	ejabberdInfo  = "ejabberd_info"
	databaseUp    = "ejabberd_database_up"
	listenerUp    = "ejabberd_listener_up"
	certNotAfter  = "ejabberd_certificate_not_after_timestamp_seconds"
	certNotBefore = "ejabberd_certificate_not_before_timestamp_seconds"
	certMatches   = "ejabberd_certificate_matches_file"
	configStale   = "ejabberd_exporter_config_stale"
)

var usualMetrics = []string{ejabberdUp, ejabberdInfo, databaseUp, listenerUp, certNotAfter, certMatches, configStale}

// usual are the figures of what is judged when nothing is named: nil where unknown.
type usual struct {
	up, databaseUp, collectorsFailed, listenersDown *float64
	certificates                                    judged
}

func (c *check) usual() ([]probes.Figure, []probes.Threshold) {
	u := &c.seen
	u.certificates.selector = selector{function: "days_left", name: certNotAfter}
	plain := func(label string, value **float64) probes.Figure {
		return probes.Figure{Label: label, Min: "0", Value: func(*metric.Set) (float64, bool) {
			if *value == nil {
				return 0, false
			}
			return **value, true
		}}
	}
	figures := []probes.Figure{
		plain("up", &u.up), plain("database_up", &u.databaseUp), plain("collectors_failed", &u.collectorsFailed),
		plain("listeners_down", &u.listenersDown), u.certificates.asFigure("cert_days"),
	}
	return figures, []probes.Threshold{
		{Flag: "warning", Figure: "cert_days", State: probes.Warning, Default: "25%:"},
		{Flag: "critical", Figure: "cert_days", State: probes.Critical, Default: "10%:"},
	}
}

// reportUsual judges what every ejabberd has.
func (c *check) reportUsual(out *probes.Report) error {
	if len(c.page.success) == 0 {
		return errNotOurs
	}
	if c.page.old {
		return c.page.trust("", success)
	}
	r := usualReport{c, out, nil}
	r.server()
	r.database()
	r.listeners()
	r.collectors()
	r.certificates()
	out.Summary = strings.Join(r.said, ", ")
	return nil
}

type usualReport struct {
	*check
	out  *probes.Report
	said []string // of what is well, for the summary
}

// well says that something is as it should be.
func (r *usualReport) well(subject, text string) {
	r.out.Note(probes.OK, subject, text)
	r.said = append(r.said, text)
}

// seek finds series. What is off on this server is no trouble, except to the one who asks.
func (r *usualReport) seek(name string) (found []sample, off bool) {
	found, err := r.page.find(selector{name: name})
	_, off = errors.AsType[*offError](err)
	if err != nil && !off {
		r.out.Note(probes.Unknown, name, err.Error())
	}
	r.show(found...)
	return found, off
}

func (r *usualReport) server() {
	found, off := r.seek(ejabberdUp)
	switch {
	case off:
		r.out.Note(probes.Unknown, "", "the exporter watches no ejabberd: ejabberd_exporter --check on its host says what it looked for")
	case len(found) == 0:
	case found[0].value == 0:
		r.seen.up = &found[0].value
		r.out.Note(probes.Critical, "", "ejabberd does not answer its admin API: is it running?")
	default:
		r.seen.up = &found[0].value
		text := "ejabberd is up"
		if info, err := r.page.find(selector{name: ejabberdInfo}); err == nil {
			text = "ejabberd " + info[0].label("version") + " is up"
		}
		r.well("", text)
	}
	if stale, _ := r.page.find(selector{name: configStale}); len(stale) > 0 && stale[0].value == 1 {
		r.out.Note(probes.Warning, "", "ejabberd serves other hosts than the exporter knows of: restart ejabberd_exporter")
	}
}

func (r *usualReport) database() {
	found, _ := r.seek(databaseUp)
	for _, s := range found {
		r.seen.databaseUp = lower(r.seen.databaseUp, s.value)
		if s.value == 0 {
			r.out.Note(probes.Critical, "database "+s.label("database"), "PostgreSQL does not answer: is it running, with connections left?")
		}
	}
	if len(found) > 0 && *r.seen.databaseUp == 1 {
		r.well("", "database answers")
	}
}

func (r *usualReport) listeners() {
	found, _ := r.seek(listenerUp)
	down := 0.0
	for _, s := range found {
		if s.value == 0 {
			down++
			r.out.Note(probes.Critical, "port "+s.label("port")+" "+s.label("family"), "nobody listens there, though ejabberd.yml says so")
		}
	}
	if len(found) > 0 {
		r.seen.listenersDown = &down
		if down == 0 {
			r.well("", fmt.Sprintf("all %d listeners are there", len(found)))
		}
	}
}

func (r *usualReport) collectors() {
	var failed []string
	for _, name := range slices.Sorted(maps.Keys(r.page.success)) {
		if !r.page.success[name] {
			failed = append(failed, name)
		}
	}
	n := float64(len(failed))
	r.seen.collectorsFailed = &n
	if n > 0 {
		r.out.Note(probes.Unknown, "", few("collector", failed)+" failed or late: ejabberd_exporter --check on its host says why")
	}
	if stale := slices.Sorted(maps.Keys(r.page.stale)); len(stale) > 0 {
		r.out.Note(probes.Unknown, "", few("collector", stale)+" without news for three intervals or more: is the exporter overloaded?")
	} else if n == 0 {
		r.well("", fmt.Sprintf("%d collectors work", len(r.page.success)))
	}
}

func (r *usualReport) certificates() {
	c := &r.seen.certificates
	found, err := c.read(r.page)
	if _, off := errors.AsType[*offError](err); off {
		return
	}
	if err != nil {
		r.out.Note(probes.Unknown, "certificates", err.Error())
		return
	}
	r.show(found...)
	r.well("", fmt.Sprintf("certificates are good for %.0f days", math.Floor(c.value)))
	differ, _ := r.page.find(selector{name: certMatches})
	r.show(differ...)
	for _, s := range differ {
		if s.value == 0 {
			r.out.Note(probes.Warning, s.label("name")+" "+s.label("source"), "serves another certificate than lies on disk: ejabberdctl reload_config loads a renewed one")
		}
	}
}

// few names some of many.
func few(what string, names []string) string {
	const most = 6
	if len(names) == 1 {
		return what + " " + names[0]
	}
	text := fmt.Sprintf("%d %ss", len(names), what)
	if len(names) > most {
		return text + " (" + strings.Join(names[:most], ", ") + " …)"
	}
	return text + " (" + strings.Join(names, ", ") + ")"
}

func lower(known *float64, value float64) *float64 {
	if known != nil {
		value = min(*known, value)
	}
	return &value
}
