// SPDX-License-Identifier: Apache-2.0

package main

const (
	noUploads  = "where no uploads are stored on this host, or the exporter may not look at them"
	noQuota    = "without a quota"
	noEviction = "while the quota deletes nothing"
)

// uploads answers: how much is stored, who is about to lose files, does the sweep work, how long is there room.
func uploads() board {
	return board{
		name: "uploads", title: "Uploads and quota",
		says: "How much is stored, who is about to lose files, whether old files are swept, and how long there is room.",
		rows: []row{
			{4, uploadNumbers()},
			{8, []panel{
				{
					title: "Stored, by domain", unit: "bytes", width: 8,
					says: "Size of all uploaded files, as the quota counts it", normal: "slow growth, then a plateau when the retention begins to work",
					act:   "a steep rise: look at who uploads (below) and at the quota",
					empty: noUploads,
					draw:  layers(),
					show:  []query{over(sumBy("vhost", gauge("ejabberd_upload_bytes")), "{{vhost}}")},
				},
				{
					title: "Disk of the uploads", unit: "percentunit", width: 8,
					says: "How much of the space and of the inodes is used, by file system", normal: "below 80 %",
					act:   "lower quota or retention, or grow the disk: a full disk refuses uploads, and on the system's disk everything",
					empty: noUploads,
					draw:  limited(above(0.8, 0.9)),
					show: []query{
						over(diskUsed(), "space {{filesystem}}"),
						over(inodesUsed(), "inodes {{filesystem}}"),
					},
				},
				{
					title: "Accounts near and over the quota", unit: "short", width: 8,
					says:   "near: 90 % of the hard one is used. Over the hard quota, the oldest files are deleted down to the soft one, at the next upload",
					normal: "a few, and always the same",
					act:    "a rise is people who will lose files soon: tell them, or raise the quota",
					empty:  noQuota + "; or " + noUploads,
					draw:   lines(),
					show: []query{
						over(sumBy("level", gauge("ejabberd_upload_accounts_over_quota", `level=~"soft|hard"`)), "over {{level}}"),
						over(sum(gauge("ejabberd_upload_accounts_near_quota", `level="hard"`)), "near"),
					},
				},
			}},
			{8, []panel{
				{
					title: "Uploaded and deleted", unit: "Bps", width: 12,
					says: "Bytes per second that came and went, by why they went, in the mean of an hour", normal: "both about the same once the retention works",
					act:   "quota: people lose files before their time. account: with their accounts. unknown: by hand, or by something that we do not know",
					empty: noUploads,
					draw:  lines(),
					show: []query{
						over(sum(walkRate("ejabberd_upload_added_bytes_total")), "uploaded"),
						over(sumBy("reason", walkRate("ejabberd_upload_removed_bytes_total")), "deleted: {{reason}}"),
					},
				},
				{
					title: "How old files were that the quota deleted", unit: "s", width: 12,
					says: "Median of those deleted within an hour, beside the retention that people were promised", normal: "nothing, or close to the retention",
					act:   "days or weeks: files live far shorter than promised; raise the quota, or say so to people",
					empty: noEviction + "; or " + noUploads,
					draw:  lines(),
					show: []query{
						over(quantile("0.5", "", walkBucketRate("ejabberd_upload_evicted_age_seconds")), "median age"),
						over(minOf(gauge("ejabberd_upload_retention_seconds")), "limit"),
					},
				},
			}},
			{8, []panel{
				{
					title: "Upload slots", unit: "short", width: 8,
					says: "Uploads per hour that were allowed and refused, and those that could not be written", normal: "allowed, in the shape of the day",
					act:   "store errors: the disk, or its permissions. too_large: people want more than max_size. denied: the access rule",
					empty: noLog,
					draw:  lines(),
					show: []query{
						over(perHour(sum(rate("ejabberd_upload_slots_total"))), "allowed"),
						over(perHour(sumBy("reason", rate("ejabberd_upload_rejected_total"))), "refused: {{reason}}"),
						over(perHour(sum(rate("ejabberd_upload_store_errors_total"))), "failed"),
					},
				},
				{
					title: "Files that should be gone", unit: "short", width: 8,
					says: "Files older than the retention and 36 hours", normal: "0: ejabberd sweeps once a day",
					act:   "above 0 and growing: the sweep does not run. Restart mod_http_upload_quota, and look for files that ejabberd may not delete",
					empty: "where files are kept for ever; or " + noUploads,
					draw:  lines(),
					show:  []query{over(sumBy("vhost", gauge("ejabberd_upload_files_expired")), "{{vhost}}")},
				},
				{
					title: "Oldest file", unit: "s", width: 8,
					says: "Age of the oldest file of each domain, beside the retention", normal: "at the limit or below",
					act:   "above it by more than two days: the sweep does not run, or the file's account changed its domain",
					empty: "without files; or " + noUploads,
					draw:  lines(),
					show: []query{
						over(maxBy("vhost", age(gauge("ejabberd_upload_oldest_file_timestamp_seconds"))), "{{vhost}}"),
						over(minOf(gauge("ejabberd_upload_retention_seconds")), "limit"),
					},
				},
			}},
			{8, []panel{
				{
					title: "How much accounts store", unit: "bytes", width: 12,
					says: "Number of accounts by what they have stored", normal: "most store little",
					act:   "a band that moves towards the quota is people who will lose files",
					empty: noUploads,
					draw:  clouds(),
					show:  []query{{expr: sumBy("le", buckets("ejabberd_upload_account_bytes")), legend: "{{le}}", format: cells}},
				},
				{
					title: "How old files are", unit: "s", width: 12,
					says: "Number of files by age", normal: "spread up to the retention",
					act:   "nothing beyond some days: files are deleted early, see the quota. Beyond the retention: the sweep does not run",
					empty: noUploads,
					draw:  clouds(),
					show:  []query{{expr: sumBy("le", buckets("ejabberd_upload_file_age_seconds")), legend: "{{le}}", format: cells}},
				},
			}},
		},
	}
}

func uploadNumbers() []panel {
	return []panel{
		{
			title: "Stored now", unit: "bytes", width: 4,
			says: "Size of all uploaded files", normal: "slow growth", act: "see the lines below", empty: noUploads,
			draw: number(neutral()),
			show: []query{now(sum(gauge("ejabberd_upload_bytes")), "")},
		},
		{
			title: "Accounts with files", unit: "short", width: 4,
			says: "Accounts that have at least one file", normal: "slow growth", act: "a fast rise is robots that use the service as a file host", empty: noUploads,
			draw: number(neutral()),
			show: []query{now(sum(gauge("ejabberd_upload_accounts")), "")},
		},
		{
			title: "Near the hard quota", unit: "short", width: 4,
			says: "Accounts that have used 90 % of it, and not all: they will lose files soon", normal: "a few",
			act: "tell them, or raise the quota", empty: noQuota,
			draw: number(neutral()),
			show: []query{now(sum(gauge("ejabberd_upload_accounts_near_quota", `level="hard"`)), "")},
		},
		{
			title: "Space left", unit: "bytes", width: 4,
			says: "On the file system of the uploads; the least of several", normal: "enough for weeks", act: "see the disk below", empty: noUploads,
			draw: number(neutral()),
			show: []query{now(minOf(least(each("ejabberd_upload_filesystem_avail_bytes"))), "")},
		},
		{
			title: "Unreadable", unit: "short", width: 4,
			says:   "Directories and files that the last walk could not look at: all other numbers here lack them",
			normal: "0", act: "the exporter's log and ejabberd_exporter --check say how to let it in", empty: noUploads,
			draw: number(noneIsGood()),
			show: []query{now(sum(gauge("ejabberd_upload_scan_errors")), "")},
		},
		{
			title: "Quota and orphans", unit: "bytes", width: 4,
			says:   "What one account may store, and what accounts have left behind that no longer exist",
			normal: "the quota that you know, and nothing left behind", act: "what is left behind can be deleted with its directories",
			empty: "the quota, " + noQuota + "; what is left behind, unless --collector.upload_orphans is on",
			draw:  number(neutral()),
			show: []query{
				now(minOf(gauge("ejabberd_upload_quota_bytes", `level="hard"`)), "quota"),
				now(sum(gauge("ejabberd_upload_orphan_bytes")), "left behind"),
			},
		},
	}
}
