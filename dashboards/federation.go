// SPDX-License-Identifier: Apache-2.0

package main

const s2sServices = `srv=~"xmpps?-server"`

// federation answers: do we reach other servers, do they reach us, and if not, why.
func federation() board {
	return board{
		name: "federation", title: "Federation",
		says: "Do we reach other servers, do they reach us, over which family, and what fails.",
		rows: []row{
			{4, federationNumbers()},
			{8, []panel{
				{
					title: "Connections with other servers", unit: "short", width: 12,
					says:   "As ejabberd counts them: in, every connection to the port; out, those still trying included",
					normal: "steady, and neither is 0 on a server that talks to others",
					act:    "out alone falls: our DNS, route or certificate store. In alone: port 5269, our certificate, our SRV records. Both: the network or ejabberd",
					draw:   lines(),
					show:   []query{over(sumBy("direction", gauge("ejabberd_s2s_connections")), "{{direction}}")},
				},
				{
					title: "Established, by direction and family", unit: "short", width: 12,
					says:   "TCP connections with other servers, as the kernel counts them",
					normal: "both families in both directions",
					act:    "one family at 0 is broken in that direction, though the other hides it from users",
					empty:  "where the exporter does not share ejabberd's network namespace; out also where several servers run as ejabberd's user",
					draw:   lines(),
					show:   []query{over(sumBy("direction, family", gauge("ejabberd_s2s_sockets", `state="established"`)), "{{direction}} {{family}}")},
				},
			}},
			{8, []panel{
				{
					title: "Still connecting", unit: "short", width: 8,
					says: "TCP connections that are not established yet", normal: "0 to a few, for seconds",
					act:   "out that stays high: other servers, or our own route, are unreachable; one family only is that family",
					empty: "where the exporter does not share ejabberd's network namespace",
					draw:  lines(),
					show:  []query{over(sumBy("direction, family", gauge("ejabberd_s2s_sockets", `state="connecting"`)), "{{direction}} {{family}}")},
				},
				{
					title: "Connections that did not come about", unit: "short", width: 8,
					says: "Failed attempts to reach other servers per hour, by reason", normal: "a steady floor: dead servers in old contact lists",
					act:   "dns jumps: our resolver. refused or timeout: our route or theirs. tls: certificates, often our CA store or a clock",
					empty: noLog,
					draw:  layers(),
					show:  []query{over(perHour(sumBy("reason", rate("ejabberd_s2s_connect_failures_total"))), "{{reason}}")},
				},
				{
					title: "Servers that could not prove who they are", unit: "short", width: 8,
					says: "Refused attempts per hour: in, of others to us; out, of ours to them", normal: "few",
					act:   "out jumps: our certificate is refused, look at its age and chain. In jumps: our CA store is old, or somebody lies about a name",
					empty: noLog,
					draw:  lines(),
					show:  []query{over(perHour(sumBy("direction", rate("ejabberd_s2s_auth_failures_total"))), "{{direction}}")},
				},
			}},
			{8, []panel{
				{
					title: "How servers prove who they are", unit: "short", width: 8,
					says:   "Attempts per hour, by direction and mechanism: EXTERNAL is by certificate, dialback by DNS",
					normal: "EXTERNAL mostly",
					act:    "dialback where EXTERNAL was: certificates are not accepted any more, ours (out) or theirs (in)",
					empty:  noLog,
					draw:   layers(),
					show:   []query{over(perHour(sumBy("direction, mechanism", rate("ejabberd_s2s_auth_attempts_total"))), "{{direction}} {{mechanism}}")},
				},
				{
					title: "Stanzas with other servers", unit: "cps", width: 8,
					says: "Stanzas per second; those that rooms and pubsub send are not counted", normal: "both ways, in the shape of the day",
					act:   "one direction at 0: messages go one way. A jump in is spam: look at mod_block_strangers",
					empty: noEvents,
					draw:  lines(),
					show: []query{
						over(sum(rate("ejabberd_s2s_stanzas_received_total")), "in"),
						over(sum(rate("ejabberd_s2s_stanzas_sent_total")), "out"),
					},
				},
				{
					title: "Duration of server probes", unit: "s", width: 8,
					says: "How long another server takes until it has an encrypted stream with ours, by port and family", normal: "well below a second",
					act:   "one family slower: its route. Both: the network, or a server without time",
					empty: noProbes,
					draw:  lines(),
					show: []query{
						over(maxBy("port, family", gauge("probe_xmpp_endpoint_duration_seconds", s2sServices)), "{{port}} {{family}}"),
						over(maxBy("direction", gauge("probe_xmpp_federation_duration_seconds")), "the whole way: {{direction}}"),
					},
				},
			}},
			{8, []panel{
				{
					title: "Do we reach each other?", unit: "none", width: 12,
					says: "The endpoints of each domain for servers, tried in every family; where the module federation is scraped, also the whole way: out to the server, back from it, and a ping", normal: "green everywhere",
					act:   "a family red: its route, firewall or listener. Both red: port 5269, the certificate, the SRV records. back alone red: our server does not reach others, whoever reaches it",
					empty: noProbes,
					draw:  timeline(wellOr("works", "fails")),
					show: []query{
						over(minBy("instance, port, family", gauge("probe_xmpp_endpoint_success", s2sServices)), "{{instance}} {{port}} {{family}}"),
						over(minBy("instance, direction", gauge("probe_xmpp_federation_success")), "{{instance}} {{direction}}"),
					},
				},
				{
					title: "Certificates shown to servers", unit: "d", width: 12,
					says:   "Days until they expire, of the 20 names that end first: rooms, uploads and components have names of their own, and other servers check these",
					normal: "30 to 90", act: "renew, then ejabberdctl reload_config; a name that is missing in the certificate is in What does not match, on Probes and certificates",
					empty: "where the exporter sees no certificate: it runs on another host, or ejabberd has none",
					draw:  bars(below(21, 7)),
					show:  []query{now("bottomk(20, "+minBy("name", daysLeft(gauge("ejabberd_certificate_not_after_timestamp_seconds", `source="s2s"`)))+")", "{{name}}")},
				},
			}},
		},
	}
}

func federationNumbers() []panel {
	return []panel{
		{
			title: "From other servers", unit: "short", width: 4,
			says: "Connections that other servers opened to us", normal: "above 0 on a server that talks to others", act: "see the lines below",
			draw: number(neutral()),
			show: []query{now(sum(gauge("ejabberd_s2s_connections", `direction="in"`)), "")},
		},
		{
			title: "To other servers", unit: "short", width: 4,
			says: "Connections that we opened to others, those still trying included", normal: "above 0 on a server that talks to others",
			act:  "see the lines below",
			draw: number(neutral()),
			show: []query{now(sum(gauge("ejabberd_s2s_connections", `direction="out"`)), "")},
		},
		{
			title: "Share of IPv6", unit: "percentunit", width: 4,
			says: "Share of the established connections over IPv6", normal: "what it was last week", act: "0 where it was more is a broken IPv6",
			empty: "while there are no connections, or where the exporter does not share ejabberd's network namespace",
			draw:  number(neutral()),
			show: []query{now(sum(gauge("ejabberd_s2s_sockets", `state="established"`, `family="ip6"`))+" / "+
				sum(gauge("ejabberd_s2s_sockets", `state="established"`)), "")},
		},
		{
			title: "Failing server probes", unit: "none", width: 4,
			says: "Endpoints for servers that do not work, of all domains and families", normal: "0", act: "the state below says which", empty: noProbes,
			draw: number(noneIsGood()),
			show: []query{now("count("+gauge("probe_xmpp_endpoint_success", s2sServices)+") - sum("+gauge("probe_xmpp_endpoint_success", s2sServices)+")", "")},
		},
		{
			title: "Dialback offered", unit: "none", width: 4,
			says: "Whether servers without an accepted certificate can prove who they are by DNS", normal: "yes, unless you decided against it",
			act:   "load mod_s2s_dialback, if you want it",
			empty: noProbes,
			draw:  verdict(wellOr("yes", "no")),
			show:  []query{now(minOf(gauge("probe_xmpp_s2s_dialback")), "")},
		},
		{
			title: "Encryption required", unit: "none", width: 4,
			says: "Whether every port for servers demands encryption", normal: "yes", act: "set s2s_use_starttls: required", empty: noProbes,
			draw: verdict(wellOr("yes", "no")),
			show: []query{now(minOf(gauge("probe_xmpp_starttls_required", `module="s2s"`)), "")},
		},
	}
}
