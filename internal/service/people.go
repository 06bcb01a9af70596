// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"fmt"
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

// fillAccounts registers the accounts and writes their past into the database.
func (s *Service) fillAccounts(ctx context.Context) error {
	now := time.Now()
	for i, domain := range s.Domains {
		for _, h := range history[:max(len(history)-i*fewer, 7)] {
			p := Person{Account: Account{h.user + "-" + Canary, domain, password}, Created: now.Add(-h.created)}
			if h.lastSeen > 0 {
				p.LastSeen = now.Add(-h.lastSeen)
			}
			if err := s.addPerson(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) addPerson(ctx context.Context, p Person) error {
	if err := s.Ejabberd.Register(ctx, p.Account); err != nil {
		return err
	}
	s.Truth.People = append(s.Truth.People, p)
	if s.Database == nil {
		return nil
	}
	host := ""
	if s.Ejabberd.Config.NewSchema {
		host = fmt.Sprintf(" AND server_host = '%s'", p.Domain)
	}
	// The row that registering left stays as it is for those who were never online, but for its age.
	last := fmt.Sprintf("seconds = '%d'", p.Created.Unix())
	if !p.LastSeen.IsZero() {
		last = fmt.Sprintf("seconds = '%d', state = ''", p.LastSeen.Unix())
	}
	return s.Database.Exec(ctx, fmt.Sprintf(
		"UPDATE users SET created_at = to_timestamp(%d)::timestamp WHERE username = '%s'%s; UPDATE last SET %s WHERE username = '%s'%s",
		p.Created.Unix(), p.User, host, last, p.User, host))
}

// person finds one of the accounts of a vhost.
func (s *Service) person(user, domain string) Account {
	return Account{user + "-" + Canary, domain, password}
}
