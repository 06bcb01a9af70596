// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
)

// From 10 to 12 o'clock 400 robots register in example.org, and none comes back.
func registrationWave() story {
	robots := func(m moment) float64 { return 400 * min(max(m.hours()-10, 0), 2) / 2 }
	lately := func(m moment, hours float64) float64 {
		then := m
		then.of -= hourly(hours)
		return robots(m) - robots(then)
	}
	return story{
		name: "a registration wave",
		change: func(s *series, m moment, usual float64) float64 {
			if s.labels["vhost"] != "example.org" {
				return usual
			}
			switch {
			case s.is("ejabberd_accounts"), s.is("ejabberd_accounts_never_logged_in"), s.is("ejabberd_account_registrations_total"):
				return usual + robots(m)
			case s.is("ejabberd_accounts_created", "window=1h"):
				return usual + lately(m, 1)
			case s.is("ejabberd_accounts_created_unused", "window=1h"):
				return lately(m, 1)
			case s.Name == "ejabberd_accounts_created", s.Name == "ejabberd_accounts_created_unused":
				return usual + robots(m)
			case s.is("ejabberd_accounts_created_name_entropy_ratio", "window=1h") && lately(m, 1) > 20:
				return 0.1
			}
			return usual
		},
		expect: func(d *seen) {
			for _, board := range []string{"overview", "accounts"} {
				created := d.line(board, "New accounts within an hour", "example.org")
				if peak, before, after := d.most(created, 10, 13), d.most(created, 0, 10), d.most(created, 13.5, 24); peak < 20*before || peak < 20*after {
					d.Errorf("%s: no peak: %v before, %v in the wave, %v after", board, before, peak, after)
				}
				if other := d.most(d.line(board, "New accounts within an hour", "example.net"), 0, 24); other > 5 {
					d.Errorf("%s: the wave is seen in the other domain too: %v", board, other)
				}
			}
			registered := d.line("accounts", "Registrations and removals", "registered")
			if in, out := d.least(registered, 10.5, 11.5), d.most(registered, 13, 24); in < out+150 {
				d.Errorf("%v registrations per hour in the wave, %v after it", in, out)
			}
			never := d.line("accounts", "Accounts that never logged in", "example.org")
			if before, after := d.most(never, 0, 10), d.least(never, 13, 24); after < 2*before {
				d.Errorf("%v of the accounts never logged in, before %v", after, before)
			}
			if gone := d.least(d.line("abuse", "Never came back", "1h"), 11, 12); gone < 0.9 {
				d.Errorf("%v of the robots never came back", gone)
			}
			alike := d.panel("abuse", "How unlike names are")
			if hour, month := d.most(alike["1h"], 11, 12), d.least(alike["30d"], 11, 12); hour > month/2 {
				d.Errorf("names are as unlike in the wave (%v) as in the month (%v)", hour, month)
			}
			perDay := d.panel("accounts", "New accounts per day")
			if today, mean := d.least(perDay["last day"], 13, 24), d.most(perDay["mean of 30 days"], 13, 24); today < 20*mean {
				d.Errorf("%v new within a day, %v in the mean of 30", today, mean)
			}
		},
	}
}

// From noon on people fill their quota, and files of two weeks' age are deleted. The disk of one node fills, that of the other has room,
// and on the full one PostgreSQL lets few in. From 20 to 22 o'clock an upload fails.
func quotaSqueeze() story {
	squeeze := func(m moment) float64 { return max(m.hours()-12, 0) / 12 }
	return story{
		name: "a quota squeeze",
		change: func(s *series, m moment, usual float64) float64 {
			switch {
			case s.is("ejabberd_upload_accounts_near_quota", "level=hard"):
				return usual + 60*squeeze(m)
			case s.is("ejabberd_upload_accounts_over_quota", "level=hard"):
				return usual + 25*squeeze(m)
			case s.is("ejabberd_upload_filesystem_avail_bytes", "instance="+secondNode), s.is("ejabberd_upload_filesystem_inodes_free", "instance="+secondNode):
				return usual * (1 - 0.95*squeeze(m))
			case s.is("ejabberd_database_connection_limit", "instance="+secondNode) && m.hours() >= 12:
				return 25
			case s.is("ejabberd_database_connections", "database=rooms", "role=ejabberd") && m.hours() >= 12:
				return 13
			case s.is("ejabberd_database_connections", "database=ejabberd", "role=ejabberd") && m.hours() >= 12:
				return 22
			case s.is("probe_success", "module=upload") && m.hours() >= 20 && m.hours() < 22:
				return 0
			case s.is("probe_xmpp_failure_info", "module=upload", "phase=connect", "reason=timeout") && m.hours() >= 20 && m.hours() < 22:
				return 1
			case s.is("ejabberd_upload_removed_bytes_total", "reason=quota"):
				return usual + 2e9*squeeze(m)
			case s.is("ejabberd_upload_evicted_age_seconds") && s.bucket >= 30*86400:
				return usual + 500*squeeze(m)
			}
			return usual
		},
		expect: func(d *seen) {
			if before, after := d.number("overview", "Accounts losing files", 11), d.number("overview", "Accounts losing files", 23.9); after < 10*before {
				d.Errorf("%v accounts lose files, before %v", after, before)
			}
			if used := d.number("overview", "Disk of the uploads", 23.9); used < 0.9 {
				d.Errorf("the disk is %v full", used)
			}
			if left := d.number("uploads", "Space left", 23.9); left > 10e9 {
				d.Errorf("%v bytes are left: that is the other disk", left)
			}
			for title, used := range d.at("overview", "What runs out", 23.9) {
				for _, value := range used.values {
					if value < 0.9 && slices.Contains([]string{"Inodes of the uploads", "Connections to the database"}, title) {
						d.Errorf("%s: %v is used, on the other node", title, value)
					}
				}
			}
			if lacking := d.number("storage", "Connections that ejabberd lacks", 13); lacking != 7 {
				d.Errorf("%v connections are missing, want 7: what one database has too many is none for the other", lacking)
			}
			anHourlyProbe(d)
			worst, name := 0.0, ""
			for what, share := range d.at("overview", "What runs out", 23.9) {
				for _, value := range share.values {
					if value > worst {
						worst, name = value, what
					}
				}
			}
			if name != "Disk of the uploads" {
				d.Errorf("what runs out first is said to be: %s, %v", name, worst)
			}
			deleted := d.line("uploads", "Uploaded and deleted", "deleted: quota")
			d.only(0, "what the quota deleted in the morning", deleted, 1, 12)
			if least := d.least(deleted, 13, 24); least <= 0 {
				d.Errorf("the quota deletes %v in the afternoon", least)
			}
			if n := len(d.during(deleted, 1, 24)); n != steps-6 {
				d.Errorf("what was deleted is drawn at %d of %d steps", n, steps-6)
			}
			ages := d.panel("uploads", "How old files were that the quota deleted")
			if n := len(d.during(ages["median age"], 14, 24)); n != steps-6*14 {
				d.Errorf("the age of what was deleted is drawn at %d of %d steps", n, steps-6*14)
			}
			if age, promised := d.most(ages["median age"], 13, 24), d.least(ages["limit"], 13, 24); age > promised/10 {
				d.Errorf("files were %v s old, %v were promised: no alarm in that", age, promised)
			}
			near := d.line("uploads", "Accounts near and over the quota", "near")
			if before, after := d.most(near, 0, 12), d.most(near, 20, 24); after < 5*before {
				d.Errorf("%v accounts near the quota, before %v", after, before)
			}
		},
	}
}

// anHourlyProbe looks that it is seen in the 55 minutes after it ran, too, and that its failure is over when it works again.
func anHourlyProbe(d *seen) {
	d.Helper()
	for hour, failing := range map[float64]float64{19.9: 0, 20.9: 2, 21.9: 2, 22.9: 0} {
		if n := d.number("overview", "Failing probes", hour); n != failing {
			d.Errorf("%v probes fail at %v o'clock, want %v", n, hour, failing)
		}
	}
	upload := d.line("probes", "Probes by domain", "example.org upload")
	d.only(1, "the upload", upload, 1, 20)
	d.only(0, "the upload", upload, 20, 22)
	d.only(1, "the upload", upload, 22, 24)
	why := d.line("probes", "What fails, and why", "example.org upload: connect, timeout")
	if n := len(d.during(why, 0, 24)); n != 12 {
		d.Errorf("why the upload fails is told at %d steps, want 12: from 20 to 22 o'clock", n)
	}
}

// At 14 o'clock no other server is reached any more, nor reaches us.
func s2sCollapse() story {
	return story{
		name: "an s2s collapse",
		change: func(s *series, m moment, usual float64) float64 {
			if m.hours() < 14 {
				return usual
			}
			switch {
			case s.is("ejabberd_s2s_connections"), s.is("ejabberd_s2s_sockets", "state=established"),
				s.is("probe_xmpp_endpoint_success", "module=s2s"), s.is("probe_success", "module=s2s"), s.is("probe_xmpp_federation_success"):
				return 0
			case s.is("ejabberd_s2s_sockets", "state=connecting", "direction=out"):
				return 30
			case s.is("ejabberd_s2s_connect_failures_total", "reason=timeout"):
				return usual + 600*(m.hours()-14)
			case s.is("probe_xmpp_endpoint_duration_seconds", "module=s2s"):
				return nothing
			case s.is("probe_xmpp_failure_info", "module=s2s", "phase=connect", "reason=timeout"):
				return 1
			}
			return usual
		},
		expect: func(d *seen) {
			if before, after := d.number("overview", "Failing probes", 13), d.number("overview", "Failing probes", 15); before != 0 || after != 2 {
				d.Errorf("%v failing probes before, %v after", before, after)
			}
			for _, direction := range []string{"in", "out"} {
				l := d.line("federation", "Connections with other servers", direction)
				if d.least(l, 0, 13.9) <= 0 {
					d.Errorf("%s: down before it fell", direction)
				}
				d.only(0, direction, l, 14.2, 24)
			}
			failures := d.panel("federation", "Connections that did not come about")
			for reason, l := range failures {
				if timeouts := failures["timeout"]; reason != "timeout" && d.most(l, 15, 24) >= d.least(timeouts, 15, 24) {
					d.Errorf("%s stands out more than timeout", reason)
				}
			}
			for name, l := range d.panel("federation", "Do we reach each other?") {
				d.only(1, name, l, 0, 14)
				d.only(0, name, l, 14.2, 24)
			}
			why := d.panel("probes", "What fails, and why")
			if l, ok := why["example.org s2s: connect, timeout"]; !ok || d.least(l, 14.2, 24) != 1 {
				d.Errorf("nobody says why: %v", why)
			}
			for name, l := range matching(d.panel("overview", "Endpoints, as users reach them"), "xmpp-client") {
				d.only(1, name, l, 0, 24) // clients do not notice
			}
		},
	}
}

// At 8 o'clock IPv6 breaks on the way to example.org. Clients go around it.
func brokenIPv6() story {
	return story{
		name: "a broken IPv6",
		change: func(s *series, m moment, usual float64) float64 {
			if m.hours() < 8 {
				return usual
			}
			if s.labels["instance"] == "example.net" || s.labels["vhost"] == "example.net" {
				return usual
			}
			switch {
			case s.is("probe_xmpp_endpoint_success", "family=ip6"), s.is("probe_success"), s.is("ejabberd_session_connections", "family=ip6"):
				return 0
			case s.is("ejabberd_session_connections", "connection=c2s_tls", "family=ip4"):
				return 2 * usual
			case s.is("probe_xmpp_endpoint_duration_seconds", "family=ip6"):
				return nothing
			case s.is("probe_xmpp_failure_info", "phase=connect", "reason=timeout"):
				return 1
			}
			return usual
		},
		expect: func(d *seen) {
			each, elsewhere := d.panel("probes", "Every endpoint, port and family"), map[string]line{}
			for name, l := range matching(each, "example.net") {
				elsewhere[name] = l
				delete(each, name)
				d.only(1, name, l, 0, 24)
			}
			for _, all := range []map[string]line{each, d.panel("overview", "Endpoints, as users reach them")} {
				broken, sound := matching(all, "ip6"), matching(all, "ip4")
				if len(broken) != 3 || len(sound) != 3 || len(elsewhere) != 6 {
					d.Fatalf("%d rows of IPv6, %d of IPv4, %d of the other domain", len(broken), len(sound), len(elsewhere))
				}
				for name, l := range broken {
					d.only(1, name, l, 0, 8)
					d.only(0, name, l, 8.2, 24)
				}
				for name, l := range sound {
					d.only(1, name, l, 0, 24)
				}
			}
			for name, l := range d.panel("overview", "Ports, as ejabberd opens them") {
				d.only(1, name, l, 0, 24) // the server is not to blame
			}
			families := d.panel("sessions", "Sessions by address family")
			if before, after := d.most(families["ip6"], 7, 8), d.most(families["ip6"], 8.2, 9); after > before*2/3 {
				d.Errorf("%v sessions over IPv6 after it, %v before", after, before)
			}
			if before, after := d.most(families["ip4"], 7, 8), d.least(families["ip4"], 8.2, 9); after < before {
				d.Errorf("%v sessions over IPv4 after it, %v before", after, before)
			}
			if before, after := d.number("sessions", "Share of IPv6", 7), d.number("sessions", "Share of IPv6", 12); after > before*2/3 {
				d.Errorf("the share of IPv6 is %v, before %v", after, before)
			}
			for name := range d.panel("probes", "What fails, and why") {
				if !strings.HasPrefix(name, "example.org ") || !strings.HasSuffix(name, ": connect, timeout") {
					d.Errorf("why is told as %s", name)
				}
			}
		},
	}
}

// The certificate of the ports for clients ends in three days. It was renewed on disk at noon, and never reloaded; somebody tried, and
// example.net got that of another name.
func certificateRunningOut() story {
	return story{
		name: "a certificate running out",
		change: func(s *series, m moment, usual float64) float64 {
			renewed := m.hours() >= 12
			c2s := s.labels["source"] == "c2s" || s.labels["source"] == "c2s_tls" || s.labels["module"] == "c2s"
			onDisk := s.labels["source"] == "file" && !renewed
			switch {
			case strings.HasSuffix(s.Name, "_not_after_timestamp_seconds") && (c2s || onDisk):
				return m.at - m.of.Seconds() + 4*86400
			case strings.HasSuffix(s.Name, "_not_before_timestamp_seconds") && (c2s || onDisk):
				return m.at - m.of.Seconds() - 86*86400
			case s.is("ejabberd_certificate_matches_file") && c2s && renewed:
				return 0
			case s.is("probe_xmpp_certificate_valid", "instance=example.net", "check=name") && renewed:
				return 0
			case s.is("ejabberd_config_finding", "check=certificate_not_reloaded") && renewed:
				return 1
			}
			return usual
		},
		expect: func(d *seen) {
			for _, board := range []string{"overview", "probes"} {
				if days := d.number(board, "Days to expiry", 23.9); days < 3 || days > 3.1 {
					d.Errorf("%s: %v days left, want 3", board, days)
				}
			}
			life := d.at("overview", "What runs out", 23.9)["Life of a certificate"]
			for _, value := range life.values {
				if value < 0.9 {
					d.Errorf("%v of its life is over: not red", value)
				}
			}
			days := d.at("probes", "Days of certificates, by name", 23.9)
			for name, l := range days {
				short := strings.HasSuffix(name, " c2s") || strings.HasSuffix(name, " c2s_tls")
				for _, value := range l.values {
					if short != (value < 7) {
						d.Errorf("%s: %v days", name, value)
					}
				}
			}
			outside := d.line("probes", "Days of certificates, from outside", "example.org")
			if morning, night := d.least(outside, 0, 1), d.most(outside, 23, 24); night >= morning || night > 7 {
				d.Errorf("from outside: %v days in the morning, %v at night", morning, night)
			}
			served := d.line("probes", "What does not match", "c2s: on disk")
			d.only(1, "what c2s serves", served, 0, 12)
			d.only(0, "what c2s serves", served, 12.2, 24)
			d.only(0, "what is wrong in detail", d.line("probes", "What does not match", "example.org c2s: not on disk"), 12.2, 24)
			d.only(0, "a wrong name", d.line("probes", "What does not match", "example.net: name"), 12.2, 24)
			d.only(1, "the doctor's finding", d.line("exporter", "Traps in the configuration", "certificate_not_reloaded"), 12.2, 24)
			d.only(1, "what s2s serves", d.line("probes", "What does not match", "s2s: on disk"), 0, 24)
		},
	}
}
