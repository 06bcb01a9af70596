// SPDX-License-Identifier: Apache-2.0

package main

// abuse answers: are those who register people, and what do they do.
func abuse() board {
	return board{
		name: "abuse", title: "Abuse",
		says: "Whether new accounts are people or robots, and whether they write to others far more than people do.",
		rows: []row{
			{4, abuseNumbers()},
			{8, []panel{
				{
					title: "New accounts within an hour", unit: "short", width: 12,
					says:   "Accounts made within the last hour, by domain, and the limit of each: ten times what an hour of its last 30 days had, and 20 at least. The alert is about what is above it",
					normal: "far below the limit",
					act:    "above it: look whether they come back and how their names look. If they are people, it is a popular day",
					empty:  noSQL,
					draw:   lines(),
					show: []query{
						over(sumBy("vhost", gauge("ejabberd_accounts_created", `window="1h"`)), "{{vhost}}"),
						over("clamp_min(10 * "+sumBy("vhost", gauge("ejabberd_accounts_created", `window="30d"`))+" / 720, 20)", "limit {{vhost}}"),
					},
				},
				{
					title: "Never came back", unit: "percentunit", width: 12,
					says:   "Share of the new accounts of each window that are not online and were not later than ten minutes after they were made",
					normal: "the hour jumps about; the others are steady, often around a half",
					act:    "near 100 % in the windows that a wave falls into: robots that keep accounts. Close registration, then clean up",
					empty:  noSQL + "; or while nobody registers",
					draw:   lines(),
					show: []query{over(sumBy("window", gauge("ejabberd_accounts_created_unused", `window=~"1h|1d|7d|30d"`))+" / "+
						sumBy("window", gauge("ejabberd_accounts_created", `window=~"1h|1d|7d|30d"`)), "{{window}}")},
				},
			}},
			{8, []panel{
				{
					title: "How unlike names are", unit: "short", width: 8,
					says: "1: no two names of new accounts have their letters, digits and signs in the same places; 0: all have. The lowest of the domains, " +
						"where at least 20 are new",
					normal: "the windows close together, at a height of your own: lower, the more register",
					act:    "an hour or a day far below 30 days: names of one make. Above it says nothing",
					empty:  noSQL + "; or below 20 new accounts",
					draw:   lines(),
					show:   []query{over(minBy("window", gauge("ejabberd_accounts_created_name_entropy_ratio", `window=~"1h|1d|7d|30d"`)), "{{window}}")},
				},
				{
					title: "Pending requests for subscriptions", unit: "short", width: 8,
					says:   "Requests to be on somebody's list of contacts that nobody has answered, by domain",
					normal: "slow growth",
					act:    "a jump is accounts that ask everybody: ban them, and offer people mod_block_strangers",
					empty:  noSQL,
					draw:   lines(),
					show:   []query{over(sumBy("vhost", gauge("ejabberd_roster_pending")), "{{vhost}}")},
				},
				{
					title: "Written to other servers, per account", unit: "short", width: 8,
					says:   "Stanzas per hour to other servers, for each account that is online; without what rooms send",
					normal: "a steady band: more people write more, each of them as much",
					act:    "a jump is few that write a lot, to strangers most likely: a wave may have begun to work",
					empty:  noEvents + ", or " + noList,
					draw:   lines(),
					show: []query{over(perHour(sumBy("vhost", rate("ejabberd_s2s_stanzas_sent_total")))+" / "+
						sumBy("vhost", gauge("ejabberd_accounts_online")), "{{vhost}}")},
				},
			}},
		},
	}
}

func abuseNumbers() []panel {
	share := func(window string) string {
		return sum(gauge("ejabberd_accounts_created_unused", window)) + " / " + sum(gauge("ejabberd_accounts_created", window))
	}
	return []panel{
		{
			title: "New within a day", unit: "short", width: 4,
			says: "Accounts made within the last day, of all domains", normal: "the number that you know", act: "see the lines below", empty: noSQL,
			draw: number(neutral()),
			show: []query{now(sum(gauge("ejabberd_accounts_created", `window="1d"`)), "")},
		},
		{
			title: "Times the usual day", unit: "short", width: 4,
			says: "How many times as many that is as a day of the last 30 had", normal: "around 1", act: "above 3, look at the lines below", empty: noSQL,
			draw: number(atMost(3)),
			show: []query{now("30 * "+sum(gauge("ejabberd_accounts_created", `window="1d"`))+" / "+sum(gauge("ejabberd_accounts_created", `window="30d"`)), "")},
		},
		{
			title: "Never came back, of a day", unit: "percentunit", width: 4,
			says: "Share of the accounts of the last day that nobody came back to", normal: "as much as of 30 days", act: "see the lines below",
			empty: noSQL + "; or when none is new",
			draw:  number(neutral()),
			show:  []query{now(share(`window="1d"`), "")},
		},
		{
			title: "Never came back, of 30 days", unit: "percentunit", width: 4,
			says: "Share of the accounts of the last 30 days that nobody came back to", normal: "steady",
			act:   "near 100 % registration serves robots alone: a captcha, invitations, or close it",
			empty: noSQL + "; or when none is new",
			draw:  number(neutral()),
			show:  []query{now(share(`window="30d"`), "")},
		},
		{
			title: "Registrations per hour", unit: "short", width: 4,
			says: "Accounts made per hour, counted as it happens, deleted ones included", normal: "single ones", act: "see the lines below",
			empty: noEvents,
			draw:  number(neutral()),
			show:  []query{now(perHour(sum(rate("ejabberd_account_registrations_total"))), "")},
		},
		{
			title: "Banned accounts", unit: "short", width: 4,
			says: "Accounts that are banned", normal: "a steady number", act: "what is banned should no longer write: see the lines below",
			empty: "before ejabberd 24.06, which leaves no trace of a ban",
			draw:  number(neutral()),
			show:  []query{now(sum(gauge("ejabberd_accounts_banned")), "")},
		},
	}
}
