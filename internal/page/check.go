// SPDX-License-Identifier: Apache-2.0

// Package page judges what stands on the exporter's page: check_ejabberd, the plugin that looks at ejabberd from inside.
//
// What is not known is UNKNOWN and never OK: a metric that is absent, one whose collector failed or fell silent, a page that cannot
// be read.
package page

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/nagios"
	"github.com/chapril/ejabberd_exporter/probes"
)

// check is one run of the plugin.
type check struct {
	source source
	judged []*judged // what -w and -c name, in their order; nothing: the usual things

	page  *view
	seen  usual
	lines []string // that were judged, as the page has them
}

// judged is one figure: a selector, the ranges that it must be in, and what was found.
type judged struct {
	selector
	warning, critical string
	value             float64
	known             bool
	lifetime          float64 // days, of a certificate
}

// Plugin is check_ejabberd.
func Plugin() nagios.Plugin {
	c := &check{}
	return nagios.Plugin{
		Name: "check_ejabberd",
		Help: "Thresholds on what the exporter knows of ejabberd. Without -w and -c: ejabberd and its database answer, every port is listened on, " +
			"certificates are good for a while and are the renewed ones, and the exporter itself sees what it should",
		Calls: []string{
			"",
			`--url http://xmpp.example.org:9334/metrics -c 'ejabberd_accounts{vhost="example.org"}=~:50000'`,
			"-w 'sum(ejabberd_sessions)=1:' -c 'days_left(ejabberd_certificate_not_after_timestamp_seconds)=5:'",
			"-w 'age(ejabberd_offline_oldest_timestamp_seconds{vhost=example.org})=2592000'",
		},
		Trouble: "Whatever cannot be known is UNKNOWN too: a metric that is absent, whose collector failed or fell silent, a page that cannot be read.",
		Ranges: "They follow METRIC=, or METRIC{LABEL=VALUE,…}= where several series have the name. What is to be made of several stands around it: " +
			"sum, min, max, count, age (seconds since the oldest of times) or days_left (until the nearest of times), as in sum(METRIC)=RANGE. " +
			"Days of a certificate may be given in percent of its lifetime, 25%:.",
		Late: probes.Unknown,
		Settings: func(set *probes.Settings) probes.Run {
			c.source.declare(set)
			for _, list := range []*rangeList{{c, probes.Warning}, {c, probes.Critical}} {
				name := strings.ToLower(list.state.String())
				flag := set.Var(list, probes.Local, name, "Metric and range outside which it is "+name)
				flag.Short, flag.List = name[0], true
			}
			return c.run
		},
		Judged:  c.figures,
		Metrics: func() string { return strings.Join(c.lines, "\n") + "\n" },
	}
}

// rangeList fills one of the two ranges of what it names.
type rangeList struct {
	check *check
	state probes.State
}

func (r *rangeList) String() string { return "METRIC=RANGE" }

func (r *rangeList) Set(text string) error {
	at := strings.LastIndexByte(text, '=')
	if at < 0 {
		return fmt.Errorf("%.64q: want METRIC=RANGE, such as ejabberd_accounts{vhost=example.org}=~:50000", text)
	}
	limit, err := nagios.ParseRange(text[at+1:])
	if err != nil {
		return err
	}
	s, err := readSelector(text[:at])
	if err != nil {
		return err
	}
	if limit.Percent && (s.function != "days_left" || s.name != certNotAfter) {
		return errors.New("percent is of the lifetime of certificates, days_left(" + certNotAfter + ")=25%: as an example")
	}
	j, err := r.check.find(s)
	if err != nil {
		return err
	}
	into := &j.warning
	if r.state == probes.Critical {
		into = &j.critical
	}
	if *into != "" {
		return fmt.Errorf("%s is given twice", s)
	}
	*into = text[at+1:]
	return nil
}

// find finds the figure of a selector, or adds it.
func (c *check) find(s selector) (*judged, error) {
	for _, j := range c.judged {
		switch {
		case j.String() == s.String():
			return j, nil
		case j.figure() == s.figure():
			return nil, fmt.Errorf("%s and %s would have the same name in performance data", j.selector, s)
		}
	}
	j := &judged{selector: s}
	c.judged = append(c.judged, j)
	return j, nil
}

// figures are what is judged.
func (c *check) figures() (figures []probes.Figure, thresholds []probes.Threshold) {
	if len(c.judged) == 0 {
		return c.usual()
	}
	for _, j := range c.judged {
		figures = append(figures, j.asFigure(j.figure()))
		for state, limit := range map[probes.State]string{probes.Warning: j.warning, probes.Critical: j.critical} {
			if limit != "" {
				thresholds = append(thresholds, probes.Threshold{Flag: strings.ToLower(state.String()), Figure: j.figure(), State: state, Default: limit})
			}
		}
	}
	return figures, thresholds
}

// asFigure lets performance data read what was found. What a range in percent is of is known for certificates alone.
func (j *judged) asFigure(label string) probes.Figure {
	f := probes.Figure{Label: label, Unit: j.unit(), Value: func(*metric.Set) (float64, bool) { return j.value, j.known }}
	if j.function == "days_left" && j.name == certNotAfter {
		f.Whole = func(*metric.Set) (float64, bool) { return j.lifetime, j.lifetime > 0 }
	}
	return f
}

// read finds the value of a figure on the page.
func (j *judged) read(page *view) (found []sample, err error) {
	if found, err = page.find(j.selector); err != nil {
		return nil, err
	}
	if j.value, err = j.of(found, page.now); err != nil {
		return nil, err
	}
	j.known, j.lifetime = true, page.lifetime(found)
	return found, nil
}

func (c *check) run(ctx context.Context, _ probes.Target, out *probes.Report) error {
	if err := c.look(ctx); err != nil {
		return err
	}
	if len(c.judged) == 0 {
		return c.reportUsual(out)
	}
	var said []string
	for _, j := range c.judged {
		found, err := j.read(c.page)
		if err != nil {
			out.Note(probes.Unknown, j.String(), err.Error())
			continue
		}
		c.show(found...)
		text := strings.TrimSpace(strconv.FormatFloat(math.Round(j.value*1000)/1000, 'f', -1, 64) + " " + j.unit())
		out.Note(probes.OK, j.String(), text)
		said = append(said, strings.ReplaceAll(j.figure(), "_", " ")+" "+text)
	}
	out.Summary = strings.Join(said, ", ")
	return nil
}

// show keeps the lines of series for --output prometheus.
func (c *check) show(series ...sample) {
	for _, s := range series {
		c.lines = append(c.lines, s.text)
	}
}

// look reads the page. Looking makes the exporter count anew what is old, so that a second look a moment later may see better.
func (c *check) look(ctx context.Context) error {
	wanted := map[string]bool{success: true, lastSuccess: true, refreshInterval: true, certNotBefore: true}
	for _, name := range usualMetrics {
		wanted[name] = true
	}
	for _, j := range c.judged {
		wanted[j.name] = true
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for looks := 1; ; looks++ {
		series, err := c.source.read(ctx, wanted)
		if err != nil {
			return err
		}
		c.page = newView(series, c.source.maxAge)
		if len(c.page.stale) == 0 || c.source.file != "" || looks == 3 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}
