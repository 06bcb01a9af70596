// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/chapril/ejabberd_exporter/internal/database"
	"github.com/chapril/ejabberd_exporter/internal/ejabberd"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var accountsOnline = &metric.Metric{
	Name: "ejabberd_accounts_online", Source: "API connected_users", Scope: metric.Cluster, Refreshed: true,
	Labels: []metric.Label{metric.Vhost},
	Help:   "Accounts with at least one session",
}

// Online counts accounts that are online. It passes the list of who is online through memory, once, and keeps nothing of it.
var Online = Definition{
	Name: "online", Source: API, Refresh: time.Minute, Rare: true,
	Help:    "Accounts that are online; off where ejabberd does not let us list sessions",
	Metrics: []*metric.Metric{accountsOnline},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		online, err := src.online(ctx)
		if err != nil {
			return err
		}
		for _, vhost := range online.vhosts {
			out.Add(accountsOnline, 0, vhost)
		}
		for _, vhost := range online.accounts {
			out.Add(accountsOnline, 1, vhost)
		}
		return nil
	},
}

// presence is who was online during one run, and on which vhosts that is known.
type presence struct {
	vhosts   []string                    // labels
	known    []string                    // labels of accounts that can be looked up in accounts
	accounts map[ejabberd.Account]string // with its vhost
}

func (p *presence) add(vhost string, a ejabberd.Account) { p.accounts[a] = vhost }

// online lists who is online: from ejabberd's memory, or from the table sm for vhosts that keep their sessions there.
func (s *Sources) online(ctx context.Context) (*presence, error) {
	api, err := s.api()
	if err != nil {
		return nil, err
	}
	p := &presence{accounts: map[ejabberd.Account]string{}}
	if len(s.SessionsInSQL) > 0 {
		p.vhosts, err = s.sessionRows(ctx, p.add)
		// Who is online on any of several vhosts is not to be found on one of them.
		p.known = slices.DeleteFunc(slices.Clone(p.vhosts), func(v string) bool { return v == metric.Shared })
		return p, err
	}
	if p.vhosts, err = api.Vhosts(ctx); err != nil {
		return nil, err
	}
	p.known = slices.Concat(p.vhosts, []string{metric.Shared})
	return p, namesOff(api.ConnectedUsers(ctx, p.add))
}

// present is online for whoever looks accounts up in it.
func (s *Sources) present(ctx context.Context) (*presence, error) {
	p, err := s.online(ctx)
	if err == nil && len(p.known) == 0 {
		err = fmt.Errorf("%w: sessions are kept in SQL, and no table sm tells of which vhost they are", ErrOff)
	}
	return p, err
}

// namesOff makes of a refusal that the operator does not want us to read names: that is a choice, not a failure.
func namesOff(err error) error {
	if refused := (*ejabberd.Refused)(nil); errors.As(err, &refused) && refused.Status == 403 {
		return fmt.Errorf("%w: sessions and rooms may not be listed by name: %w", ErrOff, err)
	}
	return err
}

// sessionRows reads the table sm (sm_db_type: sql), and gives the labels that it knows all sessions of. Its rows outlive a crash of
// ejabberd, so they are only believed while ejabberd answers.
func (s *Sources) sessionRows(ctx context.Context, each func(string, ejabberd.Account)) (vhosts []string, err error) {
	if _, err := s.API.Uptime(ctx); err != nil {
		return nil, err
	}
	err = s.refresh(ctx, func(ctx context.Context, db *database.Conn) error {
		wanted := vhostLabels(db, s.SessionsInSQL)
		if len(wanted) == 0 {
			return nil
		}
		if !db.Schema.Has("sm") {
			return errors.New("there is no table sm, in which sm_db_type: sql keeps sessions: ejabberd runs with another configuration, or this is not its database")
		}
		vhosts = append(vhosts, wanted...)
		rows, err := db.Query(ctx, `SELECT username, `+db.HostColumn()+` FROM sm`)
		if err != nil {
			return err
		}
		var user, host string
		_, err = pgx.ForEachRow(rows, []any{&user, &host}, func() error {
			if vhost := db.VhostLabel(host); slices.Contains(wanted, vhost) {
				each(vhost, ejabberd.AccountOf(user, vhost))
			}
			return nil
		})
		return err
	})
	return vhosts, err
}
