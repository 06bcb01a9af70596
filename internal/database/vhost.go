// SPDX-License-Identifier: Apache-2.0

package database

import "github.com/chapril/ejabberd_exporter/internal/metric"

// HostColumn is the SQL expression for the vhost of a row: the column server_host, or nothing in the old schema, which has no
// such column.
func (c *Conn) HostColumn() string {
	if c.Schema.MultiHost {
		return "server_host"
	}
	return "''::text"
}

// VhostLabel is the label for a row's vhost. Rows of the old schema belong to the database's only vhost, or to all of them
// together.
func (c *Conn) VhostLabel(host string) string {
	switch {
	case c.Schema.MultiHost:
		return host
	case len(c.Target.Vhosts) == 1:
		return c.Target.Vhosts[0]
	}
	return metric.Shared
}

// VhostLabels are the labels that this database must have a number for, also when it has no row: nobody there is a true 0.
func (c *Conn) VhostLabels() []string {
	if c.Schema.MultiHost {
		return c.Target.Vhosts
	}
	return []string{c.VhostLabel("")}
}
