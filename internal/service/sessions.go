// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// logins are the sessions of each vhost: the first has all of these, each further one a session less.
var logins = []struct {
	user, resource string
	family         string
	direct         bool
	show           string
}{
	{"online-1", "phone", "ip4", false, "away"},
	{"online-1", "laptop", "ip6", true, "available"},
	{"online-2", "phone", "ip6", false, "dnd"},
	{"online-3", "phone", "ip4", true, "available"},
	{"uploader", "phone", "ip4", false, "xa"},
}

// offlineMessages wait for one absent account of each vhost.
const offlineMessages = 3

// logInPeople opens the sessions, and lets the first one of each vhost enter a room and write to somebody who is absent.
func (s *Service) logInPeople(ctx context.Context) error {
	for i, domain := range s.Domains {
		for j, l := range logins[:max(len(logins)-i, 1)] {
			client, err := s.LogIn(ctx, Session{s.person(l.user, domain), l.resource + "-" + Canary, l.family, l.direct, l.show})
			if err != nil {
				return err
			}
			if j > 0 {
				continue
			}
			if err := s.joinRoom(ctx, client, "room-"+Canary+"@conference."+domain); err != nil {
				return err
			}
			if err := s.writeTo(ctx, client, s.person("absent", domain).JID(), offlineMessages); err != nil {
				return err
			}
		}
	}
	return nil
}

// LogIn opens a session that lasts until Stop, and adds it to the Truth.
func (s *Service) LogIn(ctx context.Context, session Session) (*Client, error) {
	return s.LogInAt(ctx, s.Ejabberd, session)
}

// LogInAt is LogIn on one of the nodes of a cluster.
func (s *Service) LogInAt(ctx context.Context, node *Ejabberd, session Session) (*Client, error) {
	loopback := Loopback()
	host := loopback[0]
	if session.Family == "ip6" {
		host = loopback[len(loopback)-1]
	}
	if host == loopback[0] { // perhaps for want of ::1
		session.Family = "ip4"
	}
	port := node.Config.Ports.C2S
	if session.Direct {
		port = node.Config.Ports.C2STLS
	}
	client, err := Connect(ctx, Login{
		Account:   session.Account,
		Resource:  session.Resource,
		Address:   net.JoinHostPort(host, strconv.Itoa(port)),
		DirectTLS: session.Direct,
	}, s.CA.Pool())
	if err != nil {
		return nil, err
	}
	s.onStop(client.Close)
	s.Clients = append(s.Clients, client)
	s.Truth.Online = append(s.Truth.Online, session)
	if err := client.Show(ctx, session.Show); err != nil {
		return nil, err
	}
	// An answer means that ejabberd has seen the presence, too.
	return client, client.Ping(ctx, session.Account.Domain)
}

func (s *Service) joinRoom(ctx context.Context, client *Client, room string) error {
	if err := client.Join(ctx, room, "nick-"+Canary); err != nil {
		return fmt.Errorf("enter a room: %w", err)
	}
	s.Truth.Rooms = append(s.Truth.Rooms, room)
	return nil
}

// writeTo sends messages to an account that is offline, and waits until they are stored.
func (s *Service) writeTo(ctx context.Context, client *Client, to string, messages int) error {
	for i := range messages {
		if err := client.Message(ctx, to, fmt.Sprintf("message %d-%s", i, Canary)); err != nil {
			return err
		}
		s.Truth.Offline = append(s.Truth.Offline, to)
	}
	if s.Database == nil {
		return nil
	}
	return eventually(ctx, func(ctx context.Context) error {
		stored, err := s.Database.Count(ctx, "SELECT count(*) FROM spool")
		if err == nil && stored < int64(len(s.Truth.Offline)) {
			err = errors.New("ejabberd has not stored all offline messages")
		}
		return err
	})
}

// eventually polls until check answers nil or the context is over.
func eventually(ctx context.Context, check func(context.Context) error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-tick.C:
		}
	}
}
