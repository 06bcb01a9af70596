// SPDX-License-Identifier: Apache-2.0

package ejabberd

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
)

const (
	status2301 = `"The node 'ejabberd@one.test' is started. Status: startedejabberd 23.01-1 is running in that node"`
	status2607 = `"The node 'ejabberd@one.test' is started. Status: started\nejabberd 26.07 is running in that node"`
)

func TestCluster(t *testing.T) {
	for name, test := range map[string]struct {
		answers  map[string]string
		inSQL    []string
		nodes    []Node
		complete bool
	}{
		"only those that run": {
			answers: map[string]string{"status {}": status2301, "list_cluster {}": `["ejabberd@one.test","ejabberd@two.test"]`},
			nodes:   []Node{{"one.test", true, -1, -1}, {"two.test", true, -1, -1}},
		},
		"with details": {
			answers: map[string]string{"status {}": status2607, "list_cluster_detailed {}": `[
				{"name":"ejabberd@one.test","running":"true","status":"canary","online_users":7,"processes":348,"uptime_seconds":60,"master_node":"none"},
				{"name":"ejabberd@two.test","running":"false","status":"","online_users":-1,"processes":-1,"uptime_seconds":-1,"master_node":"unknown"}]`},
			nodes:    []Node{{"one.test", true, 7, 60}, {"two.test", false, -1, -1}},
			complete: true,
		},
		"details would be a query": {
			answers: map[string]string{"status {}": status2607, "list_cluster {}": `["ejabberd@one.test"]`},
			inSQL:   []string{"one.test"},
			nodes:   []Node{{"one.test", true, -1, -1}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := client(t, answers(t, test.answers).URL, func(o *Options) { o.SessionsInSQL = test.inSQL })
			nodes, complete, err := c.Cluster(t.Context())
			if err != nil || complete != test.complete || !slices.Equal(nodes, test.nodes) {
				t.Errorf("%+v, complete %v, %v", nodes, complete, err)
			}
		})
	}
}

func TestClusterRefusesNonsense(t *testing.T) {
	for _, text := range []string{`[]`, `["nonsense"]`, `{}`, `[{"name":"ejabberd@one.test","running":"true"}]`, `null`} {
		for command, status := range map[string]string{"list_cluster": status2301, "list_cluster_detailed": status2607} {
			s := answers(t, map[string]string{"status {}": status, command + " {}": text})
			if nodes, _, err := client(t, s.URL).Cluster(t.Context()); !errors.Is(err, ErrAnswer) {
				t.Errorf("%s answered by %s: %v, %v", command, text, nodes, err)
			}
		}
	}
}

func TestRooms(t *testing.T) {
	s := answers(t, map[string]string{
		`muc_online_rooms {"service":"global"}`:       `["canary@conference.one.test","b/c@muc.münchen.test","d@conference.one.test"]`,
		`muc_online_rooms_count {"service":"global"}`: `3`,
	})
	c := client(t, s.URL)
	services := map[string]int{}
	if err := c.OnlineRooms(t.Context(), func(service string) { services[service]++ }); err != nil {
		t.Fatal(err)
	}
	if want := map[string]int{"conference.one.test": 2, "muc.xn--mnchen-3ya.test": 1}; !maps.Equal(services, want) {
		t.Errorf("rooms by service: %v, want %v", services, want)
	}
	if n, err := c.RoomCount(t.Context()); err != nil || n != 3 {
		t.Errorf("%d rooms, %v", n, err)
	}
	for _, text := range []string{`["nonsense"]`, `["room@"]`, `{}`, `["a@b"`} {
		if err := readRooms(strings.NewReader(text), func(string) {}); err == nil {
			t.Errorf("%s was accepted", text)
		}
	}
}

func TestSince(t *testing.T) {
	for version, want := range map[string]bool{"23.01-1": false, "24.02": false, "24.06": true, "24.06-2": true, "24.12-3~bpo12+1": true, "26.07": true, "": false} {
		if Since(version, "24.06") != want {
			t.Errorf("Since(%s, 24.06) is %v", version, !want)
		}
	}
}
