// SPDX-License-Identifier: Apache-2.0

package statuspage

import (
	"cmp"
	"fmt"
	"slices"
)

// manyConnections is the share of the limit, in percent, from which on connections run out soon.
const manyConnections = 80

// largestTables is how many tables are shown.
const largestTables = 5

// database tells how PostgreSQL fares.
func (b *builder) database() *card {
	for _, up := range b.pick("ejabberd_database_up") {
		if up.Value == 0 {
			b.need(bad, "collectors", "PostgreSQL database "+up.Labels[0]+" does not answer.", "See whether it runs: `systemctl status postgresql`. Without it nobody logs in.")
		}
	}
	c := &card{ID: "database", Title: "Database"}
	for _, limit := range b.pick("ejabberd_database_connection_limit") {
		name := limit.Labels[0]
		held, known := b.sum("ejabberd_database_connections", name, "ejabberd")
		if !known {
			continue
		}
		row := bar{Label: "connections", Value: count(held) + " of " + count(limit.Value), Share: share(held, limit.Value), Level: good}
		if len(b.pick("ejabberd_database_connection_limit")) > 1 {
			row.Label = "connections to " + name
		}
		if row.Share >= manyConnections {
			row.Level, row.Mark = warn, "near the limit"
			b.need(warn, "database", "ejabberd holds "+row.Value+" connections that it may have to "+name+".", "Raise max_connections of PostgreSQL or lower sql_pool_size of ejabberd.")
		}
		c.Bars = append(c.Bars, row)
		if expected, known := b.sum("ejabberd_database_pool_expected", name); known && held < expected {
			c.Notes = append(c.Notes, fmt.Sprintf("ejabberd holds %s connections to %s; with all its pools complete it would be %s.", count(held), name, count(expected)))
		}
	}
	tables := slices.Clone(b.pick("ejabberd_database_table_size_bytes"))
	slices.SortFunc(tables, func(x, y *sample) int {
		return cmp.Or(cmp.Compare(y.Value, x.Value), slices.Compare(x.Labels, y.Labels))
	})
	for _, t := range tables[:min(len(tables), largestTables)] {
		c.Bars = append(c.Bars, bar{Label: "table " + t.Labels[1], Value: size(t.Value), Share: share(t.Value, tables[0].Value), Level: good})
	}
	if len(c.Bars) == 0 {
		return nil
	}
	if whole, known := b.sum("ejabberd_database_size_bytes"); known {
		c.Lead = size(whole) + " on disk. Connections of ejabberd against what it may have, and the largest tables."
	}
	return c
}
