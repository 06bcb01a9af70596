// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// eventsAreCounted compares the counters with what was done.
func eventsAreCounted(d *doer, exporter *daemon) {
	vhost := d.Domains[0]
	at := func(name string) string { return fmt.Sprintf("%s{vhost=%q}", name, vhost) }
	before := exporter.happened(d.T)
	person := service.Account{User: "event-" + service.Canary, Domain: vhost, Password: "secret-" + service.Canary}
	absentee := service.Account{User: "absent-" + service.Canary, Domain: vhost, Password: person.Password}
	for _, account := range []service.Account{person, absentee} {
		if err := d.Ejabberd.Register(d.Context(), account); err != nil {
			d.Fatal(err)
		}
	}
	if err := d.logIn(person); err != nil { // sends a presence and a ping, of which both are answered
		d.Fatal(err)
	}
	for range 3 {
		if err := d.client.Message(d.Context(), absentee.JID(), "body-"+service.Canary); err != nil {
			d.Fatal(err)
		}
	}
	if err := d.client.Ping(d.Context(), "peer.test"); err != nil { // to another server and back
		d.Fatal(err)
	}
	d.client.Close() // sends a presence
	if err := d.Ejabberd.Call(d.Context(), "unregister", map[string]any{"user": absentee.User, "host": vhost}, nil); err != nil {
		d.Fatal(err)
	}

	exactly := map[string]float64{
		"ejabberd_account_registrations_total":        2,
		"ejabberd_account_removals_total":             1,
		"ejabberd_logins_total":                       1,
		"ejabberd_logouts_total":                      1,
		"ejabberd_c2s_stanzas_received_total":         2 + 3 + 1 + 1,
		"ejabberd_s2s_stanzas_sent_total":             1,
		"ejabberd_s2s_stanzas_received_total":         1,
		"ejabberd_messages_to_offline_accounts_total": 3,
	}
	grown := func(page, name string) float64 {
		was, ok := number(before, at(name))
		is, still := number(page, at(name))
		if !ok || !still {
			d.Errorf("%s is not there from the start", at(name))
		}
		return is - was
	}
	var page string
	complete := func() bool {
		page = exporter.happened(d.T)
		for name, n := range exactly {
			if grown(page, name) < n {
				return false
			}
		}
		return true
	}
	if err := d.until(complete); err != nil {
		d.Errorf("not all is counted:\n%s", page)
	}
	for name, n := range exactly {
		if got := grown(page, name); got != n {
			d.Errorf("%s grew by %v, want %v", name, got, n)
		}
	}
	if got := grown(page, "ejabberd_c2s_stanzas_sent_total"); got < 3 { // two answered pings and its own presence, at least
		d.Errorf("%v stanzas to clients", got)
	}
	if got, ok := number(page, `ejabberd_logins_total{vhost="`+d.Domains[1]+`"}`); !ok || got != 0 {
		d.Errorf("%v logins to the other vhost (there: %v)", got, ok)
	}
	for _, reason := range []string{"malformed", "oversized", "foreign", "unknown_vhost", "kernel"} {
		if got, ok := number(page, `ejabberd_exporter_events_dropped_total{reason="`+reason+`"}`); !ok || got != 0 {
			d.Errorf("%v %s datagrams (there: %v)", got, reason, ok)
		}
	}
}

// TestEventsWhereSomebodyElseListens: a taken port is a failure that says what to do, and no end of the rest.
func TestEventsWhereSomebodyElseListens(t *testing.T) {
	taken, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	d := serve(t, "--events.listen-address="+taken.LocalAddr().String(), "--vhost=chapril.test", "--ejabberd.config="+file(t, "ejabberd.yml", "hosts: [chapril.test]\n"))
	page := d.happened(t)
	want(t, page, map[string]float64{`ejabberd_exporter_collector_success{collector="events"}`: 0})
	absent(t, page, "ejabberd_logins_total", "ejabberd_exporter_events_dropped_total")
	if !strings.Contains(d.log.String(), "another program holds UDP port") {
		t.Errorf("the log does not say why:\n%s", d.log)
	}
}

// TestEventsWithoutModMetrics are off: no series, no failure, said once.
func TestEventsWithoutModMetrics(t *testing.T) {
	d := serve(t, "--ejabberd.config="+file(t, "ejabberd.yml", "hosts: [chapril.test]\n"))
	page := d.happened(t)
	absent(t, page, "ejabberd_logins_total", "ejabberd_exporter_events_dropped_total")
	if strings.Contains(page, `collector="events"`) || strings.Count(d.log.String(), "add mod_metrics") != 1 {
		t.Errorf("not off, or not said once:\n%s\n%s", page, d.log)
	}
}
