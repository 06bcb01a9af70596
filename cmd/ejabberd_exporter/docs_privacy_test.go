// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/exposition"
	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/xmpp/sasl"
	"github.com/chapril/ejabberd_exporter/probes"
)

// What docs/privacy.md says of metrics that need no sentence of their own.
const (
	// nothing: software, configuration, certificates, limits.
	nothing = "Nothing of a person."
	// load: it moves when somebody uses the service, and says neither who nor what for.
	load = "Load: it moves when the person does something."
)

// forAFew are the collectors that tell least about the few people of a small service, and still wake somebody when it is down.
var forAFew = []collector.Definition{
	collector.Server, collector.Certificates, collector.DatabaseServer, collector.UploadLimits, collector.UploadFilesystem, collector.Findings,
}

// reveals says of each metric what it tells of the one person of a service with a single account. docs/privacy.md is made from it.
var reveals = map[string]string{
	"ejabberd_up":                    nothing,
	"ejabberd_info":                  nothing,
	"ejabberd_uptime_seconds":        nothing,
	"ejabberd_erlang_processes":      load,
	"ejabberd_exporter_config_stale": nothing,

	"ejabberd_cluster_nodes":               nothing,
	"ejabberd_cluster_node_up":             nothing,
	"ejabberd_cluster_node_sessions":       "When the person is connected, with how many devices, and to which node.",
	"ejabberd_cluster_node_uptime_seconds": nothing,
	"ejabberd_database_pool_expected":      nothing,

	"ejabberd_accounts":                            "That there is one account; by its change, on which day it came or went.",
	"ejabberd_accounts_created":                    "When the account was made, to the hour; from ejabberd 25.03 on also when its password was changed.",
	"ejabberd_accounts_active":                     "Whether the person was online within the last day, week, month, quarter or year.",
	"ejabberd_accounts_never_logged_in":            "Whether the account was ever used.",
	"ejabberd_accounts_created_unused":             "Whether the person came back after the account was made.",
	"ejabberd_accounts_created_name_entropy_ratio": "Nothing of a person: it is about twenty names at least.",
	"ejabberd_account_credentials":                 "How the password is stored; where that changes, when it was set anew.",
	"ejabberd_accounts_banned":                     "Whether the person is banned, and since when.",

	"ejabberd_sessions":             "When the person is connected, to the minute, and with how many devices.",
	"ejabberd_accounts_online":      "When the person is connected, to the minute.",
	"ejabberd_session_connections":  "How the person is connected: an app or a browser, IPv4 or IPv6.",
	"ejabberd_sessions_by_show":     "What the person shows to contacts: available, away, do not disturb.",
	"ejabberd_session_age_seconds":  "About how long the person has been connected.",
	"ejabberd_sessions_per_account": "With how many devices the person is connected.",

	"ejabberd_s2s_connections":                 "Whether the person has lately had to do with people on other servers; not on which.",
	"ejabberd_s2s_sockets":                     "The same, as the kernel sees it.",
	"ejabberd_listener_up":                     nothing,
	"ejabberd_listener_connections":            "When the person is connected, on which port, by IPv4 or IPv6.",
	"ejabberd_connection_rtt_seconds":          "About how far away the person is, or that a mobile network is in between.",
	"ejabberd_host_tcp_listen_overflows_total": nothing,

	"ejabberd_process_cpu_seconds_total":     load,
	"ejabberd_process_resident_memory_bytes": load,
	"ejabberd_process_open_fds":              "When the person is connected: a connection is a descriptor.",
	"ejabberd_process_max_fds":               nothing,
	"ejabberd_process_start_time_seconds":    nothing,
	"ejabberd_erlang_process_limit":          nothing,
	"ejabberd_erlang_port_limit":             nothing,

	"ejabberd_certificate_not_after_timestamp_seconds":  nothing,
	"ejabberd_certificate_not_before_timestamp_seconds": nothing,
	"ejabberd_certificate_matches_file":                 nothing,

	"ejabberd_messages_to_offline_accounts_total": "When somebody wrote to the person who was away, to the scrape.",
	"ejabberd_account_registrations_total":        "When the account was made, to the scrape.",
	"ejabberd_account_removals_total":             "When the account was removed, to the scrape.",
	"ejabberd_logins_total":                       "When the person connected, to the scrape.",
	"ejabberd_logouts_total":                      "When the person disconnected, to the scrape.",
	"ejabberd_c2s_stanzas_received_total":         "When and how much the person writes, changes presence or answers; neither what nor to whom.",
	"ejabberd_c2s_stanzas_sent_total":             "When and how much the person is sent; neither what nor by whom.",
	"ejabberd_s2s_stanzas_sent_total":             "When and how much the person sends to other servers; not to which.",
	"ejabberd_s2s_stanzas_received_total":         "When and how much other servers send to the person; not which.",
	"ejabberd_exporter_events_dropped_total":      nothing,

	"ejabberd_log_messages_total":              load,
	"ejabberd_log_events_total":                "fail2ban_block: that the person, or somebody from the same address, mistyped a password too often. push_rejected: that the person uses push.",
	"ejabberd_auth_attempts_total":             "When the person logs in, and with which mechanism, which tells apps apart a little.",
	"ejabberd_auth_failures_total":             "When somebody, perhaps the person, gave a wrong password.",
	"ejabberd_s2s_auth_attempts_total":         "When a connection with another server began; not with which.",
	"ejabberd_s2s_auth_failures_total":         "The same, where it failed.",
	"ejabberd_s2s_connect_failures_total":      "That the person writes to servers that cannot be reached; not to which.",
	"ejabberd_upload_slots_total":              "When the person sends files.",
	"ejabberd_upload_rejected_total":           "When the person tried to send a file that was too large.",
	"ejabberd_upload_store_errors_total":       "When the person sends files, while the disk fails.",
	"ejabberd_log_last_line_timestamp_seconds": load,

	"ejabberd_auth_last_success_timestamp_seconds":     "In which hour the person last logged in, and with which mechanism.",
	"ejabberd_s2s_auth_last_success_timestamp_seconds": "In which hour a connection with another server last began; not with which.",

	"ejabberd_upload_files":                         "How many files of the person are kept; by its change, when they are sent.",
	"ejabberd_upload_bytes":                         "How much that is; by its change, how large a file is.",
	"ejabberd_upload_accounts":                      "Whether the person has sent a file.",
	"ejabberd_upload_scan_errors":                   nothing,
	"ejabberd_upload_oldest_file_timestamp_seconds": "When the oldest of these files was sent, to the second.",
	"ejabberd_upload_files_expired":                 "That files of the person are kept longer than was promised.",
	"ejabberd_upload_account_bytes":                 "About how much the person stores.",
	"ejabberd_upload_file_size_bytes":               "About how large the files are: pictures, recordings or films.",
	"ejabberd_upload_file_age_seconds":              "About how long ago files were sent.",
	"ejabberd_upload_accounts_over_quota":           "Whether the person stores more than the quota.",
	"ejabberd_upload_accounts_near_quota":           "Whether the person is about to lose files.",
	"ejabberd_upload_added_files_total":             "When the person sends files, to the hour.",
	"ejabberd_upload_added_bytes_total":             "How large they are.",
	"ejabberd_upload_removed_files_total":           "When files went, and whether the account went with them.",
	"ejabberd_upload_removed_bytes_total":           "How large they were.",
	"ejabberd_upload_evicted_age_seconds":           "How old files were that the quota took from the person.",
	"ejabberd_upload_quota_bytes":                   nothing,
	"ejabberd_upload_retention_seconds":             nothing,
	"ejabberd_upload_filesystem_size_bytes":         nothing,
	"ejabberd_upload_filesystem_avail_bytes":        "By its change, when the person sends files and how large they are, where little else writes there.",
	"ejabberd_upload_filesystem_inodes":             nothing,
	"ejabberd_upload_filesystem_inodes_free":        "By its change, when the person sends files, where little else writes there.",
	"ejabberd_upload_orphan_accounts":               "That somebody left, and files stayed.",
	"ejabberd_upload_orphan_bytes":                  "How much somebody left behind.",

	"ejabberd_muc_rooms_online":                 "Whether a room of this service is in use; not which, nor by whom.",
	"ejabberd_muc_rooms_stored":                 "When a lasting room was made.",
	"ejabberd_muc_subscribers":                  "How many rooms the person has subscribed to.",
	"ejabberd_offline_messages":                 "How many messages wait for the person; by its change, when they came and were fetched.",
	"ejabberd_offline_accounts":                 "Whether messages wait for the person.",
	"ejabberd_offline_oldest_timestamp_seconds": "When the first of them was sent, to the second.",
	"ejabberd_archive_oldest_timestamp_seconds": "When the oldest message that is kept was sent, to the second.",
	"ejabberd_archive_messages_recent":          "How many messages the person wrote and got within a day.",
	"ejabberd_roster_items":                     "How many contacts the person has; by its change, when one was added.",
	"ejabberd_roster_pending":                   "Whether a request for contact waits for an answer.",
	"ejabberd_pubsub_nodes":                     "Which features the person's apps use, roughly: avatars, encryption, bookmarks.",
	"ejabberd_pubsub_items":                     "The same; by its change, when a device was added or an avatar changed.",
	"ejabberd_push_sessions":                    "On how many devices the person uses push.",
	"ejabberd_vcards":                           "Whether the person has published a profile.",
	"ejabberd_oauth_tokens":                     "Whether a program has access to the account.",
	"ejabberd_invites":                          "Whether somebody was invited.",
	"ejabberd_orphan_rows":                      "That somebody left, and data stayed.",
	"ejabberd_oldest_data_timestamp_seconds":    "When the oldest message, file or line of the log was written, to the second.",

	"ejabberd_database_up":                  nothing,
	"ejabberd_database_size_bytes":          load,
	"ejabberd_database_connections":         load,
	"ejabberd_database_connection_limit":    nothing,
	"ejabberd_database_table_size_bytes":    "By its change, roughly how many messages or contacts there are.",
	"ejabberd_database_table_rows_estimate": "Roughly how many messages, contacts or nodes there are.",
	"ejabberd_database_table_dead_rows":     load,
	"ejabberd_config_finding":               "Nothing of a person, but what an attacker would try first.",

	"ejabberd_exporter_collector_success":                        nothing,
	"ejabberd_exporter_collector_duration_seconds":               load,
	"ejabberd_exporter_collector_last_success_timestamp_seconds": nothing,
	"ejabberd_exporter_collector_refresh_interval_seconds":       nothing,
	"ejabberd_exporter_api_requests_total":                       nothing,
	"ejabberd_exporter_api_request_seconds_total":                load,
	"ejabberd_exporter_build_info":                               nothing,
}

// privacyDoc says what each metric could reveal and how to be without it.
func privacyDoc(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("# Privacy\n" + generated + `
No page, log, error or plugin says who somebody is, with whom they talk or what about: no account, address, resource, room, file name or
message, whatever happens. [SECURITY.md](../SECURITY.md) says how that is kept, and which test proves it.

What is shown are numbers, and on a very small service a number is about somebody. If one person has an account, "sessions: 1" says that
this person is online; and Prometheus, which asks every 15 seconds and remembers for weeks, keeps a diary of it. This page says of every
metric what it would tell of **the one person of a service with a single account**. With every further account that uses the service at
the same hours it tells less; from some dozens on, little but the shape of a day.

## What to do about it

- **Show it to few.** The exporter listens on loopback. Prometheus and Grafana show what it counts to everybody who may log in there,
  for as long as Prometheus keeps it (` + "`--storage.tsdb.retention.time`" + `).
- **Switch off** what you would not act on: ` + "`--no-collector.NAME`" + `, or ` + "`EJABBERD_EXPORTER_COLLECTOR_NAME=false`" + `. What is switched off is not
  even read; ` + "`--grants`" + ` then prints fewer columns.
- **Drop** single metrics in Prometheus, which then keeps them nowhere:

  ` + "```yaml" + `
  metric_relabel_configs:
    - {source_labels: [__name__], regex: ejabberd_sessions_by_show|ejabberd_accounts_online, action: drop}
  ` + "```" + `

- **Ask less often.** A ` + "`scrape_interval`" + ` of two minutes tells a quarter of what 30 seconds tell. Two are the most: Prometheus
  forgets what is older than five minutes, so that lines would have gaps and alerts start anew. These boards take rates over four minutes;
  for panels of your own say two in Grafana's data source (Scrape interval).
- **Fold small hosts.** Vhosts beyond ` + "`--vhosts.max`" + ` are added up as ` + "`other`" + `: the first ones of ` + "`ejabberd.yml`, or of `--vhost`" + `, have numbers of their own.
- **Tell people.** ` + "`ejabberd_exporter privacy-report`" + ` writes a page about what is kept of them.

`)
	b.WriteString("For a service of a few people who know each other we would leave on the probes, ")
	for _, d := range forAFew {
		fmt.Fprintf(&b, "`%s`, ", d.Name)
	}
	b.WriteString("and switch off the rest.\n")
	told := map[string]bool{}
	row := func(m *metric.Metric) {
		told[m.Name] = true
		said := reveals[m.Name]
		if said == "" {
			t.Errorf("%s is missing in reveals of docs_privacy_test.go: say there what it tells of the one person of a service with a single account, or that it is nothing or load; then run make docs", m.Name)
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", m.Name, said)
	}
	const head = "\n\n| metric | what it tells of the one person of a service with a single account |\n|---|---|\n"
	for _, d := range collector.All {
		fmt.Fprintf(&b, "\n## %s\n\n", d.Name)
		if d.Disabled {
			fmt.Fprintf(&b, "Off unless asked for with `--collector.%s`.", d.Name)
		} else {
			fmt.Fprintf(&b, "Switched off with `--no-collector.%s`.", d.Name)
		}
		b.WriteString(head)
		for _, m := range d.Metrics {
			row(m)
		}
	}
	b.WriteString("\n## The exporter itself\n\nAlways there, as are `go_*` and `process_*`; Prometheus can drop them." + head)
	for _, m := range collector.SelfMetrics {
		row(m)
	}
	b.WriteString(`
## Probes

` + "`/probe`" + ` and the plugins tell what any stranger can find out, and nothing of a person: they look at an account of their own, if at any.
They run where Prometheus or a monitoring system asks for them, and nowhere else; ` + "`--probe.config`" + ` says which modules there are. Federation
and logins stand in the logs of the servers that are asked.

`)
	seen := map[string]bool{}
	var names []string
	outside := slices.Clone(exposition.ProbeMetrics)
	for _, p := range probes.All(sasl.Authenticate) {
		outside = append(outside, p.Metrics...)
	}
	for _, m := range outside {
		if !seen[m.Name] {
			names = append(names, m.Name)
		}
		seen[m.Name] = true
	}
	for _, name := range names {
		fmt.Fprintf(&b, "- `%s`: nothing of a person.\n", name)
	}
	for _, name := range slices.Sorted(maps.Keys(reveals)) {
		if !told[name] {
			t.Errorf("reveals of docs_privacy_test.go has %s, which is no metric", name)
		}
	}
	return b.String()
}

// TestSwitchedOff: what docs/privacy.md says about switching off is so.
func TestSwitchedOff(t *testing.T) {
	for _, d := range collector.All {
		for _, on := range parsed(t, "--no-collector."+d.Name).enabled(collector.All) {
			if on.Name == d.Name {
				t.Errorf("--no-collector.%s leaves it on", d.Name)
			}
		}
	}
}
