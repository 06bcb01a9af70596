// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// storedArgs leave out what these services do not have.
var storedArgs = []string{"--collector.orphans", "--no-collector.uploads", "--no-collector.upload_filesystem"}

// TestStored: what clients store in ejabberd is what the page says, in both schemas.
func TestStored(t *testing.T) {
	for name, options := range map[string]service.Options{
		"new schema": {People: true, NamesByAPI: true},
		"old schema": {People: true, NamesByAPI: true, OldSchema: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := realService(t, options)
			begin := time.Now()
			for i, vhost := range s.Domains {
				store(t, s, vhost, len(s.Domains)-i)
			}
			ghost(t, s)
			exit, page, log := once(t, append(storedArgs, "--ejabberd.config="+s.Ejabberd.ConfigPath)...)
			if exit != 0 {
				t.Errorf("exit %d:\n%s", exit, log)
			}
			success(t, page)
			noSecrets(t, page, log)
			lint(t, page)
			for i, vhost := range s.Domains {
				want(t, page, storedTruth(s, vhost, len(s.Domains)-i))
				if oldest, ok := number(page, `ejabberd_offline_oldest_timestamp_seconds{vhost="`+vhost+`"}`); !ok || begin.Unix()-int64(oldest) > 120 || int64(oldest) > begin.Unix() {
					t.Errorf("%s: the oldest offline message is from %v", vhost, oldest)
				}
				if oldest, ok := number(page, `ejabberd_archive_oldest_timestamp_seconds{vhost="`+vhost+`"}`); !ok || begin.Unix()-int64(oldest) > 120 || int64(oldest) > begin.Unix() {
					t.Errorf("%s: the oldest message of the archive is from %v", vhost, oldest)
				}
			}
			// Up to 24.02 ejabberd does not tell these.
			absent(t, page, "ejabberd_accounts_banned", "ejabberd_invites", "ejabberd_cluster_node_up", `ejabberd_cluster_nodes{state="stopped"}`)
			storedInDatabase(t, s, page)
		})
	}
}

// TestNothingStoredInSQL: what is in Mnesia is unknown, not 0; what ejabberd tells by itself is there.
func TestNothingStoredInSQL(t *testing.T) {
	s := realService(t, service.Options{People: true, NamesByAPI: true, NoSQL: true})
	exit, page, log := once(t, append(storedArgs, "--ejabberd.config="+s.Ejabberd.ConfigPath)...)
	if exit != 0 {
		t.Errorf("exit %d:\n%s", exit, log)
	}
	noSecrets(t, page, log)
	for line := range strings.Lines(page) {
		for _, name := range []string{"offline", "archive", "roster", "pubsub", "push", "vcards", "oauth", "orphan", "database", "account_credentials", "muc_rooms_stored", "muc_subscribers"} {
			if strings.HasPrefix(line, "ejabberd_"+name) {
				t.Errorf("known without a database: %s", line)
			}
		}
	}
	for _, vhost := range s.Domains {
		want(t, page, onlineTruth(s, vhost))
	}
	want(t, page, map[string]float64{`ejabberd_cluster_nodes{state="running"}`: 1})
}

// TestMemoryInSQL: where ejabberd keeps sessions and rooms in SQL they are counted there, and ejabberd is not asked.
func TestMemoryInSQL(t *testing.T) {
	s := realService(t, service.Options{People: true, NamesByAPI: true, ExtraConfig: "default_ram_db: sql"})
	exit, page, log := once(t, append(storedArgs, "--ejabberd.config="+s.Ejabberd.ConfigPath)...)
	if exit != 0 {
		t.Errorf("exit %d:\n%s", exit, log)
	}
	noSecrets(t, page, log)
	for _, vhost := range s.Domains {
		of := `{vhost="` + vhost + `"}`
		want(t, page, map[string]float64{
			"ejabberd_sessions" + of:         float64(s.Truth.Sessions(vhost, "")),
			"ejabberd_accounts_online" + of:  float64(s.Truth.AccountsOnline(vhost)),
			"ejabberd_muc_rooms_online" + of: onlineTruth(s, vhost)["ejabberd_muc_rooms_online"+of],
		})
	}
	absent(t, page, "ejabberd_sessions_by_show", "ejabberd_sessions_per_account_count", "ejabberd_session_connections")
	want(t, page, map[string]float64{`ejabberd_cluster_nodes{state="running"}`: 1})
	asked, err := os.ReadFile(s.Ejabberd.LogPath())
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"muc_online_rooms", "connected_users", "onlineusers"} {
		if strings.Contains(string(asked), "API call "+command) {
			t.Errorf("%s was asked for, which ejabberd answers from SQL", command)
		}
	}
}

// store lets the first client of a vhost store n of everything.
func store(t *testing.T, s *service.Service, vhost string, n int) {
	t.Helper()
	client := clientOf(t, s, vhost)
	account, _, _ := strings.Cut(client.JID, "/")
	ask := func(to, payload string) {
		t.Helper()
		if _, err := client.Ask(t.Context(), "set", to, payload); err != nil {
			t.Fatalf("%s: %v", payload, err)
		}
	}
	ask(account, "<vCard xmlns='vcard-temp'><FN>"+service.Canary+"</FN></vCard>")
	for i := range n {
		contact := fmt.Sprintf("contact-%d-%s@elsewhere.test", i, service.Canary)
		ask(account, "<query xmlns='jabber:iq:roster'><item jid='"+contact+"'/></query>")
		item := fmt.Sprintf("<item id='item-%d-%s'><x xmlns='urn:canary'/></item>", i, service.Canary)
		ask(account, "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:canary:pep'>"+item+"</publish></pubsub>")
		ask("pubsub."+vhost, fmt.Sprintf("<pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='node-%d-%s'/></pubsub>", i, service.Canary))
		ask("pubsub."+vhost, fmt.Sprintf("<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='node-%d-%s'>%s</publish></pubsub>", i, service.Canary, item))
		room := fmt.Sprintf("stored-%d-%s@conference.%s", i, service.Canary, vhost)
		if err := client.Join(t.Context(), room, "nick-"+service.Canary); err != nil {
			t.Fatal(err)
		}
		ask(room, `<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'>
			<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>
			<field var='muc#roomconfig_persistentroom'><value>1</value></field>
			<field var='muc#roomconfig_allow_subscription'><value>1</value></field></x></query>`)
		ask(room, "<subscribe xmlns='urn:xmpp:mucsub:0' nick='nick-"+service.Canary+"'><event node='urn:xmpp:mucsub:nodes:messages'/></subscribe>")
	}
	if err := client.Send(t.Context(), "<presence type='subscribe' to='contact-0-"+service.Canary+"@elsewhere.test'/>"); err != nil {
		t.Fatal(err)
	}
	ask(account, "<enable xmlns='urn:xmpp:push:0' jid='push.elsewhere.test' node='node-"+service.Canary+"'/>")
	for i := range n {
		execute(t, s.Database, fmt.Sprintf(`INSERT INTO oauth_token (token, jid, scope, expire) VALUES ('token-%d-%s', '%s', '', 2000000000)`, i, vhost, account))
	}
	// Presence is handled without an answer: what comes behind it tells that it was.
	if err := client.Ping(t.Context(), vhost); err != nil {
		t.Fatal(err)
	}
}

func clientOf(t *testing.T, s *service.Service, vhost string) *service.Client {
	t.Helper()
	for _, c := range s.Clients {
		if strings.Contains(c.JID, "@"+vhost+"/") {
			return c
		}
	}
	t.Fatalf("nobody of %s is logged in", vhost)
	return nil
}

// ghost leaves a profile of an account that does not exist.
func ghost(t *testing.T, s *service.Service) {
	t.Helper()
	first := `'` + s.Domains[0] + `'`
	execute(t, s.Database, `INSERT INTO vcard SELECT (jsonb_populate_record(v, '{"username": "ghost-`+service.Canary+`"}')).*
		FROM vcard AS v WHERE coalesce(to_jsonb(v)->>'server_host', `+first+`) = `+first)
}

// storedTruth is what one vhost's clients stored with store, ghost and internal/service.
func storedTruth(s *service.Service, vhost string, n int) map[string]float64 {
	at := func(name string, labels ...string) string {
		return fmt.Sprintf(`%s{%s}`, name, strings.Join(append(labels, `vhost="`+vhost+`"`), ","))
	}
	waiting := 0
	for _, jid := range s.Truth.Offline {
		if strings.HasSuffix(jid, "@"+vhost) {
			waiting++
		}
	}
	ghosts := 0
	if vhost == s.Domains[0] {
		ghosts = 1
	}
	truth := onlineTruth(s, vhost)
	truth[at("ejabberd_muc_rooms_online")] += float64(n)
	for series, value := range map[string]int{
		at("ejabberd_account_credentials", `format="scram"`):                             s.Truth.Accounts(vhost),
		at("ejabberd_account_credentials", `format="plain"`):                             0,
		at("ejabberd_muc_rooms_stored"):                                                  n,
		at("ejabberd_muc_subscribers"):                                                   n,
		at("ejabberd_offline_messages"):                                                  waiting,
		at("ejabberd_offline_accounts"):                                                  1,
		strings.Replace(at("ejabberd_archive_messages_recent"), "}", `,window="1d"}`, 1): 2 * waiting, // of sender and recipient
		at("ejabberd_roster_items"):                                                      n,
		at("ejabberd_roster_pending"):                                                    1,
		at("ejabberd_pubsub_nodes"):                                                      n + 2,
		at("ejabberd_pubsub_items", `kind="pep"`):                                        2, // a PEP node keeps one; mod_avatar makes another of the profile
		at("ejabberd_pubsub_items", `kind="service"`):                                    n,
		at("ejabberd_push_sessions"):                                                     1,
		at("ejabberd_vcards"):                                                            1 + ghosts,
		at("ejabberd_oauth_tokens"):                                                      n,
		at("ejabberd_orphan_rows", `table="vcard"`):                                      ghosts,
		at("ejabberd_orphan_rows", `table="archive"`):                                    0,
		at("ejabberd_orphan_rows", `table="spool"`):                                      0,
	} {
		truth[series] = float64(value)
	}
	return truth
}

// onlineTruth is what ejabberd knows by itself of one vhost's sessions and rooms.
func onlineTruth(s *service.Service, vhost string) map[string]float64 {
	of := `{vhost="` + vhost + `"}`
	truth := map[string]float64{
		"ejabberd_session_age_seconds_count" + of:                              float64(s.Truth.Sessions(vhost, "")),
		"ejabberd_sessions_per_account_count" + of:                             float64(s.Truth.AccountsOnline(vhost)),
		"ejabberd_sessions_per_account_sum" + of:                               float64(s.Truth.Sessions(vhost, "")),
		"ejabberd_session_age_seconds_bucket{vhost=\"" + vhost + `",le="600"}`: float64(s.Truth.Sessions(vhost, "")),
		"ejabberd_muc_rooms_online" + of:                                       0,
	}
	for _, show := range []string{"available", "chat", "away", "xa", "dnd", "unavailable"} {
		truth[`ejabberd_sessions_by_show{show="`+show+`",vhost="`+vhost+`"}`] = 0
	}
	for _, online := range s.Truth.Online {
		if online.Account.Domain == vhost {
			truth[`ejabberd_sessions_by_show{show="`+online.Show+`",vhost="`+vhost+`"}`]++
		}
	}
	for _, room := range s.Truth.Rooms {
		if strings.HasSuffix(room, "."+vhost) {
			truth["ejabberd_muc_rooms_online"+of]++
		}
	}
	return truth
}

// storedInDatabase compares what PostgreSQL says of itself.
func storedInDatabase(t *testing.T, s *service.Service, page string) {
	t.Helper()
	of := `{database="ejabberd"}`
	want(t, page, map[string]float64{
		"ejabberd_database_pool_expected" + of:    float64(5 * len(s.Domains)),
		"ejabberd_database_connection_limit" + of: 97, // PostgreSQL's own defaults: 100, of which 3 are reserved
		`ejabberd_cluster_nodes{state="running"}`: 1,
	})
	execute(t, s.Database, `ALTER ROLE `+s.Database.Role+` CONNECTION LIMIT 30`)
	execute(t, s.Database, `ALTER DATABASE `+s.Database.Name+` CONNECTION LIMIT 40`)
	execute(t, s.Database, `DELETE FROM oauth_token; DELETE FROM vcard; ANALYZE users`)
	_, page, _ = once(t, append(storedArgs, "--ejabberd.config="+s.Ejabberd.ConfigPath)...)
	accounts := 0
	for _, vhost := range s.Domains {
		accounts += s.Truth.Accounts(vhost)
	}
	want(t, page, map[string]float64{
		"ejabberd_database_connection_limit" + of:                                  30,
		`ejabberd_database_table_rows_estimate{database="ejabberd",table="users"}`: float64(accounts),
	})
	if size, ok := number(page, `ejabberd_database_table_size_bytes{database="ejabberd",table="users"}`); !ok || size < 8192 {
		t.Errorf("the table of accounts takes %v bytes", size)
	}
}
