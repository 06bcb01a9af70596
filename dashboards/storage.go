// SPDX-License-Identifier: Apache-2.0

package main

const noDatabase = "where ejabberd does not use PostgreSQL, or the exporter may not log in to it"

// storage answers: does the database live, has it room, what fills it.
func storage() board {
	return board{
		name: "storage", title: "Storage and database",
		says: "Does the database live, has it connections left, and what fills it.",
		rows: []row{
			{4, storageNumbers()},
			{8, []panel{
				{
					title: "Connections", unit: "short", width: 8,
					says:   "Connections to the database by who holds them; expected is what ejabberd holds while all is well. The limit is that of the server, which several databases share",
					normal: "ejabberd at expected; well below the limit",
					act:    "ejabberd below expected: it is cut off itself, look at ejabberd.log. Near the limit: raise max_connections, or find who holds them",
					empty:  noDatabase,
					draw:   lines(),
					show: []query{
						over(sumBy("role", gauge("ejabberd_database_connections")), "{{role}}"),
						over(sum(gauge("ejabberd_database_pool_expected")), "expected"),
						over(maxOf(gauge("ejabberd_database_connection_limit")), "limit"),
					},
				},
				{
					title: "Size of the database", unit: "bytes", width: 8,
					says: "On disk, by database", normal: "slow growth; it never shrinks by itself",
					act:   "a steep rise: the tables beside say which",
					empty: noDatabase,
					draw:  lines(),
					show:  []query{over(sumBy("database", gauge("ejabberd_database_size_bytes")), "{{database}}")},
				},
				{
					title: "Size of tables", unit: "bytes", width: 8,
					says: "On disk, with their indexes", normal: "archive is the largest by far",
					act:   "archive: ejabberdctl delete_old_mam_messages. spool: delete_old_messages. Others: look for a client or robot that writes much",
					empty: noDatabase,
					draw:  layers(),
					show:  []query{over(sumBy("table", gauge("ejabberd_database_table_size_bytes")), "{{table}}")},
				},
			}},
			{8, []panel{
				{
					title: "Rows that await vacuum", unit: "short", width: 8,
					says: "Deleted rows that still take room, by table", normal: "up and down: autovacuum cleans at 20 % of a table",
					act:   "only up: autovacuum is off, or something holds an old transaction: pg_stat_activity says who",
					empty: noDatabase,
					draw:  lines(),
					show:  []query{over(sumBy("table", gauge("ejabberd_database_table_dead_rows")), "{{table}}")},
				},
				{
					title: "Rows of tables", unit: "short", width: 8,
					says: "As PostgreSQL estimated them when it last analysed the table", normal: "slow growth",
					act:   "a steep rise says what is written; see the size of tables",
					empty: "before PostgreSQL has analysed a table for the first time; or " + noDatabase,
					draw:  lines(),
					show:  []query{over(sumBy("table", gauge("ejabberd_database_table_rows_estimate")), "{{table}}")},
				},
				{
					title: "Trouble with the database", unit: "short", width: 8,
					says: "Messages of ejabberd.log per hour: errors of SQL, and requests that found no free connection", normal: "0",
					act:   "sql_pool_overload: a slow database, or sql_pool_size is too small. sql_error: the schema is older than ejabberd, or the disk is full",
					empty: noLog,
					draw:  lines(),
					show:  []query{over(perHour(sumBy("event", rate("ejabberd_log_events_total", `event=~"sql_.+"`))), "{{event}}")},
				},
			}},
			{8, []panel{
				{
					title: "Messages that wait", unit: "short", width: 8,
					says: "Offline messages, by domain", normal: "slow growth: accounts that nobody reads any more",
					act:   "a steep rise: spam to dead accounts, or people cannot log in. ejabberdctl delete_old_messages clears old ones",
					empty: noSQL,
					draw:  lines(),
					show:  []query{over(sumBy("vhost", gauge("ejabberd_offline_messages")), "{{vhost}}")},
				},
				{
					title: "Messages archived within a day", unit: "short", width: 8,
					says: "Once for each account that keeps one, rooms included", normal: "what it was on the same day last week",
					act:   "a jump is a busy room, or spam; a fall to nothing is an archive that no longer works",
					empty: noSQL,
					draw:  lines(),
					show:  []query{over(sumBy("vhost", gauge("ejabberd_archive_messages_recent", `window="1d"`)), "{{vhost}}")},
				},
				{
					title: "How far back it reaches", unit: "s", width: 8,
					says: "Age of the oldest that is kept, by store, over all domains", normal: "each at your retention",
					act:   "beyond it: the job that deletes does not run; what you promise to people stands or falls here",
					empty: "while nothing is kept; or " + noSQL,
					draw:  lines(),
					show:  []query{over(maxBy("store", age(gauge("ejabberd_oldest_data_timestamp_seconds"))), "{{store}}")},
				},
			}},
			{8, []panel{
				{
					title: "Rooms", unit: "short", width: 8,
					says: "Rooms that are alive in memory, persistent ones, and subscriptions to them", normal: "slow change",
					act:   "a steep rise of those alive is a robot: look at access_create of mod_muc",
					empty: "where ejabberd does not let the exporter list rooms, and keeps them outside of PostgreSQL",
					draw:  lines(),
					show: []query{
						over(sum(gauge("ejabberd_muc_rooms_online")), "alive"),
						over(sum(gauge("ejabberd_muc_rooms_stored")), "persistent"),
						over(sum(gauge("ejabberd_muc_subscribers")), "subscriptions"),
					},
				},
				{
					title: "What accounts keep", unit: "short", width: 8,
					says:   "Contacts, requests that nobody answered, published items, profiles, push sessions, tokens and invitations",
					normal: "grows with the accounts",
					act:    "unanswered requests rising alone are contact spam; push sessions are cleaned by ejabberdctl delete_old_push_sessions",
					empty:  noSQL,
					draw:   lines(),
					show: []query{
						over(sum(gauge("ejabberd_roster_items")), "contacts"),
						over(sum(gauge("ejabberd_roster_pending")), "unanswered requests"),
						over(sum(gauge("ejabberd_pubsub_nodes")), "pubsub nodes"),
						over(sumBy("kind", gauge("ejabberd_pubsub_items")), "pubsub items: {{kind}}"),
						over(sum(gauge("ejabberd_vcards")), "profiles"),
						over(sum(gauge("ejabberd_push_sessions")), "push sessions"),
						over(sum(gauge("ejabberd_oauth_tokens")), "OAuth tokens"),
						over(sum(gauge("ejabberd_invites")), "invitations"),
					},
				},
				{
					title: "Rows of accounts that are gone", unit: "short", width: 8,
					says: "Data that should have gone with its account, by table", normal: "0",
					act:   "delete it: people who left expect it",
					empty: "unless --collector.orphans is on; or " + noSQL,
					draw:  lines(),
					show:  []query{over(sumBy("table", gauge("ejabberd_orphan_rows")), "{{table}}")},
				},
			}},
		},
	}
}

func storageNumbers() []panel {
	return []panel{
		{
			title: "PostgreSQL", unit: "none", width: 6,
			says: "Whether it answers; a refused login is an answer", normal: "up", act: "systemctl status postgresql, then its log", empty: noDatabase,
			draw: verdict(wellOr("up", "down")),
			show: []query{now(minOf(gauge("ejabberd_database_up")), "")},
		},
		{
			title: "Connections used", unit: "percentunit", width: 6,
			says: "Of those that ejabberd's role may have; the fullest of several databases", normal: "below 80 %",
			act: "raise max_connections, or find who holds them: see the lines below", empty: noDatabase,
			draw: number(above(0.8, 0.9)),
			show: []query{now(maxOf(connectionsUsed()), "")},
		},
		{
			title: "Connections that ejabberd lacks", unit: "short", width: 6,
			says: "Expected connections that are not there, of all databases", normal: "0; a few for a moment after a restart",
			act:   "ejabberd cannot reach the database though the exporter may: look at ejabberd.log, at pg_hba.conf and at the limit of its role",
			empty: noDatabase + "; or where sql_pool_size is not known",
			draw:  number(noneIsGood()),
			show: []query{now(sum("clamp_min("+gauge("ejabberd_database_pool_expected")+" - sum without (role) ("+
				gauge("ejabberd_database_connections", `role="ejabberd"`)+"), 0)"), "")},
		},
		{
			title: "Messages that wait now", unit: "short", width: 6,
			says: "Offline messages, and the accounts that they wait for", normal: "slow growth", act: "see the lines below", empty: noSQL,
			draw: number(neutral()),
			show: []query{
				now(sum(gauge("ejabberd_offline_messages")), "messages"),
				now(sum(gauge("ejabberd_offline_accounts")), "accounts"),
			},
		},
	}
}
