// SPDX-License-Identifier: Apache-2.0

package ejabberd

import (
	"context"
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"sync"
	"time"
)

// Account stands for one account: equal for the same account as long as this process lives, meaningless elsewhere, and no way
// back to the name. It is what distinct accounts are counted by.
type Account uint64

// seed makes Accounts differ from process to process.
var seed = maphash.MakeSeed()

// AccountOf returns the Account of a user name, to match what other sources know with who is online. Names are compared as
// they are: give them in the normalised form that ejabberd keeps, the vhost in ASCII form.
func AccountOf(user, vhost string) Account { return accountOf([]byte(user), vhost) }

func accountOf(user []byte, vhost string) Account {
	var h maphash.Hash
	h.SetSeed(seed)
	h.Write(user)
	h.WriteByte('@')
	h.WriteString(vhost)
	return Account(h.Sum64())
}

// Session is one session of an account, without anything that would tell whose it is.
type Session struct {
	Vhost      string  // in ASCII form
	Account    Account // to tell accounts apart while counting
	Connection string  // c2s_tls (STARTTLS and direct TLS), c2s, websocket, http_bind …
	Family     string  // ip4 (also IPv4-mapped), ip6, or "" where ejabberd does not know the address
	Uptime     int     // seconds since login, by the server's local time: off by an hour after a change of the clocks
	Show       string  // available, chat, away, xa, dnd; unavailable before the first presence
}

// Sessions returns the number of sessions of a vhost in the cluster. A vhost that ejabberd does not serve is an error, for
// which ejabberd itself would answer 0.
func (c *Client) Sessions(ctx context.Context, vhost string) (int, error) {
	vhosts, err := c.servedVhosts(ctx)
	if err != nil {
		return 0, err
	}
	i := slices.IndexFunc(vhosts, func(v servedVhost) bool { return v.ascii == vhost })
	if i < 0 {
		return 0, fmt.Errorf("ejabberd %s: %w", specs[onlineUsers].name, ErrUnknownVhost)
	}
	return c.number(ctx, onlineUsers, vhosts[i].native)
}

// SessionCount returns the number of sessions of all vhosts in the cluster, which ejabberd is not asked for if it has listed them within
// two minutes.
func (c *Client) SessionCount(ctx context.Context) (int, error) {
	if n, known := c.listed.lately(); known {
		return n, nil
	}
	return c.number(ctx, connectedUsersNumber, "")
}

// ConnectedUsers tells vhost and account of every session in the cluster, as they arrive and in constant memory. After an
// error what was told is incomplete and must be thrown away. It needs a permission of its own: the answer names everybody.
func (c *Client) ConnectedUsers(ctx context.Context, each func(vhost string, account Account)) error {
	n := 0
	err := c.stream(ctx, connectedUsers, func(r io.Reader) error {
		return readUsers(r, func(vhost string, account Account) {
			n++
			each(vhost, account)
		})
	})
	if err == nil {
		c.listed.set(n)
	}
	return err
}

// ConnectedUsersInfo tells every session in the cluster, as ConnectedUsers does. It makes ejabberd ask each session's process.
func (c *Client) ConnectedUsersInfo(ctx context.Context, each func(Session)) error {
	return c.stream(ctx, connectedUsersInfo, func(r io.Reader) error { return readSessions(r, each) })
}

func (c *Client) stream(ctx context.Context, cmd command, read func(io.Reader) error) error {
	release, err := c.take(ctx, cmd)
	if err != nil {
		return err
	}
	defer release()
	return c.call(ctx, cmd, "", read)
}

// inSQL tells whether ejabberd would ask its database for the sessions of a vhost, or of any where host is empty.
func (c *Client) inSQL(host string) bool {
	if host == "" {
		return len(c.options.SessionsInSQL) > 0
	}
	return slices.Contains(c.options.SessionsInSQL, ascii(host))
}

// listed is how many sessions ejabberd listed last.
type listed struct {
	mu   sync.Mutex
	n    int
	read time.Time
}

func (l *listed) set(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n, l.read = n, time.Now()
}

// lately is that number, unless it is older than two minutes.
func (l *listed) lately() (n int, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.n, !l.read.IsZero() && time.Since(l.read) < 2*time.Minute
}
