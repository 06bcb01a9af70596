// SPDX-License-Identifier: Apache-2.0

package main

// usage answers: is anybody still using what I would like to switch off. It looks back over a month, whatever the time picker says.
func usage() board {
	return board{
		name: "usage", title: "May I switch it off?",
		says: "What of mechanisms, kinds of connection and address families was in use within 30 days, and for how long somebody looked: " +
			"docs/switch-off.md has the decisions. Which version of TLS and which cipher a connection has, ejabberd tells nobody.",
		refresh: "15m",
		rows: []row{
			{4, usageNumbers()},
			{8, []panel{
				{
					title: "Logins, by mechanism", unit: "short", width: 7,
					says: "Mechanisms with which somebody logged in within 30 days: how many days ago last, and in how many hours of them. " +
						"The probes that log in are somebody too: they take the strongest mechanism that is offered",
					normal: "SCRAM-SHA-256-PLUS or SCRAM-SHA-1-PLUS in every hour",
					act:    "not in this list, with the log watched for 30 days: nobody would miss it (disable_sasl_mechanisms). Few hours: one old client, whose owner may be asked",
					empty:  noLog + "; with a loglevel below info; or while nobody logs in",
					draw:   list("mechanism", "Mechanism", "Days ago", "Hours of use"),
					show: []query{
						{expr: daysSince(maxBy("mechanism", lastOfMonth("ejabberd_auth_last_success_timestamp_seconds"))), format: rows},
						{expr: maxBy("mechanism", hoursOfMonth("ejabberd_auth_last_success_timestamp_seconds")), format: rows},
					},
				},
				{
					title: "Sessions, by kind of connection", unit: "short", width: 6,
					says:   "Kinds of connection of sessions within 30 days: how many days ago last. http_bind is BOSH, c2s has no encryption",
					normal: "c2s_tls and websocket, today",
					act:    "http_bind not in this list: take /bosh out of the listener and out of host-meta. c2s not in this list: starttls_required: true",
					empty:  noList,
					draw:   list("connection", "Connection", "Days ago"),
					show:   []query{{expr: daysSince(seenInMonth(sumBy("connection", gauge("ejabberd_session_connections")))), format: rows}},
				},
				{
					title: "Address families", unit: "short", width: 5,
					says:   "Families of clients' sessions and of connections with servers within 30 days: how many days ago last",
					normal: "both, today",
					act:    "ip6 not in this list: it does not work, or the DNS has no AAAA. ip4 in this list does not say that anybody lacks IPv6: clients choose",
					empty:  noList,
					draw:   list("family", "Family", "Clients", "Servers"),
					show: []query{
						{expr: daysSince(seenInMonth(sumBy("family", gauge("ejabberd_session_connections")))), format: rows},
						{expr: daysSince(seenInMonth(sumBy("family", gauge("ejabberd_s2s_sockets", `state="established"`)))), format: rows},
					},
				},
				{
					title: "Servers, by proof", unit: "short", width: 6,
					says:   "How servers proved who they are within 30 days: how many days ago last, others to us (in) and we to others (out)",
					normal: "EXTERNAL both ways, and dialback too",
					act:    "dialback not in this list: s2s_use_starttls: required, and certificates can be demanded of all",
					empty:  noLog + "; or without federation",
					draw:   list("mechanism", "Proof", "In", "Out"),
					show: []query{
						{expr: daysSince(maxBy("mechanism", lastOfMonth("ejabberd_s2s_auth_last_success_timestamp_seconds", `direction="in"`))), format: rows},
						{expr: daysSince(maxBy("mechanism", lastOfMonth("ejabberd_s2s_auth_last_success_timestamp_seconds", `direction="out"`))), format: rows},
					},
				},
			}},
			{8, []panel{
				{
					title: "How passwords are stored", unit: "short", width: 8,
					says:   "Accounts by the form in which their password is stored",
					normal: "scram alone, or scram-sha-256 and -512 beside -1",
					act:    "a mechanism works only with a password of its form: SCRAM-SHA-1 must stay while accounts have nothing but scram or scram-sha-1",
					empty:  noSQL,
					draw:   layers(),
					show:   []query{over(sumBy("format", gauge("ejabberd_account_credentials")), "{{format}}")},
				},
				{
					title: "TLS that failed", unit: "short", width: 8,
					says:   "Connections per hour, in and out, that ended before they were encrypted: those whom the versions and ciphers of now keep out already are among them",
					normal: "few: scanners",
					act:    "look here for an hour after every step in protocol_options or ciphers, and take the step back if it jumps",
					empty:  noLog,
					draw:   lines(),
					show:   []query{over(perHour(sum(rate("ejabberd_log_events_total", `event="tls_failure"`))), "failed")},
				},
				{
					title: "Logins that are refused, by mechanism", unit: "short", width: 8,
					says:   "Refused logins per hour: who only tries is not among those who use a mechanism",
					normal: "few; robots guess with PLAIN",
					act:    "a jump after a mechanism was switched off is people who are locked out",
					empty:  noLog,
					draw:   layers(),
					show:   []query{over(perHour(sumBy("mechanism", rate("ejabberd_auth_failures_total"))), "{{mechanism}}")},
				},
			}},
		},
	}
}

func usageNumbers() []panel {
	days := func(title, says, act, empty, expr string) panel {
		return panel{
			title: title, unit: "short", width: 4, says: says, normal: "30, after a month", act: act, empty: empty,
			draw: number(atLeast(29.5)), show: []query{now(expr, "")},
		}
	}
	since := func(title, what, act, empty, expr string) panel {
		return panel{
			title: title, unit: "short", width: 4,
			says:   "Days since " + what + ", of the last 30; unknown if that was not seen",
			normal: "unknown, where it may be switched off", act: act, empty: empty + "; or when it was not used",
			draw: number(neutral()), show: []query{now(expr, "")},
		}
	}
	sasl := func(mechanisms string) string {
		return daysSince(maxOf(lastOfMonth("ejabberd_auth_last_success_timestamp_seconds", `mechanism=~"`+mechanisms+`"`)))
	}
	connections := func(matcher string) string {
		return daysSince(seenInMonth(sum(gauge("ejabberd_session_connections", matcher))))
	}
	return []panel{
		days("Days the log was watched", "Of the last 30 days, how many ejabberd.log was read and told of logins (loglevel info), on every node",
			"wait for 30: what was not looked for was not seen. Prometheus itself has to keep 30 days: --storage.tsdb.retention.time", noLog,
			daysLooked("min("+rate("ejabberd_log_messages_total", `level="info"`)+") > 0")),
		days("Days sessions were looked at", "Of the last 30 days, how many the list of sessions was read, every five minutes: what came and went in between was not seen",
			"wait for 30; above --sessions.max sessions the list is not read", noList,
			daysLooked("count("+gauge("ejabberd_session_connections")+")")),
		since("PLAIN", "somebody logged in with PLAIN", "see Logins, by mechanism", noLog, sasl("PLAIN")),
		since("SCRAM with SHA-1", "somebody logged in with SCRAM-SHA-1, with channel binding or without",
			"first look at How passwords are stored", noLog, sasl("SCRAM-SHA-1|SCRAM-SHA-1-PLUS")),
		since("BOSH", "a session was seen over BOSH", "see Sessions, by kind of connection", noList, connections(`connection="http_bind"`)),
		since("IPv4", "a session was seen over IPv4", "see Address families", noList, connections(`family="ip4"`)),
	}
}
