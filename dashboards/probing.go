// SPDX-License-Identifier: Apache-2.0

package main

const (
	noFailure  = "while nothing fails, which is well; or " + noProbes
	noLoginFor = "unless modules that log in are scraped: examples/probe.yml shows them"
)

// probing answers: what does not work, where, over which family, why; and which certificate is the next to trouble somebody.
func probing() board {
	return board{
		name: "probes", title: "Probes and certificates", hosts: probedHosts,
		says: "What does not work from outside, at which port, over which family and why; and which certificate will trouble somebody next.",
		rows: []row{
			{4, probeNumbers()},
			{10, []panel{
				{
					title: "Every endpoint, port and family", unit: "none", width: 12,
					says: "Whether all addresses of the endpoint work: service, host, port, address family", normal: "green everywhere",
					act:   "one family: route, firewall, AAAA or A record. One port: its listener. A whole host: the host. Why is in What fails, and why",
					empty: noProbes,
					draw:  timeline(wellOr("works", "fails")),
					show: []query{over(minBy("instance, srv, target, port, family", gauge("probe_xmpp_endpoint_success")),
						"{{instance}} {{srv}} {{target}}:{{port}} {{family}}")},
				},
				{
					title: "Probes by domain", unit: "none", width: 12,
					says: "Whether everything works that the probe looks at", normal: "green everywhere",
					act:   "open /probe with the same module and target, and debug=true, on the exporter: it tells the whole story",
					empty: noProbes,
					draw:  timeline(wellOr("works", "fails")),
					show:  []query{over(minBy("instance, module", probed("probe_success")), "{{instance}} {{module}}")},
				},
			}},
			{8, []panel{
				{
					title: "What fails, and why", unit: "none", width: 8,
					says: "Phases that failed, with the reason, by domain and module", normal: "nothing",
					act:   "resolve: DNS. connect: route, firewall, listener. handshake: TLS and certificates. auth: the account. The runbook of the alert goes on from there",
					empty: noFailure,
					draw:  timeline(states(state{"1", "fails", bad})),
					show: []query{over(maxBy("instance, module, phase, reason", failures()),
						"{{instance}} {{module}}: {{phase}}, {{reason}}")},
				},
				{
					title: "Phases", unit: "s", width: 8,
					says: "How long each phase takes, at the slowest endpoint and domain", normal: "tens of milliseconds",
					act:   "resolve: the resolver. connect: the network. handshake: CPU, or a certificate chain that is fetched. stream and features: ejabberd is busy",
					empty: noProbes,
					draw:  lines(),
					show:  []query{over(maxBy("phase", probed("probe_xmpp_phase_duration_seconds")), "{{phase}}")},
				},
				{
					title: "Messages, files, pings", unit: "s", width: 8,
					says: "How long a message takes to come back, a file to go up and come down, a server to answer", normal: "well below a second",
					act:   "slow alone: the component, the disk of the uploads, the other server. Lost messages are in the exporter's debug output",
					empty: noLoginFor,
					draw:  lines(),
					show: []query{
						over(maxOf(gauge("probe_xmpp_message_round_trip_seconds")), "message"),
						over(maxOf(gauge("probe_xmpp_message_round_trip_max_seconds")), "slowest message"),
						over(maxOf(latest(gauge("probe_xmpp_upload_put_duration_seconds"))), "upload"),
						over(maxOf(latest(gauge("probe_xmpp_upload_get_duration_seconds"))), "download"),
						over(maxBy("peer", gauge("probe_xmpp_ping_duration_seconds")), "ping {{peer}}"),
					},
				},
			}},
			{8, []panel{
				{
					title: "Days of certificates, by name", unit: "d", width: 8,
					says: "Days until they expire, on the host: what each kind of port serves, and the file on disk; the 20 that end first", normal: "30 to 90",
					act:   "the file is older than what is served: another file is used. What is served is older than the file: ejabberdctl reload_config",
					empty: "where the exporter sees no certificate: it runs on another host, or ejabberd has none",
					draw:  bars(below(21, 7)),
					show:  []query{now("bottomk(20, "+minBy("name, source", daysLeft(gauge("ejabberd_certificate_not_after_timestamp_seconds")))+")", "{{name}} {{source}}")},
				},
				{
					title: "Days of certificates, from outside", unit: "d", width: 8,
					says: "Days until the first certificate of a domain expires, over time", normal: "a saw: 90 down to 30, then up",
					act:   "no jump at 30: renewal does not run, or a port was not reloaded: the bars beside say which",
					empty: noProbes,
					draw:  limited(below(21, 7)),
					show:  []query{over(minBy("instance", daysLeft(gauge("probe_xmpp_certificate_not_after_timestamp_seconds"))), "{{instance}}")},
				},
				{
					title: "What does not match", unit: "none", width: 8,
					says:   "Whether what is served lies on disk, is trusted (chain), for the domain (name), and valid now (time); below it, what is not",
					normal: "green everywhere",
					act:    "on disk: renewed and never reloaded, ejabberdctl reload_config. chain: an intermediate certificate is missing. name: the domain is not in it. time: expired",
					empty:  "where neither certificates nor probes are seen",
					draw:   timeline(wellOr("fine", "wrong")),
					show: []query{
						over(minBy("source", gauge("ejabberd_certificate_matches_file")), "{{source}}: on disk"),
						over(minBy("check", gauge("probe_xmpp_certificate_valid")), "{{check}}"),
						over(minBy("name, source", gauge("ejabberd_certificate_matches_file"))+" == 0", "{{name}} {{source}}: not on disk"),
						over(minBy("instance, check", gauge("probe_xmpp_certificate_valid"))+" == 0", "{{instance}}: {{check}}"),
					},
				},
			}},
			{7, []panel{
				{
					title: "Versions of TLS", unit: "none", width: 12,
					says: "Versions that were agreed on, by domain, and obsolete ones that a port accepts from whoever asks for them", normal: "1.3, or 1.2 with old servers",
					act:   "1.0 or 1.1 accepted: set c2s_protocol_options and s2s_protocol_options",
					empty: noProbes,
					draw:  timeline(states(state{"1", "agreed on", calm}, state{"2", "accepted", bad})),
					show: []query{
						over(maxBy("instance, version", gauge("probe_xmpp_tls_version_info")), "{{instance}} {{version}}"),
						over("2 * ("+maxBy("instance, version", gauge("probe_xmpp_tls_legacy_accepted"))+" == 1)", "{{instance}} {{version}}: accepted"),
					},
				},
				{
					title: "DNS", unit: "short", width: 12,
					says: "SRV records by service, and the hosts that lack an address", normal: "flat lines, and no host without an address",
					act:   "a line that falls is a record that vanished: look at the zone",
					empty: noProbes,
					draw:  lines(),
					show: []query{
						over(minBy("srv", gauge("probe_xmpp_srv_records")), "{{srv}}"),
						over(maxOf(gauge("probe_xmpp_srv_unresolved")), "without an address"),
					},
				},
			}},
		},
	}
}

// failures are the reasons why probes fail. That of an hour ago is over when the probe has worked since.
func failures() string {
	return "(" + gauge("probe_xmpp_failure_info", `module!="upload"`) + " or " + latest(gauge("probe_xmpp_failure_info", uploading)) +
		" and ignoring (phase, reason) " + latest(gauge("probe_success", uploading)) + " == 0)"
}

func probeNumbers() []panel {
	return []panel{
		{
			title: "Failing probes", unit: "none", width: 4,
			says: "How many probes say that something does not work", normal: "0", act: "the rows below say what", empty: noProbes,
			draw: number(noneIsGood()),
			show: []query{now(failingProbes(), "")},
		},
		{
			title: "Days to expiry", unit: "d", width: 4,
			says: "Days until the first certificate expires that is served on any port", normal: "30 to 90",
			act:  "renew it, then ejabberdctl reload_config; the bars below name it",
			draw: number(below(21, 7)),
			show: []query{now(worstCertificate(), "")},
		},
		{
			title: "Certificates of a domain", unit: "none", width: 4,
			says: "Most different certificates that one domain serves on its ports", normal: "1; 2 where web and XMPP have different ones",
			act: "more than before, after a renewal: a port was not reloaded", empty: "unless the module cert is scraped",
			draw: number(atMost(3)),
			show: []query{now(maxOf(gauge("probe_xmpp_certificates_distinct")), "")},
		},
		{
			title: "Names not covered", unit: "none", width: 4,
			says: "Most names of one domain that the certificate served for them does not name", normal: "0",
			act: "add them to the certificate: rooms and uploads need theirs", empty: "unless the module cert is scraped",
			draw: number(noneIsGood()),
			show: []query{now(maxOf(gauge("probe_xmpp_certificate_names_uncovered")), "")},
		},
		{
			title: "Password before encryption", unit: "none", width: 4,
			says: "Domains that offer a login with the bare password before TLS", normal: "0", act: "set starttls_required: true on the listener for clients",
			empty: "unless the module c2s is scraped",
			draw:  number(noneIsGood()),
			show:  []query{now(sum(gauge("probe_xmpp_plain_before_tls")), "")},
		},
		{
			title: "Registration", unit: "none", width: 4,
			says: "Whether strangers get a form to register with, and one with a captcha that works", normal: "what you decided",
			act:   "captcha gone: look at captcha_cmd, and at the ejabberd.log of a registration",
			empty: "unless the module register is scraped",
			draw:  verdict(states(state{"1", "yes", calm}, state{"0", "no", calm})),
			show: []query{
				now(maxOf(gauge("probe_xmpp_register_offered")), "form"),
				now(minOf(gauge("probe_xmpp_register_captcha")), "captcha"),
			},
		},
	}
}
