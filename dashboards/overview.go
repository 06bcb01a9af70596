// SPDX-License-Identifier: Apache-2.0

package main

// The queries that several boards share.
func failingProbes() string {
	return "count(" + probed("probe_success") + ") - sum(" + probed("probe_success") + ")"
}

// worstCertificate takes those that are served, as seen on the host and by probes: a file on disk harms nobody.
func worstCertificate() string {
	return minOf(daysLeft(gauge("ejabberd_certificate_not_after_timestamp_seconds", `source!="file"`)) + " or " +
		daysLeft(gauge("probe_xmpp_certificate_not_after_timestamp_seconds")))
}

func diskUsed() string {
	return most("1 - " + each("ejabberd_upload_filesystem_avail_bytes") + " / " + each("ejabberd_upload_filesystem_size_bytes"))
}

func inodesUsed() string {
	return most("1 - " + each("ejabberd_upload_filesystem_inodes_free") + " / " + each("ejabberd_upload_filesystem_inodes"))
}

func connectionsUsed() string {
	return most("sum without (role) (" + each("ejabberd_database_connections") + ") / " + each("ejabberd_database_connection_limit"))
}

// overview answers in one look: does it work, who is there, is federation alive, does anything run out.
func overview() board {
	return board{
		name: "overview", title: "Overview",
		says: "Does it work for users, who is there, is federation alive, does anything run out. The other boards, under ejabberd above, say why.",
		rows: []row{
			{4, overviewNumbers()},
			{8, []panel{
				{
					title: "Endpoints, as users reach them", unit: "none", width: 12,
					says:   "Every port and address family that the DNS sends clients and servers to, tried by the probes; one domain that fails makes the row red",
					normal: "green everywhere",
					act:    "one family red: look at its route and firewall. All of a port: at the listener. The board Probes and certificates says which domain, phase and reason",
					empty:  "where no probes are scraped: examples/prometheus.yml has the job",
					draw:   timeline(wellOr("works", "fails")),
					show:   []query{over(minBy("srv, port, family", gauge("probe_xmpp_endpoint_success")), "{{srv}} {{port}} {{family}}")},
				},
				{
					title: "Ports, as ejabberd opens them", unit: "none", width: 12,
					says:   "Whether somebody listens on this host where ejabberd.yml says that ejabberd does",
					normal: "green everywhere",
					act:    "look for eaddrinuse or eacces in ejabberd.log; green here and red on the left is a firewall, a route or the DNS",
					draw:   timeline(wellOr("open", "closed")),
					show:   []query{over(minBy("port, family", gauge("ejabberd_listener_up")), "{{port}} {{family}}")},
				},
			}},
			{7, []panel{
				{
					title: "Sessions", unit: "short", width: 8,
					says:   "Client sessions, by domain; a person with two devices has two",
					normal: "the shape of a day, much the same as yesterday's",
					act:    "a cliff is a restart, a broken port or a broken network: compare with the rows above; a slow fall, with logins on the board Sessions",
					draw:   lines(),
					show:   []query{over(sumBy("vhost", gauge("ejabberd_sessions")), "{{vhost}}")},
				},
				{
					title: "New accounts within an hour", unit: "short", width: 8,
					says:   "Accounts made within the last hour that still exist, by domain, as the database has them",
					normal: "a few, where registration is open; none, where it is not",
					act:    "a wave is a robot: look at the board Accounts and registrations, then at the captcha and registration_timeout",
					empty:  "where accounts are not in PostgreSQL",
					draw:   lines(),
					show:   []query{over(sumBy("vhost", gauge("ejabberd_accounts_created", `window="1h"`)), "{{vhost}}")},
				},
				{
					title: "Federation", unit: "short", width: 8,
					says:   "Connections with other servers, as ejabberd counts them: in, from them; out, to them, those still trying included",
					normal: "steady, and neither is 0 on a server that talks to others",
					act:    "out alone at 0: our DNS, route or certificate store. In alone: port 5269, our certificate, SRV records. The board Federation has the reasons",
					draw:   lines(),
					show:   []query{over(sumBy("direction", gauge("ejabberd_s2s_connections")), "{{direction}}")},
				},
			}},
			{8, []panel{
				{
					title: "What runs out", unit: "percentunit", width: 12,
					says:   "How much of what is limited is used; of several, the fullest. Of a certificate it is its life: renewal comes at two thirds",
					normal: "green",
					act:    "orange leaves days, red leaves hours: the board of the name has the history",
					draw:   share(above(0.8, 0.9)),
					show: []query{
						now(maxOf(diskUsed()), "Disk of the uploads"),
						now(maxOf(inodesUsed()), "Inodes of the uploads"),
						now(maxOf(connectionsUsed()), "Connections to the database"),
						now(maxOf(gauge("ejabberd_process_open_fds")+" / "+gauge("ejabberd_process_max_fds")), "File descriptors"),
						now(maxOf(gauge("ejabberd_process_open_fds")+" / "+gauge("ejabberd_erlang_port_limit")), "Erlang ports"),
						now(maxOf(gauge("ejabberd_erlang_processes")+" / "+gauge("ejabberd_erlang_process_limit")), "Erlang processes"),
						now(maxOf("("+age(gauge("ejabberd_certificate_not_before_timestamp_seconds", `source!="file"`))+") / ("+
							gauge("ejabberd_certificate_not_after_timestamp_seconds", `source!="file"`)+" - "+
							gauge("ejabberd_certificate_not_before_timestamp_seconds", `source!="file"`)+")"), "Life of a certificate"),
					},
				},
				{
					title: "Logins that are refused", unit: "short", width: 6,
					says:   "Wrong passwords and unknown accounts per hour, from ejabberd.log",
					normal: "few: people mistype",
					act:    "many is somebody guessing passwords: look at fail2ban and at the mechanisms on the board Sessions",
					empty:  "where the exporter may not read ejabberd.log",
					draw:   lines(),
					show:   []query{over(perHour(sum(rate("ejabberd_auth_failures_total"))), "refused")},
				},
				{
					title: "Duration of probes", unit: "s", width: 6,
					says:   "How long each kind of probe takes, at the slowest domain",
					normal: "well below a second, and flat",
					act:    "a step up is the network or an overloaded server: the phases on the board Probes and certificates tell which",
					empty:  "where no probes are scraped",
					draw:   lines(),
					show:   []query{over(maxBy("module", probed("probe_duration_seconds")), "{{module}}")},
				},
			}},
		},
	}
}

func overviewNumbers() []panel {
	return []panel{
		{
			title: "Failing probes", unit: "none", width: 3,
			says:   "How many probes say that something does not work, of all domains and modules",
			normal: "0", act: "the rows below say what",
			empty: "where no probes are scraped",
			draw:  number(noneIsGood()),
			show:  []query{now(failingProbes(), "")},
		},
		{
			title: "ejabberd", unit: "none", width: 3,
			says: "Whether ejabberd answers its API, on every node", normal: "up",
			act:   "systemctl status ejabberd, then the end of ejabberd.log",
			empty: "where no API is configured",
			draw:  verdict(wellOr("up", "down")),
			show:  []query{now(minOf(gauge("ejabberd_up")), "")},
		},
		{
			title: "Sessions now", unit: "short", width: 3,
			says: "Client sessions, of all domains", normal: "as many as yesterday at this time", act: "see the lines below",
			draw: number(neutral()),
			show: []query{now(sum(gauge("ejabberd_sessions")), "")},
		},
		{
			title: "Active accounts", unit: "short", width: 3,
			says: "Accounts that were online within the last 30 days: the size of the service in people", normal: "slow change",
			act:   "a fast fall is accounts that vanished or people who cannot log in",
			empty: "where activity is not in PostgreSQL",
			draw:  number(neutral()),
			show:  []query{now(sum(gauge("ejabberd_accounts_active", `window="30d"`)), "")},
		},
		{
			title: "Federation now", unit: "short", width: 3,
			says: "Connections with other servers, both directions", normal: "above 0 on a server that talks to others",
			act:  "see the lines below",
			draw: number(neutral()),
			show: []query{now(sum(gauge("ejabberd_s2s_connections")), "")},
		},
		{
			title: "Days to expiry", unit: "d", width: 3,
			says:   "Days until the first certificate expires that is served on any port, as seen on the host and from outside",
			normal: "30 to 90, with the usual certificates", act: "renew it, then ejabberdctl reload_config; the board Probes and certificates names it",
			draw: number(below(21, 7)),
			show: []query{now(worstCertificate(), "")},
		},
		{
			title: "Disk of the uploads", unit: "percentunit", width: 3,
			says: "How full the file system of the uploads is; the fullest of several", normal: "below 80 %",
			act:   "lower the quota or the retention, or grow the disk, before uploads fail",
			empty: "where no uploads are stored on this host",
			draw:  number(above(0.8, 0.9)),
			show:  []query{now(maxOf(diskUsed()), "")},
		},
		{
			title: "Accounts losing files", unit: "short", width: 3,
			says:   "Accounts that are near the hard quota of uploads, or above it: their oldest files are deleted without a word",
			normal: "a few, and always the same", act: "tell these people, or raise the quota: the board Uploads and quota has the history",
			empty: "without a quota",
			draw:  number(neutral()),
			show: []query{now(sum(gauge("ejabberd_upload_accounts_near_quota", `level="hard"`))+" + "+
				sum(gauge("ejabberd_upload_accounts_over_quota", `level="hard"`)), "")},
		},
	}
}
