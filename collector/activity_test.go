// SPDX-License-Identifier: Apache-2.0

package collector

import "testing"

// TestActivityWhereItIsKept: the table last exists on every server. Where ejabberd keeps its mod_last elsewhere, an empty one does
// not mean that nobody was there.
func TestActivityWhereItIsKept(t *testing.T) {
	src := fill(t, startPostgres(t), "ejabberd", "pg.new.sql", `
		INSERT INTO last (username, server_host, seconds, state) VALUES
			('a', 'one.test', extract(epoch FROM now() - interval '2 days')::bigint::text, ''),
			('b', 'one.test', extract(epoch FROM now() - interval '2 days')::bigint::text, ''),
			('c', 'one.test', extract(epoch FROM now())::bigint::text, 'Registered but didn''t login')`,
		"one.test", "two.test")
	served := append(make([]string, 0, 3), src.Vhosts...)
	src.API = &fakeAPI{vhosts: served, online: map[string]string{"b": "one.test", "d": "one.test", "e": "two.test"}}
	one := `
		ejabberd_accounts_active{vhost="one.test",window="1d"} 2
		ejabberd_accounts_active{vhost="one.test",window="30d"} 3
		ejabberd_accounts_active{vhost="one.test",window="365d"} 3
		ejabberd_accounts_active{vhost="one.test",window="7d"} 3
		ejabberd_accounts_active{vhost="one.test",window="90d"} 3`
	never := `
		ejabberd_accounts_never_logged_in{vhost="one.test"} 1`
	collect(t, Activity, src, one+`
		ejabberd_accounts_active{vhost="two.test",window="1d"} 1
		ejabberd_accounts_active{vhost="two.test",window="30d"} 1
		ejabberd_accounts_active{vhost="two.test",window="365d"} 1
		ejabberd_accounts_active{vhost="two.test",window="7d"} 1
		ejabberd_accounts_active{vhost="two.test",window="90d"} 1`+never+`
		ejabberd_accounts_never_logged_in{vhost="two.test"} 0`)

	if next := served[:3][2]; next != "" {
		t.Errorf("%s was written behind what belongs to somebody else", next)
	}

	src.InSQL["mod_last"] = []string{"one.test"}
	collect(t, Activity, src, one+never)
	src.InSQL["mod_last"] = nil
	off(t, Activity, src, "nothing of mod_last")
}
