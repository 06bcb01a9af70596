// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/service"
)

// TestCluster watches two nodes with an exporter each: what counts over the cluster is the same on both pages, what counts on a
// node is not, and --scope=node leaves the rest to the first exporter.
func TestCluster(t *testing.T) {
	s := realService(t, service.Options{NamesByAPI: true, Cluster: true, People: true, Uploads: true})
	for _, resource := range []string{"one-", "two-"} { // on the second node
		session := service.Session{Account: s.Admin, Resource: resource + service.Canary, Family: "ip4", Show: "available"}
		if _, err := s.LogInAt(t.Context(), s.Second, session); err != nil {
			t.Fatal(err)
		}
	}
	first := serve(t, "--ejabberd.config="+s.Ejabberd.ConfigPath).scrape(t, time.Minute)
	second := serve(t, "--ejabberd.config="+s.Second.ConfigPath).scrape(t, time.Minute)
	node := serve(t, "--ejabberd.config="+s.Second.ConfigPath, "--scope=node").scrape(t, time.Minute)
	for _, page := range []string{first, second, node} {
		success(t, page)
		noSecrets(t, page)
	}
	truth := map[string]float64{
		`ejabberd_cluster_nodes{state="running"}`:                            2,
		`ejabberd_database_pool_expected{database="ejabberd"}`:               float64(2 * 5 * len(s.Domains)),
		`ejabberd_database_connections{database="ejabberd",role="ejabberd"}`: float64(2 * 5 * len(s.Domains)),
	}
	for _, vhost := range s.Domains {
		of := `{vhost="` + vhost + `"}`
		truth["ejabberd_sessions"+of] = float64(s.Truth.Sessions(vhost, ""))
		truth["ejabberd_accounts"+of] = float64(s.Truth.Accounts(vhost))
		truth["ejabberd_accounts_online"+of] = float64(s.Truth.AccountsOnline(vhost))
		truth["ejabberd_muc_rooms_online"+of] = 1
	}
	want(t, first, truth)
	want(t, second, truth)
	if !strings.Contains(first, `node="node-a"`) || !strings.Contains(second, `node="node-b"`) {
		t.Error("ejabberd_info does not tell the nodes apart")
	}

	var shared []string // metrics that are not a node's own
	for _, definition := range collector.All {
		for _, m := range definition.Metrics {
			if m.Scope != metric.Node {
				shared = append(shared, m.Name)
			}
		}
	}
	absent(t, node, shared...)
	ownOf := func(page string) (own []string) {
		for _, name := range names(page) {
			if !slices.Contains(shared, name) {
				own = append(own, name)
			}
		}
		return own
	}
	if with, without := ownOf(second), ownOf(node); !slices.Equal(with, without) {
		t.Errorf("--scope=node has other metrics of the node: %v, want %v", without, with)
	}
	const started = "ejabberd_process_start_time_seconds"
	a, there := number(first, started)
	if b, also := number(node, started); !there || !also || a == b {
		t.Errorf("%s is %v (there: %v) and %v (there: %v) on two nodes", started, a, there, b, also)
	}
}

// names are the metrics of a page, in order.
func names(page string) (all []string) {
	for line := range strings.Lines(page) {
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, _, _ := strings.Cut(rest, " ")
			all = append(all, name)
		}
	}
	return all
}
