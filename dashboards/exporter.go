// SPDX-License-Identifier: Apache-2.0

package main

// ofTarget asks for Prometheus's own metrics and those of processes, which every program has.
const ofTarget = `{job=~"$job", instance=~"$instance"}`

// ourTargets are those of the exporters' jobs, as the examples and alerts/ name them: of one that is dead, the job is all that is left.
const ourTargets = `up{job=~"$job", instance=~"$instance", job=~"ejabberd.*"}`

// ofExporters leaves what a process of another program says out.
func ofExporters(expr string) string {
	return expr + " and on (job, instance) " + gauge("ejabberd_exporter_build_info")
}

// exporter answers: can these boards be trusted; and how are the processes that they are about.
func exporter() board {
	return board{
		name: "exporter", title: "Exporter and processes",
		says: "Can these boards be trusted: what is collected, how fresh it is, what it costs. And the process of ejabberd and its log.",
		rows: []row{
			{4, exporterNumbers()},
			{10, []panel{
				{
					title: "Collectors", unit: "none", width: 12,
					says: "Whether the last run of each collector succeeded, on every instance", normal: "green everywhere",
					act:  "ejabberd_exporter --check says what is wrong, and prints the line that fixes it",
					draw: timeline(wellOr("ok", "failing")),
					show: []query{over(minBy("collector", gauge("ejabberd_exporter_collector_success")), "{{collector}}")},
				},
				{
					title: "Staleness of what is refreshed", unit: "short", width: 12,
					says:   "Age of the last success of collectors that are refreshed, in their intervals; beyond 4 their numbers are dropped",
					normal: "below 2",
					act:    "above 3: the collector fails or takes too long: see its duration and the exporter's log",
					draw:   limited(above(3, 4)),
					show: []query{over(maxBy("collector", "("+age(gauge("ejabberd_exporter_collector_last_success_timestamp_seconds"))+") / "+
						gauge("ejabberd_exporter_collector_refresh_interval_seconds")), "{{collector}}")},
				},
			}},
			{8, []panel{
				{
					title: "Duration of collectors", unit: "s", width: 8,
					says: "How long the last run of each collector took", normal: "milliseconds; seconds for those that count large tables or directories",
					act:  "one that grows for days grows with its data, and is run less often by itself; all together is a busy host",
					draw: lines(),
					show: []query{over(maxBy("collector", gauge("ejabberd_exporter_collector_duration_seconds")), "{{collector}}")},
				},
				{
					title: "Requests to ejabberd's API", unit: "short", width: 8,
					says: "Requests per hour by HTTP status; error and timeout are answers that did not come", normal: "200 alone",
					act:   "401 or 403: the exporter's account or api_permissions, see --check. timeout: ejabberd is overloaded",
					empty: "where no API is configured",
					draw:  layers(),
					show:  []query{over(perHour(sumBy("code", rate("ejabberd_exporter_api_requests_total"))), "{{code}}")},
				},
				{
					title: "What we cost ejabberd", unit: "percentunit", width: 8,
					says: "Share of the time in which ejabberd works on a request of ours, by command", normal: "below 1 %",
					act:   "more: leave out the collector that calls the command, or scrape less often",
					empty: "where no API is configured",
					draw:  layers(),
					show:  []query{over(sumBy("command", rate("ejabberd_exporter_api_request_seconds_total")), "{{command}}")},
				},
			}},
			{8, []panel{
				{
					title: "Traps in the configuration", unit: "none", width: 8,
					says: "What the doctor found: settings that lose people, passwords or files some day", normal: "nothing",
					act:   "ejabberd_exporter doctor says what each is, and what to do",
					empty: "while nothing is found, which is well",
					draw:  timeline(states(state{"1", "found", bad})),
					show:  []query{over(maxBy("check", gauge("ejabberd_config_finding"))+" == 1", "{{check}}")},
				},
				{
					title: "Processor time", unit: "percentunit", width: 8,
					says: "Of ejabberd and of the exporter; 100 % is one processor", normal: "the shape of the day; the exporter near 0",
					act:   "ejabberd at the number of processors for long: too small a machine, or a client in a loop",
					empty: "where the exporter does not see ejabberd's process, that line is missing",
					draw:  lines(),
					show: []query{
						over(sumBy("instance", rate("ejabberd_process_cpu_seconds_total")), "ejabberd {{instance}}"),
						over(sumBy("instance", ofExporters("rate(process_cpu_seconds_total"+ofTarget+"[$__rate_interval])")), "exporter {{instance}}"),
					},
				},
				{
					title: "Memory", unit: "bytes", width: 8,
					says: "Of ejabberd and of the exporter, in RAM", normal: "ejabberd in the shape of the day; the exporter flat",
					act:   "ejabberd that only grows: a leak, or queues that nobody reads. Restart it before the kernel does",
					empty: "where the exporter does not see ejabberd's process, that line is missing",
					draw:  lines(),
					show: []query{
						over(sumBy("instance", gauge("ejabberd_process_resident_memory_bytes")), "ejabberd {{instance}}"),
						over(sumBy("instance", ofExporters("process_resident_memory_bytes"+ofTarget)), "exporter {{instance}}"),
					},
				},
			}},
			{8, []panel{
				{
					title: "Messages of ejabberd.log", unit: "short", width: 8,
					says: "Messages per hour by level", normal: "info mostly",
					act:   "error or critical jump: read them. All at 0: the log was rotated away from ejabberd, see the last line above",
					empty: noLog,
					draw:  lines(),
					show:  []query{over(perHour(sumBy("level", rate("ejabberd_log_messages_total"))), "{{level}}")},
				},
				{
					title: "Events worth knowing", unit: "short", width: 8,
					says:   "Per hour: events of ejabberd.log, connections that the kernel dropped since a program was busy, and datagrams of mod_metrics that were lost",
					normal: "0, but for a reload now and then",
					act:    "tls_failure: old clients or a broken certificate. fail2ban_block: somebody guesses passwords. config_reload_aborted: ejabberd runs with the old file. Lost: the numbers of events are too low",
					empty:  noLog + " and no mod_metrics",
					draw:   lines(),
					show: []query{
						over(perHour(sumBy("event", rate("ejabberd_log_events_total"))), "{{event}}"),
						over(perHour(sum(rate("ejabberd_host_tcp_listen_overflows_total"))), "accept queue full"),
						over(perHour(sumBy("reason", rate("ejabberd_exporter_events_dropped_total"))), "lost: {{reason}}"),
					},
				},
				{
					title: "Nodes of the cluster", unit: "short", width: 8,
					says: "Nodes by state, and from ejabberd 24.06 on the sessions of each", normal: "all running; sessions spread evenly",
					act:   "stopped: that host, or the connection between the nodes. Uneven: the DNS or load balancer prefers one",
					empty: "where no API is configured",
					draw:  lines(),
					show: []query{
						over(sumBy("state", gauge("ejabberd_cluster_nodes")), "{{state}}"),
						over(sumBy("node", gauge("ejabberd_cluster_node_sessions")), "sessions on {{node}}"),
					},
				},
			}},
		},
	}
}

func exporterNumbers() []panel {
	return []panel{
		{
			title: "Exporters that do not answer", unit: "none", width: 5,
			says: "Targets of the exporters' jobs, which begin with ejabberd, that Prometheus cannot scrape", normal: "0",
			act:  "systemctl status ejabberd-exporter, its address and the firewall",
			draw: number(noneIsGood()),
			show: []query{now("count("+ourTargets+") - sum("+ourTargets+")", "")},
		},
		{
			title: "Failing collectors", unit: "none", width: 5,
			says: "Of all instances", normal: "0", act: "ejabberd_exporter --check prints the line that fixes it",
			draw: number(noneIsGood()),
			show: []query{now("count("+gauge("ejabberd_exporter_collector_success")+" == 0) or 0 * count("+
				gauge("ejabberd_exporter_collector_success")+")", "")},
		},
		{
			title: "Configuration", unit: "none", width: 5,
			says: "Whether ejabberd serves the hosts that the exporter found when it started", normal: "current", act: "restart the exporter",
			empty: "where no API is configured",
			draw:  verdict(states(state{"0", "current", good}, state{"1", "stale", bad})),
			show:  []query{now(maxOf(gauge("ejabberd_exporter_config_stale")), "")},
		},
		{
			title: "Last line of ejabberd.log", unit: "s", width: 5,
			says: "How long ago ejabberd last logged something, on the quietest node", normal: "minutes, at loglevel info",
			act:   "hours: the log was rotated away from ejabberd; ejabberdctl reopen_log",
			empty: noLog,
			draw:  number(atMost(6 * 3600)),
			show:  []query{now(maxOf(age(gauge("ejabberd_log_last_line_timestamp_seconds"))), "")},
		},
		{
			title: "Versions", unit: "none", width: 4,
			says: "Of ejabberd and of the exporter, with the number of instances", normal: "one of each", act: "update the others",
			empty: "where no API is configured, ejabberd's is missing",
			draw:  versions(),
			show: []query{
				now("count by (version) ("+gauge("ejabberd_info")+")", "ejabberd {{version}}"),
				now("count by (version) ("+gauge("ejabberd_exporter_build_info")+")", "exporter {{version}}"),
			},
		},
	}
}
