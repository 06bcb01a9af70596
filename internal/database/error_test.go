// SPDX-License-Identifier: Apache-2.0

package database

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// TestErrorsQuoteNothing: what PostgreSQL and pgx say may hold what is in the rows.
func TestErrorsQuoteNothing(t *testing.T) {
	const secret = "canary@one.test"
	for name, err := range map[string]error{
		"of a statement": &pgconn.PgError{Code: "22P02", Message: secret, Detail: secret, Where: secret},
		"of a column":    pgx.ScanArgError{ColumnIndex: 2, FieldName: "username", Err: errors.New(secret)},
	} {
		told := wrap("ejabberd", err)
		if strings.Contains(told.Error(), secret) {
			t.Errorf("an error %s quotes it: %v", name, told)
		}
		if Down(told) {
			t.Errorf("an error %s is an answer: %v", name, told)
		}
	}
}
