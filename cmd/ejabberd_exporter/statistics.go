// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/statistics"
)

// statisticsOf looks at what /statistics.json is made of, and at nothing else: like a scrape of these collectors.
func (s *settings) statisticsOf(exporter *collector.Exporter) func(context.Context) statistics.Facts {
	return func(ctx context.Context) statistics.Facts {
		src := exporter.Sources()
		return statistics.Facts{
			Sets: exporter.Scrape(ctx, collector.Server.Name, collector.Cluster.Name, collector.Accounts.Name, collector.Activity.Name,
				collector.S2S.Name),
			Floor:             s.statisticsFloor,
			AllAccounts:       holds(src.AccountsInSQL, src.Vhosts),
			AllActivity:       holds(src.InSQL["mod_last"], src.Vhosts),
			OpenRegistrations: openRegistrations(src),
		}
	}
}

func holds(list, values []string) bool {
	return !slices.ContainsFunc(values, func(v string) bool { return !slices.Contains(list, v) })
}

// openRegistrations says whether anybody may register at one of the hosts; nil where ejabberd.yml does not say.
func openRegistrations(src *collector.Sources) *bool {
	switch {
	case src.Config == nil:
		return nil
	case len(src.Config.Policy.AnybodyRegisters) > 0:
		return new(true)
	case len(src.Config.Policy.RegisterWeb) > 0:
		return nil // by the web server that stands before it, every visitor may come from an address that is let in
	}
	return new(false)
}

// floor is a number from which on a number rounded down is not 0.
type floor int

func (f *floor) String() string { return strconv.Itoa(int(*f)) }

func (f *floor) Set(v string) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < statistics.Step {
		return fmt.Errorf("write a number, %d at least", statistics.Step)
	}
	*f = floor(n)
	return nil
}
