// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"math"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/ejabberd"
	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// TestNewerServers: what only releases know that are not installed here, in tables as those make them.
func TestNewerServers(t *testing.T) {
	src := fill(t, startPostgres(t), "ejabberd", "pg.new.sql", `
		ALTER TABLE users ADD COLUMN type smallint NOT NULL DEFAULT 0, DROP CONSTRAINT users_pkey, ADD PRIMARY KEY (server_host, username, type);
		INSERT INTO users (username, server_host, type, iterationcount, password) VALUES
			('a', 'one.test', 2, 4096, ''), ('a', 'one.test', 3, 4096, ''), ('b', 'one.test', 1, 0, ''), ('c', 'one.test', 0, 4096, ''),
			('d', 'one.test', 9, 4096, ''), ('e', 'one.test', 0, 0, ''), -- e has a plain password from before the upgrade
			('a', 'two.test', 4, 4096, ''), ('a', 'gone.test', 4, 4096, '');
		INSERT INTO private_storage (username, server_host, namespace, data) VALUES
			('a', 'one.test', 'jabber:ejabberd:banned', ''), ('a', 'one.test', 'storage:bookmarks', ''), ('b', 'one.test', 'jabber:ejabberd:banned', '');
		UPDATE pg_class SET reltuples = 1e9 WHERE relname = 'private_storage'; -- a sample would miss both bans
		CREATE TABLE invite_token (token text PRIMARY KEY, username text NOT NULL, server_host text NOT NULL, invitee text NOT NULL DEFAULT '',
			created_at timestamp NOT NULL DEFAULT now(), expires timestamp NOT NULL, type character(1) NOT NULL, account_name text NOT NULL);
		INSERT INTO invite_token (token, username, server_host, expires, type, account_name) VALUES
			('1', 'a', 'one.test', localtimestamp + interval '1 hour', 'A', ''), ('2', 'a', 'one.test', localtimestamp - interval '1 hour', 'A', ''),
			('3', 'a', 'two.test', localtimestamp + interval '1 day', 'R', '')`,
		"one.test", "two.test")

	collect(t, Credentials, src, `
		ejabberd_account_credentials{vhost="one.test",format="plain"} 2
		ejabberd_account_credentials{vhost="one.test",format="scram-sha-1"} 1
		ejabberd_account_credentials{vhost="one.test",format="scram-sha-256"} 1
		ejabberd_account_credentials{vhost="one.test",format="scram-sha-512"} 0
		ejabberd_account_credentials{vhost="one.test",format="unmigrated"} 1
		ejabberd_account_credentials{vhost="two.test",format="plain"} 0
		ejabberd_account_credentials{vhost="two.test",format="scram-sha-1"} 0
		ejabberd_account_credentials{vhost="two.test",format="scram-sha-256"} 0
		ejabberd_account_credentials{vhost="two.test",format="scram-sha-512"} 1
		ejabberd_account_credentials{vhost="two.test",format="unmigrated"} 0`)
	collect(t, Banned, src, `
		ejabberd_accounts_banned{vhost="one.test"} 2
		ejabberd_accounts_banned{vhost="two.test"} 0`)
	off(t, Banned, &Sources{Databases: src.Databases}, "--ejabberd.url")
	src.API = &fakeAPI{version: "24.02-1", vhosts: src.Vhosts}
	off(t, Banned, src, "leaves no trace")

	src.InSQL = map[string][]string{"mod_invites": src.Vhosts}
	collect(t, Stored, src, `
		ejabberd_invites{vhost="one.test"} 1
		ejabberd_invites{vhost="two.test"} 1`)
	src.InSQL["mod_invites"] = []string{"two.test"}
	collect(t, Stored, src, `ejabberd_invites{vhost="two.test"} 1`)
	src.InSQL = nil
	off(t, Stored, src, "none of this")
}

// TestRoomsOfWhichVhost: services are named after vhosts, or not.
func TestRoomsOfWhichVhost(t *testing.T) {
	server := startPostgres(t)
	src := fill(t, server, "new", "pg.new.sql", `
		INSERT INTO muc_room (name, host, server_host, opts) VALUES
			('a', 'conference.one.test', 'one.test', ''), ('b', 'rooms.elsewhere.test', 'two.test', ''), ('c', 'rooms.elsewhere.test', 'two.test', '');
		INSERT INTO muc_room_subscribers (room, host, jid, nick, nodes) VALUES
			('a', 'conference.one.test', 'x', '', ''), ('b', 'rooms.elsewhere.test', 'x', '', ''), ('b', 'rooms.elsewhere.test', 'y', '', '');
		INSERT INTO muc_online_room (name, host, server_host, node, pid) VALUES ('a', 'conference.one.test', 'one.test', '', '')`,
		"one.test", "two.test")
	collect(t, MUC, src, `
		ejabberd_muc_rooms_stored{vhost="one.test"} 1
		ejabberd_muc_rooms_stored{vhost="two.test"} 2
		ejabberd_muc_subscribers{vhost="one.test"} 1
		ejabberd_muc_subscribers{vhost="two.test"} 2`)

	api := &fakeAPI{version: "26.07", vhosts: src.Vhosts, services: []string{"muc.one.test", "deep.muc.one.test", "rooms.elsewhere.test"}}
	src.API = api
	collect(t, Rooms, src, `
		ejabberd_muc_rooms_online{vhost="one.test"} 2
		ejabberd_muc_rooms_online{vhost="shared"} 1
		ejabberd_muc_rooms_online{vhost="two.test"} 0`)
	src.Config = &ejabberdconf.Config{Services: map[string]string{"rooms.elsewhere.test": "two.test"}}
	collect(t, Rooms, src, `
		ejabberd_muc_rooms_online{vhost="one.test"} 2
		ejabberd_muc_rooms_online{vhost="two.test"} 1`)
	api.vhosts = []string{"one.test"}
	collect(t, Rooms, src, `ejabberd_muc_rooms_online{vhost="one.test"} 3`)
	src.RoomsInSQL = []string{"one.test"}
	collect(t, Rooms, src, `ejabberd_muc_rooms_online{vhost="one.test"} 1`)

	// The old schema tells no vhost, but services do.
	src = fill(t, server, "old", "pg.sql", `
		INSERT INTO muc_room (name, host, opts) VALUES ('a', 'conference.one.test', ''), ('b', 'rooms.elsewhere.test', '');
		INSERT INTO pubsub_node (host, node, plugin) VALUES ('canary@one.test', 'a', 'pep'), ('pubsub.two.test', 'b', 'flat'), ('pubsub.two.test', 'c', 'flat');
		INSERT INTO pubsub_item (nodeid, itemid, publisher, creation, modification) SELECT nodeid, 'i', '', '', '' FROM pubsub_node;
		INSERT INTO oauth_token (token, jid, scope, expire) VALUES ('t', 'canary@two.test', '', 1);
		INSERT INTO vcard (username, vcard) VALUES ('canary', ''), ('gone', '');
		INSERT INTO users (username, password) VALUES ('canary', '')`,
		"one.test", "two.test")
	collect(t, MUC, src, `
		ejabberd_muc_rooms_stored{vhost="one.test"} 1
		ejabberd_muc_rooms_stored{vhost="shared"} 1
		ejabberd_muc_rooms_stored{vhost="two.test"} 0
		ejabberd_muc_subscribers{vhost="one.test"} 0
		ejabberd_muc_subscribers{vhost="two.test"} 0`)
	inSQL := src.InSQL
	src.InSQL = map[string][]string{"mod_pubsub": src.Vhosts, "oauth": src.Vhosts, "mod_vcard": src.Vhosts}
	collect(t, Stored, src, `
		ejabberd_oauth_tokens{vhost="one.test"} 0
		ejabberd_oauth_tokens{vhost="two.test"} 1
		ejabberd_pubsub_items{vhost="one.test",kind="pep"} 1
		ejabberd_pubsub_items{vhost="one.test",kind="service"} 0
		ejabberd_pubsub_items{vhost="two.test",kind="pep"} 0
		ejabberd_pubsub_items{vhost="two.test",kind="service"} 2
		ejabberd_pubsub_nodes{vhost="one.test"} 1
		ejabberd_pubsub_nodes{vhost="two.test"} 2
		ejabberd_vcards{vhost="shared"} 2`)
	src.InSQL = inSQL
	collect(t, Orphans, src, `
		ejabberd_orphan_rows{vhost="shared",table="archive"} 0
		ejabberd_orphan_rows{vhost="shared",table="last"} 0
		ejabberd_orphan_rows{vhost="shared",table="private_storage"} 0
		ejabberd_orphan_rows{vhost="shared",table="push_session"} 0
		ejabberd_orphan_rows{vhost="shared",table="rosterusers"} 0
		ejabberd_orphan_rows{vhost="shared",table="spool"} 0
		ejabberd_orphan_rows{vhost="shared",table="vcard"} 1`)
	src.AccountsInSQL = []string{"one.test"} // where two.test has its accounts nobody knows
	collect(t, Orphans, src, ``)
}

// TestEstimate: of a large table a part is read, and the number is near the truth, for a vhost with few rows as well.
func TestEstimate(t *testing.T) {
	src := fill(t, startPostgres(t), "ejabberd", "pg.new.sql", `
		DROP INDEX i_rosteru_sh_user_jid, i_rosteru_sh_username, i_rosteru_sh_jid;
		INSERT INTO rosterusers (username, server_host, jid, nick, subscription, ask, askmessage, server, subscribe)
			SELECT 'user' || n, CASE WHEN n % 10 = 0 THEN 'two.test' ELSE 'one.test' END, 'contact' || n || '@somewhere.test', '', 'B',
				CASE WHEN n % 4 = 0 THEN 'I' ELSE 'N' END, '', 'N', '' FROM generate_series(1, 500000) AS n;
		ANALYZE rosterusers`,
		"one.test", "two.test")
	out := metric.NewSet(src.Bounds)
	if err := Stored.Collect(t.Context(), src, out); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		metric *metric.Metric
		vhost  string
		truth  float64
	}{
		{rosterItems, "one.test", 450_000},
		{rosterItems, "two.test", 50_000},
		{rosterPending, "one.test", 100_000},
		{rosterPending, "two.test", 25_000},
	} {
		got, ok := out.Get(c.metric, c.vhost)
		if !ok || math.Abs(got-c.truth) > c.truth/10 {
			t.Errorf("%s of %s is %v, want about %v", c.metric.Name, c.vhost, got, c.truth)
		}
		if got == c.truth {
			t.Errorf("%s of %s is exact: was every row read?", c.metric.Name, c.vhost)
		}
	}
}

func TestClusterNodes(t *testing.T) {
	api := &fakeAPI{nodes: []ejabberd.Node{
		{Host: "one.test", Running: true, Sessions: 3, Uptime: 60},
		{Host: "two.test", Running: true, Sessions: -1, Uptime: -1},
		{Host: "three.test", Sessions: -1, Uptime: -1},
	}}
	src := &Sources{API: api, Pools: map[string]int{"ejabberd": 20, "unknown": 0}, Bounds: metric.Bounds{}}
	src.Bounds.Bind("database", 0, "ejabberd", "unknown")
	collect(t, Cluster, src, `
		ejabberd_cluster_nodes{state="running"} 2
		ejabberd_database_pool_expected{database="ejabberd"} 40`)
	api.complete = true
	collect(t, Cluster, src, `
		ejabberd_cluster_node_sessions{node="one.test"} 3
		ejabberd_cluster_node_up{node="one.test"} 1
		ejabberd_cluster_node_up{node="three.test"} 0
		ejabberd_cluster_node_up{node="two.test"} 1
		ejabberd_cluster_node_uptime_seconds{node="one.test"} 60
		ejabberd_cluster_nodes{state="running"} 2
		ejabberd_cluster_nodes{state="stopped"} 1
		ejabberd_database_pool_expected{database="ejabberd"} 40`)
}
