// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
)

func quietDay() story {
	many := func(s *series, _ moment, usual float64) float64 {
		if s.is("ejabberd_accounts_created", "window=30d", "vhost=example.org") {
			return 3600
		}
		return usual
	}
	return story{name: "a quiet day", change: many, expect: func(d *seen) {
		foreigners(d)
		for domain, limit := range map[string]float64{"example.org": 50, "example.net": 20} {
			d.only(limit, "the limit of "+domain, d.line("abuse", "New accounts within an hour", "limit "+domain), 0, 24)
		}
		d.only(97, "the limit of a server with two databases", d.line("storage", "Connections", "limit"), 0, 24)
		for _, hourly := range []line{
			d.line("overview", "Duration of probes", "upload"), d.line("probes", "Messages, files, pings", "download"),
		} {
			if n := len(d.during(hourly, 0, 24)); n != steps {
				d.Errorf("an hourly probe is seen at %d of %d steps: %v", n, steps, hourly.labels)
			}
		}
		for _, hour := range []float64{4, 12, 20} {
			if n := d.number("overview", "Failing probes", hour); n != 0 {
				d.Errorf("%v probes fail", n)
			}
			for what, share := range d.at("overview", "What runs out", hour) {
				for _, value := range share.values {
					if value >= 0.8 {
						d.Errorf("%s runs out on a quiet day: %v", what, value)
					}
				}
			}
			if days := d.number("overview", "Days to expiry", hour); days < 21 {
				d.Errorf("a certificate has %v days", days)
			}
		}
		for _, title := range []string{"Endpoints, as users reach them", "Ports, as ejabberd opens them"} {
			for name, l := range d.panel("overview", title) {
				d.only(1, name, l, 0, 24)
			}
		}
		if failures := d.panel("probes", "What fails, and why"); len(failures) > 0 {
			d.Errorf("something fails: %v", failures)
		}
		if old := matching(d.panel("probes", "Versions of TLS"), "accepted"); len(old) != 2 {
			d.Errorf("TLS 1.1 is accepted by two domains, the board shows %v", old)
		}
		sessions := d.line("overview", "Sessions", "example.org")
		if night, afternoon := d.most(sessions, 3, 5), d.least(sessions, 15, 17); afternoon < 1.5*night {
			d.Errorf("%v sessions at night, %v in the afternoon: the day has no shape", night, afternoon)
		}
	}}
}

// steps are how many there are in a day.
const steps = 144

// foreigners looks that nothing is said of jobs that are in the same Prometheus and have nothing to do with ejabberd.
func foreigners(d *seen) {
	d.Helper()
	if n := d.number("exporter", "Exporters that do not answer", 12); n != 0 {
		d.Errorf("%v exporters do not answer: those of somebody else", n)
	}
	for _, title := range []string{"Processor time", "Memory"} {
		for name := range d.panel("exporter", title) {
			if strings.HasSuffix(name, ":9100") {
				d.Errorf("%s: %s is none of ours", title, name)
			}
		}
	}
	for name, l := range d.panel("overview", "Duration of probes") {
		if slowest := d.most(l, 0, 24); slowest >= 1 {
			d.Errorf("%q takes %v s: a probe of somebody else", name, slowest)
		}
	}
	if got := d.labelValues(d.T, probedHosts, d.wholeDay()); !slices.Equal(got, slices.Sorted(slices.Values(world["vhost"]))) {
		d.Errorf("$vhost offers %v", got)
	}
}
