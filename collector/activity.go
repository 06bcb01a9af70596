// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/database"
	"github.com/chapril/ejabberd_exporter/internal/ejabberd"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// activityWindows are the windows of ejabberd_accounts_active, shortest first; each contains the one before.
var activityWindows = []struct {
	name string
	span time.Duration
}{
	{"1d", 24 * time.Hour},
	{"7d", 7 * 24 * time.Hour},
	{"30d", 30 * 24 * time.Hour},
	{"90d", 90 * 24 * time.Hour},
	{"365d", 365 * 24 * time.Hour},
}

var (
	accountsActive = &metric.Metric{
		Name: "ejabberd_accounts_active", Source: "PostgreSQL last, API connected_users", Scope: metric.Database, Refreshed: true,
		Labels: []metric.Label{metric.Vhost, metric.OneOf("window", "1d", "7d", "30d", "90d", "365d")},
		Help:   "Accounts that are online or were within the window; the windows contain each other",
	}
	neverLoggedIn = &metric.Metric{
		Name: "ejabberd_accounts_never_logged_in", Source: "PostgreSQL last, API connected_users", Scope: metric.Database, Refreshed: true,
		Labels: []metric.Label{metric.Vhost},
		Help:   "Accounts that are not online and of which no session ever ended since they were registered",
	}
)

// Activity counts accounts by when they were last online. The table last is written when a session ends, so who is online now
// has an old row or none: both lists are joined here, in memory; no name is sent to the database.
var Activity = Definition{
	Name: "activity", Source: Database, Refresh: 15 * time.Minute, Rare: true,
	Help:    "Accounts by when they were last online; off where ejabberd does not let us list sessions",
	Columns: map[string][]string{"last": {"username", "server_host", "seconds", "state"}},
	Metrics: []*metric.Metric{accountsActive, neverLoggedIn},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		online, err := src.present(ctx)
		if err != nil {
			return err
		}
		// The table is there on every server, and empty where ejabberd keeps its mod_last elsewhere.
		return src.inSQL(ctx, "mod_last", "last", func(ctx context.Context, db *database.Conn) error {
			known := both(src.storedVhosts(db, "mod_last", false), online.known)
			if len(known) == 0 {
				return nil
			}
			counted, err := countActivity(ctx, db, online.in(db), time.Now())
			if err != nil {
				return err
			}
			for vhost, n := range counted {
				if !slices.Contains(known, vhost) {
					continue
				}
				out.Add(neverLoggedIn, n.never, vhost)
				for i, w := range activityWindows {
					out.Add(accountsActive, n.online+n.offline[i], vhost, w.name)
				}
			}
			return nil
		})
	},
}

// in are the accounts that are online in one database's vhosts.
func (p *presence) in(db *database.Conn) map[ejabberd.Account]string {
	ours := identity(db.Target.Vhosts)
	present := map[ejabberd.Account]string{}
	for a, vhost := range p.accounts {
		if ours[vhost] != "" {
			present[a] = vhost
		}
	}
	return present
}

// take removes a row's account and tells whether it was online. A row of the old schema stands for the accounts of that name
// on all of the database's vhosts.
func take(present map[ejabberd.Account]string, user, host string, db *database.Conn) (online bool) {
	vhosts := db.Target.Vhosts
	if db.Schema.MultiHost {
		vhosts = []string{host}
	}
	for _, vhost := range vhosts {
		a := ejabberd.AccountOf(user, vhost)
		if _, ok := present[a]; ok {
			online = true
			delete(present, a)
		}
	}
	return online
}

// activityNumbers are the numbers of one vhost.
type activityNumbers struct {
	never, online float64
	offline       []float64 // active and not online, by window
}

// countActivity reads the table once, row by row, without keeping any.
func countActivity(ctx context.Context, db *database.Conn, present map[ejabberd.Account]string, now time.Time) (map[string]*activityNumbers, error) {
	counted := map[string]*activityNumbers{}
	for _, vhost := range db.VhostLabels() {
		counted[vhost] = &activityNumbers{offline: make([]float64, len(activityWindows))}
	}
	// The state of an account that never had a session is a fixed text of ejabberd's; other states are users' own words and
	// never leave the database.
	rows, err := db.Query(ctx, `SELECT `+db.HostColumn()+`, username, seconds, state = 'Registered but didn''t login' FROM last`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	host, vhost := "", db.VhostLabel("")
	for rows.Next() { //nolint:forbidigo // a million rows without a copy of each; Err is asked below
		row := rows.RawValues() // text
		if string(row[0]) != host {
			host = string(row[0])
			vhost = db.VhostLabel(host)
		}
		numbers, ours := counted[vhost]
		if !ours {
			continue
		}
		if take(present, string(row[1]), vhost, db) {
			numbers.online++
			continue
		}
		if string(row[3]) == "t" {
			numbers.never++
			continue
		}
		seconds, err := strconv.ParseInt(string(row[2]), 10, 64)
		if err != nil {
			continue // not a time, so not within any window
		}
		for i, w := range activityWindows {
			if now.Unix()-seconds < int64(w.span/time.Second) {
				numbers.offline[i]++
			}
		}
	}
	for _, vhost := range present { // online for the first time, so without a row
		counted[db.VhostLabel(vhost)].online++
	}
	return counted, rows.Err()
}
