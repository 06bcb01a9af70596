// SPDX-License-Identifier: Apache-2.0

package database

import (
	"context"
	"fmt"
)

// rowSize is how many bytes a row takes at most, as a rule: larger columns are kept outside of the table's pages.
const rowSize = 1000

// exactRows is how many rows are counted one by one. Of a larger table about as many are looked at, in whole pages picked evenly.
const exactRows = 200_000

// Sample returns the clause, behind a table's name, that keeps counting its rows cheap however many there are, and the factor for
// what is then counted: "" and 1 up to 200,000 rows. The same pages are picked each time, so that the number does not jitter.
func (c *Conn) Sample(ctx context.Context, table string) (clause string, factor float64, err error) {
	var rows float64
	// reltuples is -1 before the first ANALYZE, up to PostgreSQL 13 it was 0. n_live_tup is counted from the start, but not over
	// pg_upgrade: as long as no pages are known either, the size tells how many rows there are at least.
	err = c.QueryRow(ctx, `
		SELECT greatest(c.reltuples, s.n_live_tup, CASE WHEN c.relpages = 0 THEN pg_relation_size(c.oid) / $1::bigint END, 0)
		FROM pg_class AS c LEFT JOIN pg_stat_user_tables AS s ON s.relid = c.oid
		WHERE c.oid = 'public.`+table+`'::regclass`, rowSize).Scan(&rows)
	if err != nil || rows <= exactRows {
		return "", 1, err
	}
	factor = rows / exactRows
	return fmt.Sprintf(" TABLESAMPLE SYSTEM (%g) REPEATABLE (1)", 100/factor), factor, nil
}
