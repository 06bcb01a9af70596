// SPDX-License-Identifier: Apache-2.0

package database

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Error is a failure of PostgreSQL or of the way to it, told without anything that a statement or its data contained.
type Error struct {
	Database string
	SQLState string // empty where PostgreSQL did not answer
	cause    error
}

// wrap makes an *Error of what pgx says; errors that are not pgx's are kept.
func wrap(database string, err error) error {
	if err == nil {
		return nil
	}
	if own := (*Error)(nil); errors.As(err, &own) {
		return err
	}
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) {
		return &Error{Database: database, SQLState: pg.Code, cause: err}
	}
	var network net.Error
	if connect := (*pgconn.ConnectError)(nil); errors.As(err, &connect) || errors.As(err, &network) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || pgconn.Timeout(err) ||
		strings.Contains(err.Error(), "conn closed") || strings.Contains(err.Error(), "unexpected EOF") {
		return &Error{Database: database, cause: err}
	}
	if scan := (pgx.ScanArgError{}); errors.As(err, &scan) { // it may quote the row
		return fmt.Errorf("database %s: column %d of the answer is of an unexpected kind: please report the releases of ejabberd and PostgreSQL", database, scan.ColumnIndex+1)
	}
	return fmt.Errorf("database %s: %w", database, err)
}

// Error names the database, what happened and what to do.
func (e *Error) Error() string {
	text := "PostgreSQL database " + e.Database + ": " + e.reason()
	if e.SQLState != "" {
		text += " (SQLSTATE " + e.SQLState + ")"
	}
	return text
}

func (e *Error) reason() string {
	switch {
	case e.SQLState == "28P01", e.SQLState == "28000":
		return "login refused: create the role with `ejabberd_exporter --check`, and set its password by PGPASSWORD or --database.password-file"
	case e.SQLState == "3D000":
		return "no such database: name it with --database.url"
	case e.SQLState == "42501":
		return "permission denied: grant what `ejabberd_exporter --check` prints"
	case e.SQLState == "42P01", e.SQLState == "42703":
		return "this is not ejabberd's schema, or one that is not known: check the database's name"
	case e.SQLState == "53300":
		return "no connection left for the exporter: raise max_connections, or the CONNECTION LIMIT of its role if more than five exporters use it"
	case e.SQLState == "57014", e.SQLState == "55P03":
		return "given up to spare the server and tried again later: a table is locked (pg_locks tells by whom) or the statement takes too long"
	case strings.HasPrefix(e.SQLState, "57P"):
		return "the server is starting or shutting down"
	case e.SQLState != "":
		return "statement failed"
	case pgconn.Timeout(e.cause), errors.Is(e.cause, context.DeadlineExceeded):
		return "no answer in time: is PostgreSQL overloaded, or a firewall in between?"
	case errors.Is(e.cause, context.Canceled):
		return "given up"
	}
	return "no connection: is PostgreSQL running, and is this its address?"
}

// Unwrap gives access to the cause for errors.Is; its text must not be printed.
func (e *Error) Unwrap() error { return e.cause }

// Down tells whether the error means that the database does not serve: refused, no answer, starting, shutting down. A refused
// login or a missing privilege is an answer.
func Down(err error) bool {
	own := (*Error)(nil)
	if !errors.As(err, &own) {
		return false
	}
	return own.SQLState == "" && !errors.Is(own.cause, context.Canceled) || strings.HasPrefix(own.SQLState, "57P")
}

// Refused tells whether the role, its password or a privilege is missing somewhere in err: the GRANTs help.
func Refused(err error) bool {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return slices.ContainsFunc(many.Unwrap(), Refused)
	}
	own := (*Error)(nil)
	return errors.As(err, &own) && (own.SQLState == "42501" || strings.HasPrefix(own.SQLState, "28"))
}
