// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/discovery"
	"github.com/chapril/ejabberd_exporter/internal/ejabberd"
	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// calls is an API that knows how often it was asked.
type calls struct {
	collector.AdminAPI
	made map[string]int
}

func (c calls) Requests() (counts []ejabberd.Count) {
	for command, n := range c.made {
		counts = append(counts, ejabberd.Count{Command: command, N: n})
	}
	return counts
}

// TestWhatCheckSaysOfTheLog: 4 calls every 15 s and one every 5 minutes are 23,328 lines a day. The version is asked by whoever comes
// first, and by nobody else for 5 minutes.
func TestWhatCheckSaysOfTheLog(t *testing.T) {
	api := calls{made: map[string]int{}}
	asks := func(name string, refresh time.Duration, commands ...string) collector.Definition {
		return collector.Definition{Name: name, Refresh: refresh, Collect: func(context.Context, *collector.Sources, *metric.Set) error {
			for _, command := range commands {
				api.made[command]++
			}
			return nil
		}}
	}
	found := &discovery.Found{Config: &ejabberdconf.Config{}, Sources: &collector.Sources{API: api}}
	definitions := []collector.Definition{
		asks("server", 0, "stats", "stats", "status", "registered_vhosts"),
		asks("s2s", 0, "incoming_s2s_number", "outgoing_s2s_number"),
		asks("cluster", 5*time.Minute, "list_cluster"),
	}
	var text strings.Builder
	if exit, err := check(t.Context(), found, definitions, time.Second, &text); exit != 0 || err != nil {
		t.Fatalf("exit %d: %v\n%s", exit, err, &text)
	}
	if !strings.Contains(text.String(), "about 2.7 MB a day") {
		t.Errorf("--check says\n%s", &text)
	}
}
