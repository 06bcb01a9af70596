// SPDX-License-Identifier: Apache-2.0

package statuspage

import (
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// hosts is the table of vhosts.
type hosts struct {
	Columns []string
	Rows    [][]cell // the first cell is the host
	Missing []string // columns that nobody knows, and why
}

// Unknown is the title of what is missing.
func (h *hosts) Unknown() string {
	return "Unknown here: " + things(float64(len(h.Missing)), "column", "columns")
}

type cell struct {
	Name, Value string
	Known       bool
}

// column is a number of each vhost.
type column struct {
	name, metric string
	labels       []string // beside vhost
	show         func(float64) string
}

var columns = []column{
	{"Accounts", "ejabberd_accounts", nil, count},
	{"New in 7 days", "ejabberd_accounts_created", []string{"7d"}, count},
	{"Active in 30 days", "ejabberd_accounts_active", []string{"30d"}, count},
	{"Online", "ejabberd_accounts_online", nil, count},
	{"Sessions", "ejabberd_sessions", nil, count},
	{"Rooms", "ejabberd_muc_rooms_online", nil, count},
	{"Messages waiting", "ejabberd_offline_messages", nil, count},
	{"Uploads", "ejabberd_upload_bytes", nil, size},
}

// hosts tells the numbers of each vhost.
func (b *builder) hosts() *hosts {
	if b.ProbeOnly {
		return nil
	}
	h := &hosts{}
	var shown []column
	var names []string
	for _, c := range columns {
		names = append(names, c.metric)
		if _, known := b.sum(c.metric); known {
			shown = append(shown, c)
			h.Columns = append(h.Columns, c.name)
		} else {
			h.Missing = append(h.Missing, c.name+": "+b.why(c.metric))
		}
	}
	vhosts := b.vhosts(names...)
	for _, vhost := range vhosts {
		row := []cell{{Name: "Host", Value: hostName(vhost), Known: true}}
		for _, c := range shown {
			n, known := b.sum(c.metric, append([]string{vhost}, c.labels...)...)
			value := "unknown"
			if known {
				value = c.show(n)
			}
			row = append(row, cell{c.name, value, known})
		}
		h.Rows = append(h.Rows, row)
	}
	if len(vhosts) > 1 {
		total := []cell{{Name: "Host", Value: "all together", Known: true}}
		for _, c := range shown {
			n, _ := b.sum(c.metric, append([]string{""}, c.labels...)...)
			total = append(total, cell{c.name, c.show(n), true})
		}
		h.Rows = append(h.Rows, total)
	}
	return h
}

func hostName(vhost string) string {
	switch vhost {
	case metric.Other:
		return "all further hosts"
	case metric.Shared:
		return "hosts that cannot be told apart"
	}
	return vhost
}

// activity tells how many accounts are used.
func (b *builder) activity() *card {
	all, known := b.sum("ejabberd_accounts")
	if _, told := b.sum("ejabberd_accounts_active"); !known || !told {
		return nil
	}
	c := &card{ID: "activity", Title: "Accounts by last use", Lead: "Of " + things(all, "account", "accounts") + "; each line contains those above it."}
	for _, w := range []struct{ window, label string }{
		{"1d", "within a day"}, {"7d", "within 7 days"}, {"30d", "within 30 days"}, {"90d", "within 90 days"}, {"365d", "within a year"},
	} {
		n, _ := b.sum("ejabberd_accounts_active", "", w.window)
		c.Bars = append(c.Bars, bar{Label: w.label, Value: count(n), Share: share(n, all), Level: good})
	}
	if never, known := b.sum("ejabberd_accounts_never_logged_in"); known {
		c.Bars = append(c.Bars, bar{Label: "never logged in", Value: count(never), Share: share(never, all), Level: off})
	}
	return c
}

// connections tells how sessions are connected.
func (b *builder) connections() *card {
	const metric = "ejabberd_session_connections"
	all, known := b.sum(metric)
	if !known {
		return nil
	}
	c := &card{ID: "connections", Title: "How sessions are connected"}
	for _, kind := range []struct {
		value, label string
		level        level
	}{
		{"c2s_tls", "encrypted", good}, {"c2s", "not encrypted", warn}, {"websocket", "WebSocket", good}, {"http_bind", "BOSH", good},
	} {
		if n, _ := b.sum(metric, "", kind.value); n > 0 {
			c.Bars = append(c.Bars, bar{Label: kind.label, Value: count(n), Share: share(n, all), Level: kind.level})
		}
	}
	var families []string
	for _, f := range []string{"ip4", "ip6"} {
		if n, known := b.sum(metric, "", "", f); known {
			families = append(families, count(n)+" over "+familyNames[f])
		}
	}
	c.Lead = things(all, "session", "sessions") + ": " + strings.Join(families, ", ") + "."
	return c
}
