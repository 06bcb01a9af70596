// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/events"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// EventSource is what mod_metrics told so far. Implemented by *events.Listener.
type EventSource interface {
	Counts() (events.Counts, error)
}

// counted declares a counter of mod_metrics' events.
func counted(name, event, help string) *metric.Metric {
	return &metric.Metric{Name: name, Kind: metric.Counter, Source: "mod_metrics " + event, Labels: []metric.Label{metric.Vhost}, Help: help}
}

var (
	eventMetrics = map[events.Event]*metric.Metric{
		events.Registration: counted("ejabberd_account_registrations_total", "register_user", "Accounts made"),
		events.Removal:      counted("ejabberd_account_removals_total", "remove_user", "Accounts removed"),
		events.Login:        counted("ejabberd_logins_total", "sm_register_connection", "Sessions opened"),
		events.Logout:       counted("ejabberd_logouts_total", "sm_remove_connection", "Sessions closed"),
		events.UserSends: counted("ejabberd_c2s_stanzas_received_total", "user_send_packet",
			"Stanzas that clients sent, those that ejabberd refuses included"),
		events.UserReceives: counted("ejabberd_c2s_stanzas_sent_total", "user_receive_packet", "Stanzas that clients were sent"),
		events.S2SReceives:  counted("ejabberd_s2s_stanzas_received_total", "s2s_receive_packet", "Stanzas that other servers sent"),
		events.S2SSends: counted("ejabberd_s2s_stanzas_sent_total", "s2s_send_packet",
			"Stanzas that other servers were sent, without those of rooms and pubsub services"),
		events.OfflineMessage: counted("ejabberd_messages_to_offline_accounts_total", "offline_message",
			"Messages to accounts that were offline, before ejabberd decides whether to store them"),
	}
	eventsDropped = &metric.Metric{
		Name: "ejabberd_exporter_events_dropped_total", Kind: metric.Counter, Source: "exporter",
		Labels: []metric.Label{metric.OneOf("reason", events.Reasons()...)},
		Help:   "Datagrams that came to the port for events and were not counted; kernel means faster than they could be read",
	}
)

// Events counts what ejabberd tells by itself, as it happens.
var Events = Definition{
	Name: "events", Source: Datagrams, Reuse: time.Second,
	Help:    "Logins, registrations and stanzas as they happen, where ejabberd has mod_metrics; counted since the exporter started",
	Metrics: append(inOrder(eventMetrics), eventsDropped),
	Collect: collectEvents,
}

var errNoEvents = fmt.Errorf("%w: ejabberd does not tell its events here: add mod_metrics to its modules, or --events.listen-address", ErrOff)

func collectEvents(_ context.Context, src *Sources, out *metric.Set) error {
	if src.Events == nil {
		return src.absent(errNoEvents)
	}
	counts, err := src.Events.Counts()
	switch {
	case errors.Is(err, events.ErrIdle):
		return fmt.Errorf("%w: %w", ErrOff, err)
	case err != nil:
		return err
	}
	for vhost, numbers := range counts.Vhosts {
		for event, n := range numbers {
			out.Add(eventMetrics[events.Event(event)], float64(n), vhost)
		}
	}
	for reason, n := range counts.Dropped {
		out.Add(eventsDropped, float64(n), reason)
	}
	return nil
}
