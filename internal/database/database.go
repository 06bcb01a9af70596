// SPDX-License-Identifier: Apache-2.0

// Package database reads ejabberd's PostgreSQL databases as a role of the exporter's own: read-only, with timeouts, over at most
// two connections however many databases there are.
//
// It never logs in as ejabberd's role, which can read passwords and messages. Errors carry SQLSTATE codes and remedies, never
// statements, parameters or what PostgreSQL says of them.
package database

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Target is one database.
type Target struct {
	Name   string          // label of the metrics
	Vhosts []string        // the vhosts that live in it
	Role   string          // ejabberd's own role, to tell its connections apart; empty: unknown
	Login  *pgx.ConnConfig // how the exporter logs in
	// Services are those that are not named after their vhost, and whose they are.
	Services map[string]string
}

// Lane is one of the two connections.
type Lane int

const (
	// Scrape is for what is cheap and read while somebody waits.
	Scrape Lane = iota
	// Refresh is for what is counted in the background, one statement after the other.
	Refresh
)

// settings are SET after login rather than sent with it, because pgbouncer refuses start-up parameters that it does not know.
// The timeouts are the wall between a slow database and more work for it; the GRANTs are the wall around the data.
var settings = [...]string{
	Scrape:  "SET default_transaction_read_only=on; SET statement_timeout='2s'; SET lock_timeout='500ms'; SET idle_in_transaction_session_timeout='10s'; SET application_name='ejabberd_exporter'; SET search_path=public" + noJIT,
	Refresh: "SET default_transaction_read_only=on; SET statement_timeout='10s'; SET lock_timeout='500ms'; SET idle_in_transaction_session_timeout='10s'; SET application_name='ejabberd_exporter'; SET search_path=public; SET max_parallel_workers_per_gather=0" + noJIT,
}

// noJIT: compiling a statement took 200 times as long as running it (docs/decisions/027). PostgreSQL 10 has no such setting.
const noJIT = "; SELECT set_config('jit', 'off', false) WHERE current_setting('jit', true) IS NOT NULL"

// schemaAge is how long what is known of a schema is believed: a connection outlives upgrades of ejabberd, and may be older than
// ejabberd's tables.
const schemaAge = 5 * time.Minute

// A server that hangs shall be found out before the shortest usual deadline of a scrape.
const (
	connectTimeout = 3 * time.Second
	pingTimeout    = time.Second
)

// Databases holds the two lanes. It is safe for concurrent use; who finds a lane taken waits.
type Databases struct {
	targets []*Target
	lanes   *[2]lane
}

// lane holds at most one open connection, and never a second socket. With one database it is kept; with several the last one used is.
type lane struct {
	turn chan struct{} // holds a token while the lane is free
	conn *Conn
	lost struct { // the last connection that could not be made
		to  *Target
		at  time.Time
		err error
	}
}

// Conn is a connection to one database, with what is known of its schema.
type Conn struct {
	*pgx.Conn
	Target *Target
	Schema Schema
	read   time.Time // when the schema was
	socket *socket
}

// New makes Databases; it connects when first used.
func New(targets ...*Target) *Databases {
	d := &Databases{targets: targets, lanes: new([2]lane)}
	for i := range d.lanes {
		d.lanes[i].turn = make(chan struct{}, 1)
		d.lanes[i].turn <- struct{}{}
	}
	return d
}

// Renew makes Databases of other targets on the same two lanes: there are never more connections than these.
func (d *Databases) Renew(targets ...*Target) *Databases {
	return &Databases{targets: targets, lanes: d.lanes}
}

// Names are the databases' names.
func (d *Databases) Names() []string {
	names := make([]string, len(d.targets))
	for i, t := range d.targets {
		names[i] = t.Name
	}
	return names
}

// Use runs f on the named database, on the lane's connection. Errors are *Error, or what f made of them.
func (d *Databases) Use(ctx context.Context, which Lane, name string, f func(context.Context, *Conn) error) error {
	i := slices.IndexFunc(d.targets, func(t *Target) bool { return t.Name == name })
	if i < 0 {
		return fmt.Errorf("database %s is not configured", name)
	}
	l, asked := &d.lanes[which], time.Now()
	select {
	case <-l.turn:
		defer func() { l.turn <- struct{}{} }()
	case <-ctx.Done():
		return wrap(name, ctx.Err())
	}
	// Who waited while the server could not be reached need not find that out again, one after the other.
	if l.lost.to == d.targets[i] && l.lost.at.After(asked) {
		return wrap(name, l.lost.err)
	}
	return wrap(name, l.use(ctx, which, d.targets[i], f))
}

func (l *lane) use(ctx context.Context, which Lane, t *Target, f func(context.Context, *Conn) error) error {
	kept := l.conn != nil && l.conn.Target == t
	// A connection that lay idle may have died with its server: better to find out before f than in the middle of it.
	if !kept || l.conn.IsClosed() || l.ping(ctx) != nil || l.look(ctx) != nil {
		if err := l.open(ctx, which, t); err != nil {
			l.lost.to, l.lost.at, l.lost.err = t, time.Now(), err
			return err
		}
	}
	l.conn.socket.mayCancel.Store(true)
	return f(ctx, l.conn)
}

func (l *lane) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	l.conn.socket.mayCancel.Store(false)
	return l.conn.Ping(ctx)
}

// look reads the schema unless that was done lately.
func (l *lane) look(ctx context.Context) (err error) {
	if time.Since(l.conn.read) < schemaAge {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if l.conn.Schema, err = readSchema(ctx, l.conn.Conn); err == nil {
		l.conn.read = time.Now()
	}
	return err
}

func (l *lane) open(ctx context.Context, which Lane, t *Target) error {
	l.close()
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	login := t.Login.Copy()
	// Unnamed statements and text results: works through pgbouncer, and the type of every column is ours to choose.
	login.DefaultQueryExecMode = pgx.QueryExecModeExec
	socket := &socket{dial: login.DialFunc}
	login.DialFunc = socket.open
	conn, err := pgx.ConnectConfig(context.WithValue(ctx, loggingIn{}, true), login)
	if err != nil {
		return err
	}
	l.conn = &Conn{Conn: conn, Target: t, socket: socket}
	if _, err = conn.Exec(ctx, settings[which], pgx.QueryExecModeSimpleProtocol); err == nil {
		err = l.look(ctx)
	}
	if err != nil {
		l.close()
	}
	return err
}

func (l *lane) close() {
	if l.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = l.conn.Close(ctx) // the connection is given up either way
	if !l.conn.socket.mayCancel.Load() {
		l.conn.socket.close() // or pgx goes on to listen whether there comes a goodbye
	}
	<-l.conn.PgConn().CleanupDone()
	l.conn = nil
}

// Close closes both connections, waiting for statements under way until ctx is done.
func (d *Databases) Close(ctx context.Context) {
	var wg sync.WaitGroup
	for i := range d.lanes {
		l := &d.lanes[i]
		wg.Go(func() {
			select {
			case <-l.turn:
				l.close()
				l.turn <- struct{}{}
			case <-ctx.Done():
			}
		})
	}
	wg.Wait()
}
