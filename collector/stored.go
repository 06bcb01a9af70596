// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"fmt"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var (
	rosterItems   = storedGauge("ejabberd_roster_items", "rosterusers", "Entries in all contact lists together, unanswered requests included")
	rosterPending = storedGauge("ejabberd_roster_pending", "rosterusers.ask", "Entries of contact lists with a request that nobody has answered, from or to the contact")
	pubsubNodes   = storedGauge("ejabberd_pubsub_nodes", "pubsub_node", "Nodes of accounts (avatars, OMEMO devices …) and of the pubsub service")
	pubsubItems   = storedGauge("ejabberd_pubsub_items", "pubsub_item", "Items in nodes of accounts (pep) and of the pubsub service",
		metric.OneOf("kind", "pep", "service"))
	pushSessions = storedGauge("ejabberd_push_sessions", "push_session", "Sessions that have push notifications enabled, those included whose connection is gone")
	vcards       = storedGauge("ejabberd_vcards", "vcard", "Profiles that accounts have published")
	oauthTokens  = storedGauge("ejabberd_oauth_tokens", "oauth_token", "OAuth tokens that exist; ejabberd deletes expired ones once a day")
	invites      = storedGauge("ejabberd_invites", "invite_token (from ejabberd 26.01)", "Invitations that have not expired, used ones included")
)

func storedGauge(name, table, help string, labels ...metric.Label) *metric.Metric {
	return &metric.Metric{
		Name: name, Source: "PostgreSQL " + table, Scope: metric.Database, Refreshed: true,
		Labels: append([]metric.Label{metric.Vhost}, labels...),
		Help:   help + estimated,
	}
}

// isPEP: the host of a node is an account's address, not the name of a service.
const isPEP = "strpos(n.host, '@') > 0"

var storedRows = []stored{
	{store: "mod_roster", table: "rosterusers", counts: []count{{metric: rosterItems}, {metric: rosterPending, where: "t.ask <> 'N'"}}},
	{store: "mod_pubsub", table: "pubsub_node", service: domain("t.host"), counts: []count{{metric: pubsubNodes}}},
	{
		store: "mod_pubsub", table: "pubsub_item", join: "JOIN pubsub_node AS n USING (nodeid)", service: domain("n.host"),
		counts: []count{
			{metric: pubsubItems, labels: []string{"pep"}, where: isPEP},
			{metric: pubsubItems, labels: []string{"service"}, where: "NOT " + isPEP},
		},
	},
	{store: "mod_push", table: "push_session", counts: []count{{metric: pushSessions}}},
	{store: "mod_vcard", table: "vcard", counts: []count{{metric: vcards}}},
	{store: ejabberdconf.OAuth, table: "oauth_token", service: domain("t.jid"), counts: []count{{metric: oauthTokens}}},
	{store: "mod_invites", table: "invite_token", counts: []count{{metric: invites, where: "t.expires > (SELECT localtimestamp)"}}},
}

// Stored counts what accounts keep on the server, apart from messages and files. It is one collector, and not one for each table,
// because each collector has four series of its own.
var Stored = Definition{
	Name: "stored", Source: Database, Refresh: 15 * time.Minute,
	Help: "What accounts keep on the server: contacts, profiles, published items, push sessions, tokens, invitations",
	Columns: map[string][]string{
		"rosterusers": {"server_host", "ask"}, "pubsub_node": {"nodeid", "host"}, "pubsub_item": {"nodeid"}, "push_session": {"server_host", "timestamp"},
		"vcard": {"server_host", "created_at"}, "oauth_token": {"jid"}, "invite_token": {"server_host", "expires"},
	},
	Metrics: []*metric.Metric{rosterItems, rosterPending, pubsubNodes, pubsubItems, pushSessions, vcards, oauthTokens, invites},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		counted := false
		for _, rows := range storedRows {
			switch err := rows.collect(ctx, src, out); {
			case err == nil:
				counted = true
			case !IsOff(err):
				return err
			}
		}
		if !counted {
			return src.absent(fmt.Errorf("%w: ejabberd keeps none of this in PostgreSQL here", ErrOff))
		}
		return nil
	},
}
