// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"strconv"
	"time"
)

// history is an account's: how long ago it was made and last online. The first vhost has all of these, each further one a few
// less, so that no two vhosts have the same numbers.
var history = []struct {
	user     string
	created  time.Duration
	lastSeen time.Duration // zero: never
}{
	{"online-1", 900 * day, 40 * day}, // the row of last is older than its session
	{"online-2", 500 * day, 2 * time.Hour},
	{"online-3", 10 * time.Minute, 0},
	{"uploader", 400 * day, 3 * day},
	{"hoarder", 400 * day, 20 * day},
	{"nearly", 200 * day, 12 * time.Hour},
	{"absent", 100 * day, 10 * day},
	{"new", 30 * time.Minute, 0},
	{"yesterday", 20 * time.Hour, 19 * time.Hour},
	{"this-week", 5 * day, 4 * day},
	{"this-month", 25 * day, 24 * day},
	{"this-quarter", 80 * day, 60 * day},
	{"this-year", 300 * day, 200 * day},
	{"long-gone", 2000 * day, 1000 * day},
	{"never", 50 * day, 0},
	{"never-again", 700 * day, 0},
	{"regular", 1500 * day, 2 * day},
}

// fewer is by how many the accounts of one vhost exceed those of the next.
const fewer = 3

func (s *Service) addPeople(ctx context.Context, _ Options) error {
	if err := s.addAccounts(ctx); err != nil {
		return err
	}
	return s.logInPeople(ctx)
}

// addAccounts registers the accounts and writes their past into the database.
func (s *Service) addAccounts(ctx context.Context) error {
	now := time.Now()
	for i, domain := range s.Domains {
		for _, h := range history[:max(len(history)-i*fewer, 7)] {
			p := Person{Account: Account{h.user + "-" + Canary, domain, password}, Created: now.Add(-h.created)}
			if h.lastSeen > 0 {
				p.LastSeen = now.Add(-h.lastSeen)
			}
			if err := s.AddPerson(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// AddPerson makes an account with a past, and adds it to the Truth. Without SQL nobody has a past.
func (s *Service) AddPerson(ctx context.Context, p Person) error {
	if s.Database == nil {
		p.Created, p.LastSeen = time.Now(), time.Time{}
	}
	s.Truth.People = append(s.Truth.People, p)
	if s.Database == nil {
		return s.Ejabberd.Register(ctx, p.Account)
	}
	// The rows that ejabberd wrote for the administrator, with another name and past: much faster than registering, and the
	// same for every schema. Everybody has the administrator's password.
	user := map[string]any{"username": p.User, "server_host": p.Domain}
	last := map[string]any{"username": p.User, "server_host": p.Domain, "seconds": strconv.FormatInt(p.Created.Unix(), 10)}
	if !p.LastSeen.IsZero() {
		last["seconds"], last["state"] = strconv.FormatInt(p.LastSeen.Unix(), 10), ""
	}
	return s.Database.Exec(ctx, `
		WITH made AS (
			INSERT INTO users
			SELECT (jsonb_populate_record(u, $2::jsonb || jsonb_build_object('created_at', $3::timestamptz::timestamp))).*
			FROM users u WHERE username = $1)
		INSERT INTO last SELECT (jsonb_populate_record(l, $4::jsonb)).* FROM last l WHERE username = $1`,
		adminUser, user, p.Created, last)
}

// person finds one of the accounts of a vhost.
func (s *Service) person(user, domain string) Account {
	return Account{user + "-" + Canary, domain, password}
}
