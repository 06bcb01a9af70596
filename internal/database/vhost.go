// SPDX-License-Identifier: Apache-2.0

package database

import (
	"slices"
	"strings"

	"golang.org/x/net/idna"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

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
		return ascii(host)
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

// ServiceLabel is the label for rows that name a service instead of a vhost, such as conference.example.org.
func (c *Conn) ServiceLabel(service string) string {
	return ServiceLabel(service, c.Target.Vhosts, c.Target.Services)
}

// ServiceLabel is the label for a service: the vhost whose it is by configuration, the one that it is named after, or "shared" where
// nothing tells which of several that is.
func ServiceLabel(service string, vhosts []string, configured map[string]string) string {
	if vhost := configured[ascii(service)]; slices.Contains(vhosts, vhost) {
		return vhost
	}
	for name := ascii(service); name != ""; _, name, _ = strings.Cut(name, ".") {
		if slices.Contains(vhosts, name) {
			return name
		}
	}
	if len(vhosts) == 1 {
		return vhosts[0]
	}
	return metric.Shared
}

// ascii is the form in which the project writes hosts; ejabberd writes them in Unicode.
func ascii(host string) string {
	for i := range len(host) {
		if host[i] >= 0x80 {
			if a, err := idna.Lookup.ToASCII(host); err == nil {
				return a
			}
			break
		}
	}
	return host
}
