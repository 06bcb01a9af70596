// SPDX-License-Identifier: Apache-2.0

package main

// sessions answers: who is connected, how, for how long, how well.
func sessions() board {
	return board{
		name: "sessions", title: "Sessions",
		says: "Who is connected, over what, for how long, how far away; logins and traffic.",
		rows: []row{
			{4, sessionNumbers()},
			{8, []panel{
				{
					title: "Sessions by domain", unit: "short", width: 8,
					says: "Client sessions, those included that wait to be resumed", normal: "the shape of a day, much the same as yesterday's",
					act:  "a cliff is a restart, a broken port or network; a plateau is a limit: see What runs out on the Overview",
					draw: lines(),
					show: []query{over(sumBy("vhost", gauge("ejabberd_sessions")), "{{vhost}}")},
				},
				{
					title: "Sessions by kind of connection", unit: "short", width: 8,
					says:   "c2s_tls is STARTTLS and TLS from the start alike, http_bind is BOSH, c2s has no encryption at all",
					normal: "c2s_tls mostly, and no c2s",
					act:    "c2s above 0: set starttls_required on the listener. A kind that falls to 0 alone: look at its listener or proxy",
					empty:  noList,
					draw:   layers(),
					show:   []query{over(sumBy("connection", gauge("ejabberd_session_connections")), "{{connection}}")},
				},
				{
					title: "Sessions by address family", unit: "short", width: 8,
					says: "Sessions over IPv4 and IPv6", normal: "a stable ratio; many servers see a third over IPv6",
					act:   "ip6 falls while ip4 rises: IPv6 is broken, and clients went around it. Look at the route and at the AAAA record",
					empty: noList,
					draw:  layers(),
					show:  []query{over(sumBy("family", gauge("ejabberd_session_connections")), "{{family}}")},
				},
			}},
			{8, []panel{
				{
					title: "Logins and logouts", unit: "short", width: 8,
					says: "Sessions opened and closed per hour", normal: "two lines that follow each other",
					act:   "both high at a steady number of sessions: clients that come and go, often an idle timeout of a proxy or of a phone network",
					empty: noEvents,
					draw:  lines(),
					show: []query{
						over(perHour(sum(rate("ejabberd_logins_total"))), "logins"),
						over(perHour(sum(rate("ejabberd_logouts_total"))), "logouts"),
					},
				},
				{
					title: "Login attempts by mechanism", unit: "short", width: 8,
					says: "Attempts per hour, from ejabberd.log at loglevel info", normal: "SCRAM mostly",
					act:   "much PLAIN: old clients, or robots that guess passwords: compare with those refused",
					empty: noLog + "; or while nobody logs in",
					draw:  layers(),
					show:  []query{over(perHour(sumBy("mechanism", rate("ejabberd_auth_attempts_total"))+" > 0"), "{{mechanism}}")},
				},
				{
					title: "Logins that are refused", unit: "short", width: 8,
					says: "Wrong passwords and unknown accounts per hour, by mechanism", normal: "few: people mistype",
					act:   "many is somebody guessing: load mod_fail2ban, and look at its c2s_max_auth_failures",
					empty: noLog,
					draw:  lines(),
					show:  []query{over(perHour(sum(rate("ejabberd_auth_failures_total"))), "refused")},
				},
			}},
			{8, []panel{
				{
					title: "Stanzas of clients", unit: "cps", width: 8,
					says: "Stanzas per second from clients and to them", normal: "more to them than from them, in the shape of the day",
					act:   "a jump from clients is a spammer or a client in a loop: rate limits are shapers in ejabberd.yml",
					empty: noEvents,
					draw:  lines(),
					show: []query{
						over(sum(rate("ejabberd_c2s_stanzas_received_total")), "from clients"),
						over(sum(rate("ejabberd_c2s_stanzas_sent_total")), "to clients"),
						over(sum(rate("ejabberd_messages_to_offline_accounts_total")), "to accounts that are offline"),
					},
				},
				{
					title: "Age of sessions", unit: "s", width: 8,
					says: "How long sessions have lasted: half of them longer than the median", normal: "hours to days",
					act:   "a median that falls to minutes is connections that break: a proxy's timeout, or a network",
					empty: noList + "; or while nobody is online",
					draw:  lines(),
					show: []query{
						over(quantile("0.9", "", buckets("ejabberd_session_age_seconds")), "oldest tenth"),
						over(quantile("0.5", "", buckets("ejabberd_session_age_seconds")), "median"),
						over(quantile("0.1", "", buckets("ejabberd_session_age_seconds")), "youngest tenth"),
					},
				},
				{
					title: "Round trips to clients", unit: "s", width: 8,
					says:   "Round-trip times of clients and servers that are connected, as the kernel has measured them: the median and the slowest twentieth of each family",
					normal: "20 to 200 ms, with phones among them; families alike",
					act:    "one family slower than the other is its route; both slower is our uplink",
					empty:  "while nobody is connected",
					draw:   lines(),
					show: []query{
						over(quantile("0.5", "family", buckets("ejabberd_connection_rtt_seconds")), "median {{family}}"),
						over(quantile("0.95", "family", buckets("ejabberd_connection_rtt_seconds")), "slow {{family}}"),
					},
				},
			}},
			{8, []panel{
				{
					title: "Connections by port", unit: "short", width: 12,
					says: "TCP connections that are open to each port and family", normal: "the shape of a day",
					act:  "a port that drops to 0 alone is broken; a port of the API or of a component that grows is a program that leaks connections",
					draw: lines(),
					show: []query{over(sumBy("port, family", gauge("ejabberd_listener_connections")), "{{port}} {{family}}")},
				},
				{
					title: "What sessions show", unit: "short", width: 12,
					says: "Sessions by presence; unavailable has not sent any", normal: "available and away mostly",
					act:   "many unavailable are clients that hang in their login, or robots",
					empty: noList,
					draw:  layers(),
					show:  []query{over(sumBy("show", gauge("ejabberd_sessions_by_show")), "{{show}}")},
				},
			}},
		},
	}
}

func sessionNumbers() []panel {
	return []panel{
		{
			title: "Sessions now", unit: "short", width: 6,
			says: "Client sessions, of all domains", normal: "as many as yesterday at this time", act: "see the lines below",
			draw: number(neutral()),
			show: []query{now(sum(gauge("ejabberd_sessions")), "")},
		},
		{
			title: "Accounts online", unit: "short", width: 6,
			says: "Accounts with at least one session", normal: "a little below the number of sessions", act: "see the lines below",
			empty: noList,
			draw:  number(neutral()),
			show:  []query{now(sum(gauge("ejabberd_accounts_online")), "")},
		},
		{
			title: "Sessions for an account", unit: "short", width: 6,
			says: "Sessions divided by accounts that are online", normal: "1 to 2: a phone and a computer",
			act:   "far more is a client that opens sessions without closing them",
			empty: noList + "; or while nobody is online",
			draw:  number(neutral()),
			show:  []query{now(sum(gauge("ejabberd_sessions"))+" / "+sum(gauge("ejabberd_accounts_online")), "")},
		},
		{
			title: "Share of IPv6", unit: "percentunit", width: 6,
			says: "Share of the sessions over IPv6", normal: "what it was last week", act: "0 where it was more is a broken IPv6: see the endpoints on the Overview",
			empty: noList + "; or while nobody is online",
			draw:  number(neutral()),
			show: []query{now(sum(gauge("ejabberd_session_connections", `family="ip6"`))+" / "+
				sum(gauge("ejabberd_session_connections")), "")},
		},
	}
}
