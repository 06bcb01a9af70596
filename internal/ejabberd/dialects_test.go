// SPDX-License-Identifier: Apache-2.0

package ejabberd

import (
	"reflect"
	"slices"
	"testing"
)

// What real servers answer: 23.01 (and 21.01) put numbers into an object, releases from 24.02 on do not.
var dialects = map[string]map[string]string{
	"23.01": {
		`status {}`:                      `"The node ejabberd@xmpp1 is started. Status: startedejabberd 23.01-1 is running in that node"`,
		`registered_vhosts {}`:           `["chapril.org","libre.test","müller.example"]`,
		`stats {"name":"uptimeseconds"}`: `{"stat":86400}`,
		`stats {"name":"processes"}`:     `{"stat":512}`,
		`stats_host {"name":"onlineusers","host":"chapril.org"}`:    `{"stat":2}`,
		`stats_host {"name":"onlineusers","host":"müller.example"}`: `{"stat":0}`,
		`connected_users_number {}`:                                 `{"num_sessions":3}`,
		`incoming_s2s_number {}`:                                    `{"s2s_incoming":4}`,
		`outgoing_s2s_number {}`:                                    `{"s2s_outgoing":5}`,
	},
	"26.07": {
		`status {}`:                      `"The node ejabberd@xmpp1 is started. Status: started\nejabberd 26.07 is running in that node"`,
		`registered_vhosts {}`:           `["chapril.org","libre.test","müller.example"]`,
		`stats {"name":"uptimeseconds"}`: `86400`,
		`stats {"name":"processes"}`:     `512`,
		`stats_host {"name":"onlineusers","host":"chapril.org"}`:    `2`,
		`stats_host {"name":"onlineusers","host":"müller.example"}`: `0`,
		`connected_users_number {}`:                                 `3`,
		`incoming_s2s_number {}`:                                    `4`,
		`outgoing_s2s_number {}`:                                    ` 5` + "\n",
	},
}

func TestBothDialects(t *testing.T) {
	for release, answered := range dialects {
		t.Run(release, func(t *testing.T) {
			ctx, c := t.Context(), client(t, answers(t, answered).URL)
			number := func(what string, got int, err error, want int) {
				t.Helper()
				if err != nil || got != want {
					t.Errorf("%s = %d, %v; want %d", what, got, err, want)
				}
			}
			version, node, err := c.Status(ctx)
			if wantVersion := map[string]string{"23.01": "23.01-1", "26.07": "26.07"}[release]; err != nil ||
				version != wantVersion || node != "xmpp1" {
				t.Errorf("Status = %q, %q, %v; want %q on xmpp1", version, node, err, wantVersion)
			}
			vhosts, err := c.Vhosts(ctx)
			if want := []string{"chapril.org", "libre.test", "xn--mller-kva.example"}; err != nil || !reflect.DeepEqual(vhosts, want) {
				t.Errorf("Vhosts = %q, %v; want %q", vhosts, err, want)
			}
			n, err := c.Uptime(ctx)
			number("Uptime", n, err, 86400)
			n, err = c.Processes(ctx)
			number("Processes", n, err, 512)
			n, err = c.Sessions(ctx, "chapril.org")
			number("Sessions", n, err, 2)
			n, err = c.Sessions(ctx, "xn--mller-kva.example")
			number("Sessions of a vhost in Unicode", n, err, 0)
			n, err = c.SessionCount(ctx)
			number("SessionCount", n, err, 3)
			in, out, err := c.S2S(ctx)
			number("S2S in", in, err, 4)
			number("S2S out", out, err, 5)
			if up, known := c.Up(); !up || !known {
				t.Errorf("Up = %t, %t", up, known)
			}
		})
	}
}

// The reason for the closed list: these would be queries of ejabberd's database.
func TestNothingIsAskedThatEjabberdFetchesFromSQL(t *testing.T) {
	allowed := []string{
		"status", "registered_vhosts", "stats uptimeseconds", "stats processes", "stats_host onlineusers",
		"connected_users_number", "incoming_s2s_number", "outgoing_s2s_number", "connected_users", "connected_users_info",
		"list_cluster", "list_cluster_detailed", "muc_online_rooms", "muc_online_rooms_count",
	}
	for _, s := range specs {
		name := s.name
		if s.stat != "" {
			name += " " + s.stat
		}
		if !slices.Contains(allowed, name) {
			t.Errorf("%s is on the list of commands: does ejabberd answer it from memory, with PostgreSQL down?", name)
		}
	}
	if len(specs) != len(allowed) {
		t.Errorf("%d commands, want %d", len(specs), len(allowed))
	}
	numbers, personal := Commands()
	if want := []string{"connected_users", "connected_users_info", "muc_online_rooms"}; !slices.Equal(personal, want) {
		t.Errorf("personal commands %q, want %q", personal, want)
	}
	if want := []string{
		"status", "registered_vhosts", "stats", "stats_host", "connected_users_number", "incoming_s2s_number", "outgoing_s2s_number",
		"list_cluster", "list_cluster_detailed", "muc_online_rooms_count",
	}; !slices.Equal(numbers, want) {
		t.Errorf("commands %q, want %q", numbers, want)
	}
}
