// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/chapril/ejabberd_exporter/internal/database"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// estimated belongs to the help of what is counted by stored.
const estimated = "; estimated from a sample, within about 10 %, above 200,000 rows"

// stored says how the rows of one table are counted by vhost.
type stored struct {
	store   string // whose rows they are, one of ejabberdconf.Stores
	table   string // t in the expressions
	join    string
	service string // expression for the host or service that a row belongs to, where there is no column server_host
	rare    bool   // few rows count: a sample would hold too few of them, so that all are read
	counts  []count
}

// count is one of the numbers.
type count struct {
	metric *metric.Metric
	labels []string // behind vhost
	where  string   // which rows; empty: all
}

// domain is the expression for the part of an address behind the "@", or all of it.
func domain(column string) string { return "substr(" + column + ", strpos(" + column + ", '@') + 1)" }

// collect counts in every database, in one pass.
func (s *stored) collect(ctx context.Context, src *Sources, out *metric.Set) error {
	return src.inSQL(ctx, s.store, s.table, func(ctx context.Context, db *database.Conn) error {
		return s.count(ctx, db, src.storedVhosts(db, s.store, s.service != ""), out)
	})
}

func (s *stored) count(ctx context.Context, db *database.Conn, vhosts []string, out *metric.Set) error {
	sample, factor := "", 1.0
	if !s.rare {
		var err error
		if sample, factor, err = db.Sample(ctx, s.table); err != nil {
			return err
		}
	}
	for _, c := range s.counts {
		for _, vhost := range vhosts {
			out.Add(c.metric, 0, append([]string{vhost}, c.labels...)...)
		}
	}
	rows, err := db.Query(ctx, s.statement(db, sample))
	if err != nil {
		return err
	}
	var host string
	numbers := make([]float64, len(s.counts))
	fields := []any{&host}
	for i := range numbers {
		fields = append(fields, &numbers[i])
	}
	_, err = pgx.ForEachRow(rows, fields, func() error {
		vhost := db.VhostLabel(host)
		if s.service != "" {
			vhost = db.ServiceLabel(host)
		}
		if vhost != metric.Shared && !slices.Contains(vhosts, vhost) {
			return nil
		}
		for i, c := range s.counts {
			out.Add(c.metric, math.Round(numbers[i]*factor), append([]string{vhost}, c.labels...)...)
		}
		return nil
	})
	return err
}

func (s *stored) statement(db *database.Conn, sample string) string {
	host := s.service
	if host == "" {
		host = db.HostColumn()
	}
	var b strings.Builder
	b.WriteString("SELECT " + host)
	for _, c := range s.counts {
		b.WriteString(", count(*)")
		if c.where != "" {
			b.WriteString(" FILTER (WHERE " + c.where + ")")
		}
	}
	b.WriteString(" FROM " + s.table + " AS t" + sample + " " + s.join + " GROUP BY 1")
	return b.String()
}

// inSQL runs f on every database in which a vhost keeps the store; where none does, or there is no such table, that is off.
func (s *Sources) inSQL(ctx context.Context, store, table string, f func(context.Context, *database.Conn) error) error {
	found := false
	off := fmt.Errorf("%w: ejabberd keeps nothing of %s in PostgreSQL here", ErrOff, store)
	if s.Databases != nil && len(s.InSQL[store]) == 0 {
		return off
	}
	err := s.refresh(ctx, func(ctx context.Context, db *database.Conn) error {
		if !db.Schema.Has(table) || len(both(db.Target.Vhosts, s.InSQL[store])) == 0 {
			return nil
		}
		found = true
		return f(ctx, db)
	})
	if err == nil && !found {
		return off
	}
	return err
}

// storedVhosts are the labels that a database must have a number for: of vhosts that keep the store in SQL. Rows that name their
// service can be told apart in the old schema as well.
func (s *Sources) storedVhosts(db *database.Conn, store string, byService bool) []string {
	kept := both(db.Target.Vhosts, s.InSQL[store])
	if len(kept) > 0 && !byService && !db.Schema.MultiHost {
		return db.VhostLabels()
	}
	return kept
}

// both are the values that are in both lists.
func both(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(v string) bool { return !slices.Contains(b, v) })
}
