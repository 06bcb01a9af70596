// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"fmt"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/ejabberd"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var accountsBanned = &metric.Metric{
	Name: "ejabberd_accounts_banned", Source: "PostgreSQL private_storage (from ejabberd 24.06)", Scope: metric.Database, Refreshed: true,
	Labels: []metric.Label{metric.Vhost},
	Help:   "Accounts that are banned, by ejabberd 24.06 or later: earlier releases leave no trace of a ban",
}

// Banned counts banned accounts.
var Banned = Definition{
	Name: "banned", Source: Database, Refresh: 15 * time.Minute,
	Help:    "Accounts that are banned; off before ejabberd 24.06",
	Columns: map[string][]string{"private_storage": {"server_host", "namespace"}},
	Metrics: []*metric.Metric{accountsBanned},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		if src.Databases == nil {
			return src.absent(errNoSQL)
		}
		api, err := src.api()
		if err != nil {
			return err
		}
		if version, _, err := api.Status(ctx); err != nil {
			return err
		} else if !ejabberd.Since(version, "24.06") {
			return fmt.Errorf("%w: up to 24.02 ejabberd replaces the password of a banned account and leaves no trace", ErrOff)
		}
		bans := stored{
			store: "mod_private", table: "private_storage", rare: true,
			counts: []count{{metric: accountsBanned, where: "t.namespace = 'jabber:ejabberd:banned'"}},
		}
		return bans.collect(ctx, src, out)
	},
}
