// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"strconv"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/database"
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
	Name: "activity", Source: Database, Refresh: 15 * time.Minute,
	Help:    "Accounts by when they were last online; off where ejabberd does not let us list sessions",
	Columns: map[string][]string{"last": {"username", "server_host", "seconds", "state"}},
	Metrics: []*metric.Metric{accountsActive, neverLoggedIn},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		online, err := src.online(ctx)
		if err != nil {
			return err
		}
		return src.refresh(ctx, func(ctx context.Context, db *database.Conn) error {
			if !db.Schema.Has("last") {
				return nil
			}
			present := online.in(db)
			counted, err := countActivity(ctx, db, present, time.Now())
			if err != nil {
				return err
			}
			for account := range present {
				counted[account.vhost].online++
			}
			for vhost, n := range counted {
				out.Add(neverLoggedIn, n.never, vhost)
				for i, w := range activityWindows {
					out.Add(accountsActive, n.online+n.offline[i], vhost, w.name)
				}
			}
			return nil
		})
	},
}

// in are the accounts that are online in one database's vhosts. In the old schema an account belongs to all of its vhosts.
func (p *presence) in(db *database.Conn) map[account]struct{} {
	ours := identity(db.Target.Vhosts)
	present := map[account]struct{}{}
	for a := range p.accounts {
		if _, ok := ours[a.vhost]; ok || a.vhost == metric.Shared {
			present[account{db.VhostLabel(a.vhost), a.user}] = struct{}{}
		}
	}
	return present
}

// activityNumbers are the numbers of one vhost.
type activityNumbers struct {
	never, online float64
	offline       []float64 // active and not online, by window
}

// countActivity reads the table once, row by row, without keeping any, and counts who is not online.
func countActivity(ctx context.Context, db *database.Conn, present map[account]struct{}, now time.Time) (map[string]*activityNumbers, error) {
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
	for rows.Next() {
		row := rows.RawValues() // text
		if string(row[0]) != host {
			host = string(row[0])
			vhost = db.VhostLabel(host)
		}
		numbers, ours := counted[vhost]
		if _, online := present[account{vhost, string(row[1])}]; online || !ours {
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
	return counted, rows.Err()
}
