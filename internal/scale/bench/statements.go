// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/chapril/ejabberd_exporter/collector"
)

const (
	// rounds of all collectors that read PostgreSQL, each by an exporter that knows nothing yet.
	rounds = 3
	// scrapeEvery is how often somebody scrapes, for what an hour costs.
	scrapeEvery = 15 * time.Second
)

// cost is what one collector costs PostgreSQL.
type cost struct {
	collector.Definition
	cpu        sample // of all its statements together
	statements map[string]*sample
	order      []string
}

// statements measures what every statement costs, as PostgreSQL itself logs it, and has their plans explained.
func (b *bench) statements(ctx context.Context, p *part) error {
	costs := map[string]*cost{}
	for _, d := range readers() {
		costs[d.Name] = &cost{Definition: d, statements: map[string]*sample{}}
	}
	if err := b.logStatements(ctx, "log_min_duration_statement = 0"); err != nil {
		return err
	}
	for range b.shorter(rounds) {
		if err := b.round(ctx, func(d collector.Definition, cpu time.Duration, said []logged) error {
			c := costs[d.Name]
			c.cpu.add(cpu)
			for _, s := range said {
				if c.statements[s.text] == nil {
					c.statements[s.text] = &sample{}
					c.order = append(c.order, s.text)
				}
				*c.statements[s.text] = append(*c.statements[s.text], s.seconds)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	var rows [][]string
	slowest, computed, text, hour := 0.0, 0.0, "", 0.0
	for _, d := range readers() {
		c := costs[d.Name]
		if d.Disabled {
			c.Name += " (off by default)"
		}
		longest := 0.0
		for _, s := range c.order {
			longest = max(longest, c.statements[s].median())
			if !d.Disabled && c.statements[s].median() > slowest {
				slowest, computed, text = c.statements[s].median(), c.cpu.median(), d.Name
			}
		}
		perHour := 3600 / c.every(longest).Seconds()
		spent := c.cpu.median() * perHour
		if !d.Disabled {
			hour += spent
		}
		rows = append(rows, []string{
			c.Name, fmt.Sprint(len(c.order)), seconds(longest), seconds(c.cpu.median()), fmt.Sprintf("%.0f", perHour), fmt.Sprintf("%.3f %%", spent/36),
		})
	}
	p.write("\nMedians of %d rounds over all collectors that read PostgreSQL, with %d accounts, as its log tells: planning, execution and sending. "+
		"The plan of every statement is in [explain.md](explain.md).\n", b.shorter(rounds), b.service.Accounts)
	p.table([]string{"collector", "statements", "the longest of them", "CPU of PostgreSQL for one run", "runs an hour", "of a core"}, rows)
	p.asked("PostgreSQL at the default intervals, scraped every 15 s", "under 1 % of a core", hour < 36, "%.2f %%", hour/36)
	p.asked("the slowest statement", "at most 1 s at 1,000,000 accounts", slowest < 1, "%s (%s), with %s of processor time", seconds(slowest), text, seconds(computed))
	p.grows("the slowest statement", seconds(slowest))
	p.grows("PostgreSQL, of a core", fmt.Sprintf("%.2f %%", hour/36))
	if b.docs == "" {
		return b.logStatements(ctx)
	}
	return b.explain(ctx)
}

// readers are the collectors that read PostgreSQL.
func readers() []collector.Definition {
	// These read it to complete what they know from elsewhere.
	also := []string{"upload_orphans", "doctor"}
	return slices.DeleteFunc(slices.Clone(collector.All), func(d collector.Definition) bool {
		return d.Source != collector.Database && !slices.Contains(also, d.Name)
	})
}

// every is how often a collector runs.
func (c *cost) every(longest float64) time.Duration {
	if c.Refresh > 0 {
		return max(c.Refresh, time.Duration(100*longest*float64(time.Second)))
	}
	reuse := max(c.Reuse, reuse)
	return time.Duration(math.Ceil(float64(reuse)/float64(scrapeEvery))) * scrapeEvery
}

// logStatements sets what PostgreSQL logs of the exporter's statements, from its next connections on.
func (b *bench) logStatements(ctx context.Context, settings ...string) error {
	sql := "ALTER ROLE " + role + " RESET ALL;"
	for _, s := range settings {
		sql += "ALTER ROLE " + role + " SET " + s + ";"
	}
	return b.service.Database.Exec(ctx, sql)
}

// round has each collector run once and tells what PostgreSQL had to do for it.
func (b *bench) round(ctx context.Context, tell tell) error {
	// What makes both connections log in is not measured, but by another exporter.
	inTheWay := []string{"database", "muc"}
	others := slices.DeleteFunc(readers(), func(d collector.Definition) bool { return slices.Contains(inTheWay, d.Name) })
	first := slices.DeleteFunc(readers(), func(d collector.Definition) bool { return !slices.Contains(inTheWay, d.Name) })
	if err := b.ask(ctx, inTheWay, others, tell); err != nil {
		return err
	}
	return b.ask(ctx, []string{"tables", "offline"}, first, tell)
}

// tell is told what one run of a collector cost.
type tell func(d collector.Definition, cpu time.Duration, said []logged) error

// ask starts an exporter that logs in for some collectors, then has others run, one after the other.
func (b *bench) ask(ctx context.Context, before []string, collectors []collector.Definition, tell tell) error {
	var flags []string
	for _, d := range readers() {
		flags = append(flags, "--collector."+d.Name)
	}
	e, err := startExporter(ctx, b.service, b.bin, flags...)
	if err != nil {
		return err
	}
	defer e.stop()
	ask := func(name string) error {
		_, err := e.get(ctx, "/metrics?collect[]="+name, time.Minute)
		return err
	}
	for _, name := range before {
		if err := ask(name); err != nil {
			return err
		}
	}
	log := &statementLog{path: b.service.Postgres.LogPath()}
	for _, d := range collectors {
		if err := b.watched(ctx, d, log, func() error { return ask(d.Name) }, tell); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) watched(ctx context.Context, d collector.Definition, log *statementLog, do func() error, tell tell) error {
	log.skip()
	before, err := b.backends(ctx)
	if err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	after, err := b.backends(ctx)
	if err != nil {
		return err
	}
	said, err := log.read()
	if err != nil {
		return err
	}
	return tell(d, after-before, said)
}

// backends is the processor time that those of the exporter have used.
func (b *bench) backends(ctx context.Context) (total time.Duration, err error) {
	conn, err := pgx.Connect(ctx, b.service.Postgres.AdminURL(b.service.Database.Name))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	rows, err := conn.Query(ctx, "SELECT pid FROM pg_stat_activity WHERE usename = $1", role)
	if err != nil {
		return 0, err
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		return 0, err
	}
	for _, pid := range pids {
		cpu, err := cpuOf(pid)
		if err != nil {
			return 0, err
		}
		total += cpu
	}
	return total, nil
}

// oneLine is a statement without its indentation.
func oneLine(sql string) string { return strings.Join(strings.Fields(sql), " ") }
