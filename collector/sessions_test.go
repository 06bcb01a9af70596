// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/ejabberd"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// manyHosts is an ejabberd with more vhosts than are asked one by one.
type manyHosts struct {
	AdminAPI
	err error // of the list of sessions
}

func (manyHosts) Vhosts(context.Context) ([]string, error) {
	return []string{"a.example", "b.example", "c.example", "d.example", "e.example", "f.example"}, nil
}

func (m manyHosts) ConnectedUsers(_ context.Context, each func(string, ejabberd.Account)) error {
	for _, vhost := range []string{"a.example", "f.example", "f.example"} {
		each(vhost, 1)
	}
	return m.err
}

func TestSessionsOfManyVhosts(t *testing.T) {
	collect := func(api manyHosts) (*metric.Set, error) {
		vhosts, _ := api.Vhosts(t.Context())
		src := &Sources{API: api, Vhosts: vhosts, Bounds: metric.Bounds{}}
		src.Bounds.Bind("vhost", 0, vhosts...)
		out := metric.NewSet(src.Bounds)
		return out, Sessions.Collect(t.Context(), src, out)
	}
	out, err := collect(manyHosts{})
	if err != nil {
		t.Fatal(err)
	}
	for vhost, want := range map[string]float64{"a.example": 1, "b.example": 0, "f.example": 2} {
		if n, ok := out.Get(sessions, vhost); !ok || n != want {
			t.Errorf("%s has %v sessions, want %v", vhost, n, want)
		}
	}
	// With the permissions that --check proposes by default nobody lists sessions: that is a choice.
	if _, err := collect(manyHosts{err: &ejabberd.Refused{Command: "connected_users", Status: http.StatusForbidden}}); !IsOff(err) {
		t.Errorf("a refusal is %v, want off", err)
	}
	if _, err := collect(manyHosts{err: errors.New("broken")}); err == nil || IsOff(err) {
		t.Errorf("a failure is %v", err)
	}
}

// sqlSessions is an ejabberd that keeps sessions of some vhosts in SQL, and is not asked to list any.
type sqlSessions struct{ fakeAPI }

func (*sqlSessions) Sessions(_ context.Context, vhost string) (int, error) { return len(vhost), nil }

func (*sqlSessions) ConnectedUsers(context.Context, func(string, ejabberd.Account)) error {
	return ejabberd.ErrSessionsInSQL
}

// TestSessionsInSQL: what is in SQL is counted for whom the rows belong to, and the others are asked for one by one.
func TestSessionsInSQL(t *testing.T) {
	server := startPostgres(t)
	memory := []string{"a.example", "b.example", "c.example", "d.example", "e.example", "f.example"}
	src := fill(t, server, "new", "pg.new.sql", `
		INSERT INTO sm (usec, pid, node, username, server_host, resource, priority, info) VALUES
			(1, '', '', 'a', 'one.test', '1', '', ''), (2, '', '', 'a', 'one.test', '2', '', ''), (3, '', '', 'a', 'gone.test', '3', '', ''),
			(4, '', '', 'a', 'a.example', '4', '', '')`, // left over from when this one was in SQL as well
		append([]string{"one.test", "two.test"}, memory...)...)
	src.API = &sqlSessions{fakeAPI{vhosts: src.Vhosts}}
	src.SessionsInSQL = []string{"one.test", "two.test", "elsewhere.test"} // the last in a database of another kind
	src.Bounds.Bind("vhost", 0, append(src.SessionsInSQL, memory...)...)
	want := ""
	for _, vhost := range memory {
		want += `ejabberd_sessions{vhost="` + vhost + `"} 9` + "\n"
	}
	collect(t, Sessions, src, want+`
		ejabberd_sessions{vhost="one.test"} 2
		ejabberd_sessions{vhost="two.test"} 0`)
	collect(t, Online, src, `
		ejabberd_accounts_online{vhost="one.test"} 1
		ejabberd_accounts_online{vhost="two.test"} 0`)

	// Without the table nobody is counted, rather than nobody being there.
	src = fill(t, server, "without", "pg.new.sql", `DROP TABLE sm`, "one.test")
	src.SessionsInSQL = src.Vhosts
	for _, d := range []Definition{Sessions, Online, Activity, Newcomers} {
		if err := d.Collect(t.Context(), src, metric.NewSet(src.Bounds)); err == nil || IsOff(err) || !strings.Contains(err.Error(), "no table sm") {
			t.Errorf("%s: %v", d.Name, err)
		}
	}
}

// TestSessionsInSharedTables: rows of the old schema do not tell on which of several vhosts somebody is online.
func TestSessionsInSharedTables(t *testing.T) {
	server := startPostgres(t)
	const rows = `
		INSERT INTO users (username, password) VALUES ('a', ''), ('b', '');
		INSERT INTO last (username, seconds, state) VALUES ('a', '0', ''), ('b', '0', '');
		INSERT INTO sm (usec, pid, node, username, resource, priority, info) VALUES (1, '', '', 'a', '1', '', '')`
	src := fill(t, server, "shared", "pg.sql", rows, "one.test", "two.test")
	src.SessionsInSQL = src.Vhosts
	collect(t, Sessions, src, `ejabberd_sessions{vhost="shared"} 1`)
	collect(t, Online, src, `ejabberd_accounts_online{vhost="shared"} 1`)
	off(t, Activity, src, "of which vhost")
	off(t, Newcomers, src, "of which vhost")

	src = fill(t, server, "alone", "pg.sql", rows, "one.test")
	src.SessionsInSQL = src.Vhosts
	collect(t, Sessions, src, `ejabberd_sessions{vhost="one.test"} 1`)
	collect(t, Activity, src, `
		ejabberd_accounts_active{vhost="one.test",window="1d"} 1
		ejabberd_accounts_active{vhost="one.test",window="30d"} 1
		ejabberd_accounts_active{vhost="one.test",window="365d"} 1
		ejabberd_accounts_active{vhost="one.test",window="7d"} 1
		ejabberd_accounts_active{vhost="one.test",window="90d"} 1
		ejabberd_accounts_never_logged_in{vhost="one.test"} 0`)
}
