// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(parentVariable) != "" {
		startAndWait()
	}
	goleak.VerifyTestMain(m)
}

// The whole service shows what Truth says: to ejabberd's API, to SQL, on the disk, to a client.
func TestEverything(t *testing.T) {
	s := ForTest(t, Everything())
	for _, vhost := range s.Domains {
		t.Run(vhost, func(t *testing.T) {
			checkAccounts(t, s, vhost)
			checkUploads(t, s, vhost)
		})
	}
	t.Run("sessions", func(t *testing.T) { checkSessions(t, s) })
	t.Run("rooms", func(t *testing.T) {
		var rooms []string
		call(t, s, "muc_online_rooms", map[string]any{"service": "global"}, &rooms)
		slices.Sort(rooms)
		if want := slices.Sorted(slices.Values(s.Truth.Rooms)); !slices.Equal(rooms, want) {
			t.Errorf("rooms %v, want %v", rooms, want)
		}
	})
	t.Run("offline messages", func(t *testing.T) {
		if got := count(t, s, "SELECT count(*) FROM spool"); got != len(s.Truth.Offline) {
			t.Errorf("%d offline messages, want %d", got, len(s.Truth.Offline))
		}
	})
	t.Run("federation", func(t *testing.T) {
		var in struct {
			N int `json:"s2s_incoming"`
		}
		var out struct {
			N int `json:"s2s_outgoing"`
		}
		soon(t, func(context.Context) error { // attempts that came to nothing count for a while
			call(t, s, "incoming_s2s_number", nil, &in)
			call(t, s, "outgoing_s2s_number", nil, &out)
			if in.N != len(s.Domains) || out.N != len(s.Domains) {
				return fmt.Errorf("%d s2s connections in and %d out, want one each for every vhost", in.N, out.N)
			}
			return nil
		})
		if err := s.Clients[0].Ping(t.Context(), peerDomain); err != nil {
			t.Errorf("ping the peer: %v", err)
		}
	})
	t.Run("component", func(t *testing.T) {
		client := s.Clients[0]
		if err := client.Message(t.Context(), s.Component.Host, "hello "+Canary); err != nil {
			t.Fatal(err)
		}
		for message := range client.Messages {
			if message.Attribute("from") == s.Component.Host {
				if body := message.Child("jabber:client", "body"); body == nil || body.Text != "hello "+Canary {
					t.Error("the component did not send the text back")
				}
				return
			}
		}
	})
	t.Run("stop", func(t *testing.T) { checkStop(t, s) })
}

func checkAccounts(t *testing.T, s *Service, vhost string) {
	t.Helper()
	var registered struct{ Stat int }
	call(t, s, "stats_host", map[string]any{"name": "registeredusers", "host": vhost}, &registered)
	if registered.Stat != s.Truth.Accounts(vhost) {
		t.Errorf("%d accounts by API, want %d", registered.Stat, s.Truth.Accounts(vhost))
	}
	for _, days := range []int{1, 7, 30, 90, 365} {
		window := time.Duration(days) * day
		created := count(t, s, "SELECT count(*) FROM users WHERE server_host = $1 AND created_at > now()::timestamp - make_interval(days => $2)", vhost, days)
		if want := s.Truth.Created(vhost, window); created != want {
			t.Errorf("%d accounts created within %d days, want %d", created, days, want)
		}
		active := count(t, s, `SELECT count(*) FROM last WHERE server_host = $1 AND state = '' AND seconds::bigint > $2 AND NOT username LIKE 'online-%'`,
			vhost, time.Now().Add(-window).Unix())
		want := s.Truth.people(vhost, func(p Person) bool { return !strings.HasPrefix(p.User, "online-") && time.Since(p.LastSeen) < window })
		if active != want {
			t.Errorf("%d accounts last seen within %d days, want %d", active, days, want)
		}
	}
	never := count(t, s, `SELECT count(*) FROM last WHERE server_host = $1 AND state LIKE 'Registered%' AND NOT username LIKE 'online-%'`, vhost)
	if want := s.Truth.NeverLoggedIn(vhost); never != want {
		t.Errorf("%d accounts never logged in, want %d", never, want)
	}
}

func checkSessions(t *testing.T, s *Service) {
	t.Helper()
	var sessions []struct{ JID, IP, Connection, Status string }
	call(t, s, "connected_users_info", nil, &sessions)
	type key struct{ jid, family, show string }
	got, want := map[key]int{}, map[key]int{}
	for _, session := range sessions {
		family := "ip4"
		if netip.MustParseAddr(session.IP).Is6() {
			family = "ip6"
		}
		if session.Connection != "c2s_tls" {
			t.Errorf("a connection of type %q", session.Connection)
		}
		got[key{session.JID, family, session.Status}]++
	}
	for _, session := range s.Truth.Online {
		want[key{session.Account.JID() + "/" + session.Resource, session.Family, session.Show}]++
	}
	if len(got) != len(want) {
		t.Errorf("%d sessions, want %d", len(got), len(want))
	}
	for k, n := range want {
		if got[k] != n {
			t.Errorf("session %v: %d times, want %d", k, got[k], n)
		}
	}
}

// checkStop asserts that nothing is left of a service.
func checkStop(t *testing.T, s *Service) {
	t.Helper()
	pids := append(descendants(t), s.Ejabberd.PID())
	if len(pids) < 5 {
		t.Errorf("only %d processes run", len(pids))
	}
	s.Stop()
	// The Erlang VM's own helpers, in sessions of their own, end when they notice that it has gone.
	soon(t, func(context.Context) error {
		for _, pid := range pids {
			if !gone(pid) {
				return fmt.Errorf("process %d is still there after Stop", pid)
			}
		}
		return nil
	})
	if _, err := os.Stat(s.Dir); !os.IsNotExist(err) {
		t.Errorf("the directory is still there after Stop: %v", err)
	}
}

// soon fails the test if check still fails after some seconds.
func soon(t *testing.T, check func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := eventually(ctx, check); err != nil {
		t.Error(err)
	}
}

// gone says whether a process has ended, be it that nobody has asked yet how.
func gone(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z ")
}

// descendants are the processes that this one has started, and theirs.
func descendants(t *testing.T) (pids []int) {
	t.Helper()
	parents := []int{os.Getpid()}
	for len(parents) > 0 {
		tasks, err := os.ReadDir("/proc/" + strconv.Itoa(parents[0]) + "/task")
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // one that has just ended has none left
			t.Fatal(err)
		}
		for _, task := range tasks {
			children, _ := os.ReadFile("/proc/" + strconv.Itoa(parents[0]) + "/task/" + task.Name() + "/children")
			for _, child := range strings.Fields(string(children)) {
				pid, err := strconv.Atoi(child)
				if err != nil {
					t.Fatal(err)
				}
				pids, parents = append(pids, pid), append(parents, pid)
			}
		}
		parents = parents[1:]
	}
	return pids
}

func call(t *testing.T, s *Service, name string, arguments map[string]any, answer any) {
	t.Helper()
	if err := s.Ejabberd.Call(t.Context(), name, arguments, answer); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, s *Service, sql string, args ...any) int {
	t.Helper()
	n, err := s.Database.Count(t.Context(), sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}
