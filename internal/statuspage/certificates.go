// SPDX-License-Identifier: Apache-2.0

package statuspage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// certificate are the names and places that share the two dates of a certificate: one certificate, most often.
type certificate struct {
	Names, Where []string
	Left         string
	Until        string
	Share        float64 // of its life that is left, percent
	Level        level
	Word         string

	after time.Time
}

// The shares of a certificate's life at which it should have been renewed, and below which that is urgent: the same as the
// probes'. A fixed number of days would alarm on every healthy certificate of 45 days.
const (
	renewShare  = 25
	urgentShare = 10
)

var places = map[string]string{"file": "file", "c2s": "clients", "c2s_tls": "clients (TLS)", "s2s": "servers", "https": "HTTPS"}

// certificates tells what expires when.
func (b *builder) certificates() []certificate {
	found := map[[2]float64]*certificate{}
	add := func(since, until float64, name, where string) {
		c := found[[2]float64{since, until}]
		if c == nil {
			c = &certificate{after: stamp(until), Left: left(stamp(until).Sub(b.Now)), Until: stamp(until).UTC().Format("2006-01-02")}
			if until > since {
				c.Share = min(100, max(0, 100*(until-float64(b.Now.Unix()))/(until-since)))
			}
			found[[2]float64{since, until}] = c
		}
		c.Names, c.Where = with(c.Names, name), with(c.Where, where)
	}
	for _, s := range b.pick("ejabberd_certificate_not_after_timestamp_seconds") {
		since, _ := b.sum("ejabberd_certificate_not_before_timestamp_seconds", s.Labels...)
		add(since, s.Value, s.Labels[1], places[s.Labels[0]])
	}
	for _, sight := range b.Sights {
		if sight.Report == nil {
			continue
		}
		all := sight.Report.Set.All()
		for _, s := range all {
			if s.Metric.Name != "probe_xmpp_certificate_not_after_timestamp_seconds" {
				continue
			}
			i := slices.IndexFunc(all, func(other *sample) bool {
				return other.Metric.Name == "probe_xmpp_certificate_not_before_timestamp_seconds" && slices.Equal(other.Labels, s.Labels)
			})
			if i >= 0 {
				add(all[i].Value, s.Value, sight.Target, "seen from outside")
			}
		}
	}
	var certificates []certificate
	for _, c := range found {
		slices.Sort(c.Names)
		certificates = append(certificates, *c)
	}
	slices.SortFunc(certificates, func(x, y certificate) int {
		return cmp.Or(x.after.Compare(y.after), slices.Compare(x.Names, y.Names))
	})
	for i := range certificates {
		b.judge(&certificates[i])
	}
	b.renewed()
	return certificates
}

// judge says how urgent a renewal is.
func (b *builder) judge(c *certificate) {
	name := c.Names[0]
	if len(c.Names) > 1 {
		name = fmt.Sprintf("%s and %d more", name, len(c.Names)-1)
	}
	c.Level, c.Word = good, "good"
	switch {
	case c.Share == 0:
		c.Level, c.Word = bad, "expired"
		b.need(bad, "certificates", "The certificate of "+name+" has expired.", "Renew it, then: `ejabberdctl reload_config`")
	case c.Share < urgentShare:
		c.Level, c.Word = bad, "about to expire"
		b.need(bad, "certificates", "The certificate of "+name+" is good for "+c.Left+" only.", "Renew it now and see why that did not happen by itself.")
	case c.Share < renewShare:
		c.Level, c.Word = warn, "due for renewal"
		b.need(warn, "certificates", "The certificate of "+name+" is good for "+c.Left+".", "See whether it is renewed by itself: less than a quarter of its life is left.")
	}
}

// renewed looks for certificates that are newer on disk than on the ports.
func (b *builder) renewed() {
	var names []string
	for _, s := range b.pick("ejabberd_certificate_matches_file") {
		if s.Value == 0 {
			names = with(names, s.Labels[1])
		}
	}
	if len(names) > 0 {
		b.need(warn, "certificates", "Renewed on disk, but ejabberd still serves the old certificate: "+strings.Join(names, ", ")+".", "Let ejabberd read it: `ejabberdctl reload_config`")
	}
}

func with(list []string, value string) []string {
	if slices.Contains(list, value) {
		return list
	}
	return append(list, value)
}
