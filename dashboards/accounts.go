// SPDX-License-Identifier: Apache-2.0

package main

// accounts answers: how large is the service, who comes, are these people or robots.
func accounts() board {
	return board{
		name: "accounts", title: "Accounts and registrations",
		says: "How large the service is, how many come and go, and whether those who register are people.",
		rows: []row{
			{4, accountNumbers()},
			{8, []panel{
				{
					title: "Accounts", unit: "short", width: 12,
					says: "Accounts that exist, by domain", normal: "slow growth, or a step down when old accounts are removed",
					act:   "a steep rise is a registration wave; a step down that nobody made is accounts that vanished: look for unregister in the logs and at the backup",
					empty: noSQL,
					draw:  lines(),
					show:  []query{over(sumBy("vhost", gauge("ejabberd_accounts")), "{{vhost}}")},
				},
				{
					title: "New accounts within an hour", unit: "short", width: 12,
					says:   "Accounts made within the last hour that still exist, by domain, as the database has them",
					normal: "a few at a time, where registration is open",
					act:    "many at once is a robot: switch on the captcha or raise registration_timeout, then look at those who never logged in",
					empty:  noSQL,
					draw:   lines(),
					show:   []query{over(sumBy("vhost", gauge("ejabberd_accounts_created", `window="1h"`)), "{{vhost}}")},
				},
			}},
			{8, []panel{
				{
					title: "Registrations and removals", unit: "short", width: 8,
					says: "Accounts made and removed per hour, counted as it happens", normal: "single ones",
					act:   "many registrations: a wave. Many removals: somebody cleans up, or should be asked what they do",
					empty: noEvents,
					draw:  lines(),
					show: []query{
						over(perHour(sum(rate("ejabberd_account_registrations_total"))), "registered"),
						over(perHour(sum(rate("ejabberd_account_removals_total"))), "removed"),
					},
				},
				{
					title: "New accounts per day", unit: "short", width: 8,
					says:   "Accounts made within the last day, and the mean per day of the last 7 and 30 days; the windows contain each other",
					normal: "three lines close together",
					act:    "the day far above the means is a wave that has begun; all above those of last month is growth",
					empty:  noSQL,
					draw:   lines(),
					show: []query{
						over(sum(gauge("ejabberd_accounts_created", `window="1d"`)), "last day"),
						over(sum(gauge("ejabberd_accounts_created", `window="7d"`))+" / 7", "mean of 7 days"),
						over(sum(gauge("ejabberd_accounts_created", `window="30d"`))+" / 30", "mean of 30 days"),
					},
				},
				{
					title: "Accounts that never logged in", unit: "percentunit", width: 8,
					says:   "Share of the accounts of each domain that no session was ever seen of",
					normal: "a steady share: some people register and do not come",
					act:    "a rising share is robots keeping accounts for later: ejabberdctl delete_old_users removes them, after a look at who it would be",
					empty:  noSQL,
					draw:   lines(),
					show: []query{over(sumBy("vhost", gauge("ejabberd_accounts_never_logged_in"))+" / "+
						sumBy("vhost", gauge("ejabberd_accounts")), "{{vhost}}")},
				},
			}},
			{8, []panel{
				{
					title: "Accounts by last activity", unit: "short", width: 8,
					says:   "Accounts that are online or were within the window; the windows contain each other",
					normal: "lines that keep their distances; the day's line breathes",
					act:    "the day's line falls alone: people cannot log in. All fall slowly: they leave",
					empty:  noSQL,
					draw:   lines(),
					show:   []query{over(sumBy("window", gauge("ejabberd_accounts_active", `window=~"1d|7d|30d|90d|365d"`)), "{{window}}")},
				},
				{
					title: "How passwords are stored", unit: "short", width: 8,
					says:   "Accounts by the form in which their password is stored; an account may have several from ejabberd 25.03 on",
					normal: "scram alone, or scram-sha-1, -256 and -512",
					act:    "plain or unmigrated above 0: set auth_password_format: scram, and convert with ejabberdctl convert_to_scram",
					empty:  noSQL,
					draw:   layers(),
					show:   []query{over(sumBy("format", gauge("ejabberd_account_credentials")), "{{format}}")},
				},
				{
					title: "Domains", unit: "short", width: 8,
					says: "What each domain has now", normal: "the numbers that you know",
					act:   "a domain that is missing here is one that ejabberd no longer serves: compare with hosts in ejabberd.yml",
					empty: noSQL,
					draw:  list("vhost", "Domain", "Accounts", "Active, 30 days", "New, 7 days", "Never logged in"),
					show: []query{
						{expr: sumBy("vhost", gauge("ejabberd_accounts")), format: rows},
						{expr: sumBy("vhost", gauge("ejabberd_accounts_active", `window="30d"`)), format: rows},
						{expr: sumBy("vhost", gauge("ejabberd_accounts_created", `window="7d"`)), format: rows},
						{expr: sumBy("vhost", gauge("ejabberd_accounts_never_logged_in")), format: rows},
					},
				},
			}},
		},
	}
}

// Why panels may be empty, in the same words everywhere.
const (
	noSQL    = "where ejabberd keeps this outside of PostgreSQL, or the exporter may not read it: ejabberd_exporter --check says which"
	noEvents = "where ejabberd has no mod_metrics that sends to the exporter"
	noLog    = "where the exporter may not read ejabberd.log"
	noProbes = "where no probes are scraped: examples/prometheus.yml has the job"
	noList   = "where ejabberd does not let the exporter list sessions, or there are more than --sessions.max"
)

func accountNumbers() []panel {
	return []panel{
		{
			title: "Accounts now", unit: "short", width: 4,
			says: "Accounts that exist, of all domains", normal: "the number that you know", act: "see the lines below", empty: noSQL,
			draw: number(neutral()),
			show: []query{now(sum(gauge("ejabberd_accounts")), "")},
		},
		{
			title: "New within a day", unit: "short", width: 4,
			says: "Accounts made within the last 24 hours that still exist", normal: "as many as on other days",
			act: "many more is a wave: see the lines below", empty: noSQL,
			draw: number(neutral()),
			show: []query{now(sum(gauge("ejabberd_accounts_created", `window="1d"`)), "")},
		},
		{
			title: "Active within 30 days", unit: "short", width: 4,
			says: "Accounts that are online or were within 30 days", normal: "slow change", act: "see Accounts by last activity", empty: noSQL,
			draw: number(neutral()),
			show: []query{now(sum(gauge("ejabberd_accounts_active", `window="30d"`)), "")},
		},
		{
			title: "Never logged in", unit: "short", width: 4,
			says: "Accounts that no session was ever seen of", normal: "a small part of all", act: "see the share below", empty: noSQL,
			draw: number(neutral()),
			show: []query{now(sum(gauge("ejabberd_accounts_never_logged_in")), "")},
		},
		{
			title: "Plain passwords", unit: "short", width: 4,
			says:   "Accounts whose password is stored so that whoever reads the database can read it",
			normal: "0", act: "set auth_password_format: scram, then ejabberdctl convert_to_scram for each domain", empty: noSQL,
			draw: number(noneIsGood()),
			show: []query{now(sum(gauge("ejabberd_account_credentials", `format="plain"`)), "")},
		},
		{
			title: "Banned", unit: "short", width: 4,
			says: "Accounts that an administrator has banned", normal: "few", act: "ban_account and unban_account of ejabberdctl change it",
			empty: "before ejabberd 24.06, which leaves no trace of a ban",
			draw:  number(neutral()),
			show:  []query{now(sum(gauge("ejabberd_accounts_banned")), "")},
		},
	}
}
