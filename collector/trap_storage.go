// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/database"
	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
)

// schemaMismatch: whoever tells ejabberd of a column for the vhost that is not there, or does not tell of one that is, gets
// accounts that belong to every vhost at once.
var schemaMismatch = Trap{
	Name: "schema_mismatch", Severe: true,
	Why: "ejabberd then mixes the accounts and messages of its vhosts, or fails at each query",
	Fix: "new_sql_schema (sql_schema_multihost from 25.10 on) as the tables are: true if users has the column server_host",
	Look: func(ctx context.Context, src *Sources) (found []string, err error) {
		if src.Databases == nil {
			return nil, nil
		}
		err = src.refresh(ctx, func(_ context.Context, db *database.Conn) error {
			if !db.Schema.Known {
				return errors.New("none of ejabberd's tables is there that would tell its schema")
			}
			i := slices.IndexFunc(src.Config.Databases, func(c ejabberdconf.Database) bool { return slices.Equal(c.Vhosts, db.Target.Vhosts) })
			if i < 0 {
				return errors.New("a flag names the database: what ejabberd.yml says of it is not known")
			}
			if says := src.Config.Databases[i].MultiHost; says != db.Schema.MultiHost {
				found = append(found, fmt.Sprintf("the SQL schema option is %t, but the tables are of the other schema", says))
			}
			return nil
		})
		if len(found) > 0 {
			return found, nil // that much is known
		}
		return nil, err
	},
}

var plainPasswords = Trap{
	Name: "plain_passwords", Severe: true,
	Why: "who gets hold of a copy of the database has everybody's password",
	Fix: "auth_password_format: scram (from 25.03 on also: no plain in auth_stored_password_types), then for each host: ejabberdctl convert_to_scram HOST",
	Look: func(ctx context.Context, src *Sources) ([]string, error) {
		look := policy("passwords are stored as they are (auth_password_format, auth_stored_password_types) at %s", func(src *Sources) []string { return src.Config.Policy.PlainPasswords })
		found, _ := look(ctx, src)
		set, err := taste(ctx, src, Credentials)
		if err != nil {
			if len(found) > 0 {
				return found, nil // that much is known
			}
			return nil, err
		}
		for _, s := range set.All() {
			if s.Labels[1] == "plain" && s.Value > 0 {
				found = append(found, fmt.Sprintf("%.0f accounts of %s have a plain password in the database", s.Value, s.Labels[0]))
			}
		}
		return found, nil
	},
}

var s2sInClear = Trap{
	Name: "s2s_in_clear",
	Why:  "messages to and from servers that do not encrypt cross the network as they are",
	Fix:  "s2s_use_starttls: required, or required_trusted to refuse certificates that nobody vouches for",
	Look: func(_ context.Context, src *Sources) ([]string, error) {
		federates := slices.ContainsFunc(src.Config.Listeners, func(l ejabberdconf.Listener) bool { return l.Module == "ejabberd_s2s_in" })
		if use := src.Config.Policy.S2SStartTLS; federates && (use == "false" || use == "optional") {
			return []string{"s2s_use_starttls is " + use}, nil
		}
		return nil, nil
	},
}

var hardQuotaOnly = Trap{
	Name: "hard_quota_only",
	Why:  "ejabberd then writes a warning with the account's address into its log at each upload",
	Fix:  "shaper_rules: {soft_upload_quota: …, hard_upload_quota: …}, the soft one below the hard one: down to it old files are deleted",
	Look: func(_ context.Context, src *Sources) (found []string, err error) {
		p := &src.Config.Policy
		for _, c := range []struct {
			format string
			vhosts []string
		}{
			{"hard_upload_quota is set, but soft_upload_quota is not, at %s", p.HardQuotaOnly},
			{"soft_upload_quota is set, but hard_upload_quota is not, at %s", p.SoftQuotaOnly},
			{"soft_upload_quota is above hard_upload_quota at %s", p.SoftAboveHard},
		} {
			if len(c.vhosts) > 0 {
				found = append(found, fmt.Sprintf(c.format, strings.Join(c.vhosts, ", ")))
			}
		}
		return found, nil
	},
}

// sweepLate looks at what the last walk over the uploads found.
var sweepLate = Trap{
	Name: "sweep_late",
	Why:  "files are kept longer than people were promised: ejabberd's sweep first runs up to 12 hours after a start, then daily",
	Fix:  "restart ejabberd less often than every 36 hours; if it has run for longer, look for mod_http_upload_quota in ejabberd.log",
	Look: func(_ context.Context, src *Sources) (found []string, err error) {
		swept := func(s *UploadStore) bool { return s.limits.Retention > 0 }
		if !slices.ContainsFunc(src.UploadStores, swept) {
			return nil, nil
		}
		stores, all := src.walked()
		if !all {
			return nil, errors.New("the uploads were not counted yet")
		}
		for _, store := range stores {
			if swept(store.UploadStore) && store.expired > 0 {
				found = append(found, fmt.Sprintf("%.0f files of %s are past their time by more than 36 hours", store.expired, store.vhost))
			}
		}
		return found, nil
	},
}
