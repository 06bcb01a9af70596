// SPDX-License-Identifier: Apache-2.0

package ejabberd_test

import (
	"errors"
	"reflect"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/ejabberd"
	"github.com/chapril/ejabberd_exporter/internal/service"
)

// TestRealEjabberd compares with what was put into a real ejabberd on PostgreSQL, with the database up and with it down.
func TestRealEjabberd(t *testing.T) {
	s := service.ForTest(t, service.Options{People: true})
	ctx, numbers := t.Context(), newClient(t, ejabberd.Options{URL: s.Ejabberd.APIURL()})

	check := func(t *testing.T) {
		version, node, err := numbers.Status(ctx)
		if err != nil || version == "" || "ejabberd@"+node != s.Ejabberd.Node {
			t.Errorf("Status = %q, %q, %v; want node %s", version, node, err, s.Ejabberd.Node)
		}
		if vhosts, err := numbers.Vhosts(ctx); err != nil || !reflect.DeepEqual(vhosts, s.Domains) {
			t.Errorf("Vhosts = %q, %v; want %q", vhosts, err, s.Domains)
		}
		if n, err := numbers.Uptime(ctx); err != nil || n < 0 || n > 600 {
			t.Errorf("Uptime = %d, %v", n, err)
		}
		if n, err := numbers.Processes(ctx); err != nil || n < 100 {
			t.Errorf("Processes = %d, %v", n, err)
		}
		for _, vhost := range s.Domains {
			if n, err := numbers.Sessions(ctx, vhost); err != nil || n != s.Truth.Sessions(vhost, "") {
				t.Errorf("Sessions of %s = %d, %v; want %d", vhost, n, err, s.Truth.Sessions(vhost, ""))
			}
		}
		if n, err := numbers.SessionCount(ctx); err != nil || n != len(s.Truth.Online) {
			t.Errorf("SessionCount = %d, %v; want %d", n, err, len(s.Truth.Online))
		}
		if in, out, err := numbers.S2S(ctx); err != nil || in != 0 || out != 0 {
			t.Errorf("S2S = %d, %d, %v; want none without a peer", in, out, err)
		}
	}
	t.Run("numbers", check)

	t.Run("names are for the exporter's account alone", func(t *testing.T) {
		var refused *ejabberd.Refused
		err := numbers.ConnectedUsersInfo(ctx, func(ejabberd.Session) { t.Error("a session") })
		if !errors.As(err, &refused) || refused.Status != 403 {
			t.Errorf("without an account: %v, want 403", err)
		}
		wrong := newClient(t, withAccount(t, s, "wrong"))
		err = wrong.ConnectedUsers(ctx, func(string, ejabberd.Account) { t.Error("a user") })
		if !errors.As(err, &refused) || refused.Status != 401 {
			t.Errorf("with a wrong password: %v, want 401", err)
		}
		if up, known := wrong.Up(); !up || !known {
			t.Errorf("Up = %t, %t: ejabberd refuses, so it is up", up, known)
		}
	})

	t.Run("sessions", func(t *testing.T) {
		names := newClient(t, withAccount(t, s, s.Exporter.Password))
		want := map[ejabberd.Session]int{}
		accounts := map[ejabberd.Account]int{}
		for _, o := range s.Truth.Online {
			account := ejabberd.AccountOf(o.Account.User, o.Account.Domain)
			want[ejabberd.Session{
				Vhost: o.Account.Domain, Account: account, Connection: "c2s_tls", Family: o.Family, Show: o.Show,
			}]++
			accounts[account]++
		}
		got := map[ejabberd.Session]int{}
		err := names.ConnectedUsersInfo(ctx, func(session ejabberd.Session) {
			if session.Uptime < 0 || session.Uptime > 600 {
				t.Errorf("a session of %d seconds", session.Uptime)
			}
			session.Uptime = 0
			got[session]++
		})
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("ConnectedUsersInfo: %v, %v; want %v", got, err, want)
		}
		gotAccounts := map[ejabberd.Account]int{}
		err = names.ConnectedUsers(ctx, func(_ string, account ejabberd.Account) { gotAccounts[account]++ })
		if err != nil || !reflect.DeepEqual(gotAccounts, accounts) {
			t.Errorf("ConnectedUsers: %v, %v; want %v", gotAccounts, err, accounts)
		}
	})

	t.Run("database down", func(t *testing.T) {
		s.Postgres.Stop()
		begin := time.Now()
		check(t)
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("took %s with the database down: something was asked from SQL", took)
		}
	})

	t.Run("ejabberd hangs", func(t *testing.T) {
		if err := s.Ejabberd.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		hasty := newClient(t, ejabberd.Options{URL: s.Ejabberd.APIURL(), Timeout: 100 * time.Millisecond})
		if _, err := hasty.Uptime(ctx); !errors.Is(err, ejabberd.ErrTimeout) {
			t.Errorf("Uptime: %v", err)
		}
		if up, known := hasty.Up(); up || !known {
			t.Errorf("Up = %t, %t", up, known)
		}
		if err := s.Ejabberd.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		if _, err := numbers.Uptime(ctx); err != nil {
			t.Errorf("Uptime after that: %v", err)
		}
	})

	t.Run("ejabberd down", func(t *testing.T) {
		s.Ejabberd.Kill()
		if _, err := numbers.Uptime(ctx); !errors.Is(err, ejabberd.ErrUnreachable) {
			t.Errorf("Uptime: %v", err)
		}
		if up, known := numbers.Up(); up || !known {
			t.Errorf("Up = %t, %t", up, known)
		}
	})
}

// withAccount are the options for the API that wants a password, over TLS.
func withAccount(t *testing.T, s *service.Service, password string) ejabberd.Options {
	t.Helper()
	return ejabberd.Options{
		URL:        "https://127.0.0.1:" + strconv.Itoa(s.Ejabberd.Config.Ports.HTTPS) + "/api",
		CA:         s.CA.Pool(),
		ServerName: "www." + s.Domains[0],
		User:       s.Exporter.JID(),
		Password:   func() (string, error) { return password, nil },
	}
}

func newClient(t *testing.T, o ejabberd.Options) *ejabberd.Client {
	t.Helper()
	c, err := ejabberd.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}
