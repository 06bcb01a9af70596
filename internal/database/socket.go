// SPDX-License-Identifier: Apache-2.0

package database

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// cancelTimeout is how long PostgreSQL has to take note that a statement is given up.
const cancelTimeout = time.Second

var errNothingToCancel = errors.New("nothing is under way that is worth another connection")

// socket is what a connection uses, one at a time. When a statement is given up, pgx asks PostgreSQL to give it up too, over a
// connection of its own, and holds on to both for a quarter of a minute where the server hangs: with two lanes that try again
// meanwhile these were half a dozen.
type socket struct {
	dial      pgconn.DialFunc
	conn      net.Conn
	mayCancel atomic.Bool // a statement may be under way, not only a ping
}

// loggingIn marks the context of who logs in, to tell it from who cancels.
type loggingIn struct{}

// open is pgx's DialFunc.
func (s *socket) open(ctx context.Context, network, address string) (net.Conn, error) {
	login := ctx.Value(loggingIn{}) != nil
	if !login && !s.mayCancel.Load() {
		return nil, errNothingToCancel
	}
	s.close()
	if !login {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, cancelTimeout)
		defer cancel()
	}
	conn, err := s.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	s.conn = conn
	if !login {
		err = conn.SetDeadline(time.Now().Add(cancelTimeout))
	}
	return conn, err
}

func (s *socket) close() {
	if s.conn != nil {
		_ = s.conn.Close()
	}
}
