// SPDX-License-Identifier: Apache-2.0

// Package statistics writes what a service tells the public of itself, for lists of servers: a NodeInfo document, with numbers of
// many people or none.
package statistics

import "github.com/chapril/ejabberd_exporter/internal/metric"

const (
	// Step is what numbers are rounded down to: one account more or less is not to be seen.
	Step = 10
	// DefaultFloor is the number below which nothing is told.
	DefaultFloor = 20
)

// Facts are what a document is made of.
type Facts struct {
	Sets  []*metric.Set
	Floor int // Step at least
	// AllAccounts and AllActivity: the accounts, and when they were last used, are known of every host that is served.
	AllAccounts, AllActivity bool
	OpenRegistrations        *bool // nil: unknown
}

// document follows http://nodeinfo.diaspora.software/ns/schema/2.1; what is not known is left out, there or not.
type document struct {
	Version           string   `json:"version"`
	Software          software `json:"software"`
	Protocols         []string `json:"protocols"`
	Services          services `json:"services"`
	OpenRegistrations *bool    `json:"openRegistrations,omitempty"`
	Usage             usage    `json:"usage"`
	Metadata          metadata `json:"metadata"`
}

type software struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

// services are gateways to other networks, of which the schema wants a list.
type services struct {
	Inbound  []string `json:"inbound"`
	Outbound []string `json:"outbound"`
}

type usage struct {
	Users users `json:"users"`
}

// users has no activeHalfyear: accounts are counted by 90 and 365 days.
type users struct {
	Total       *int `json:"total,omitempty"`
	ActiveMonth *int `json:"activeMonth,omitempty"`
}

// metadata says how to read the numbers, and those that the schema has no place for.
type metadata struct {
	Floor       int  `json:"floor"`
	RoundedDown int  `json:"roundedDownTo"`
	S2SIn       *int `json:"s2sConnectionsIn,omitempty"`
	S2SOut      *int `json:"s2sConnectionsOut,omitempty"`
}

func (f Facts) document() document {
	d := document{
		Version:           "2.1",
		Software:          software{Name: "ejabberd", Version: f.version()},
		Protocols:         []string{"xmpp"},
		Services:          services{Inbound: []string{}, Outbound: []string{}},
		OpenRegistrations: f.OpenRegistrations,
		Metadata:          metadata{Floor: f.Floor, RoundedDown: Step},
	}
	if f.AllAccounts {
		d.Usage.Users.Total = f.told("ejabberd_accounts")
	}
	if f.AllActivity {
		d.Usage.Users.ActiveMonth = f.told("ejabberd_accounts_active", "", "30d")
	}
	// Each node counts its own connections: those of one node are the service's where there is no other.
	if nodes, known := f.sum("ejabberd_cluster_nodes", "running"); known && nodes == 1 {
		d.Metadata.S2SIn = f.told("ejabberd_s2s_connections", "in")
		d.Metadata.S2SOut = f.told("ejabberd_s2s_connections", "out")
	}
	return d
}

func (f Facts) version() string {
	if found := f.pick("ejabberd_info"); len(found) > 0 && found[0].Labels[0] != metric.Other {
		return found[0].Labels[0]
	}
	return ""
}

// told is a sum as the public may know it; nil where that is nothing.
func (f Facts) told(name string, labels ...string) *int {
	n, known := f.sum(name, labels...)
	if !known || n < float64(f.Floor) {
		return nil
	}
	return new(int(n) / Step * Step)
}

func (f Facts) sum(name string, labels ...string) (sum float64, known bool) {
	picked := f.pick(name, labels...)
	for _, sample := range picked {
		sum += sample.Value
	}
	return sum, len(picked) > 0
}

// pick are the samples of a metric whose labels begin with these values; an empty one stands for any.
func (f Facts) pick(name string, labels ...string) (picked []*metric.Sample) {
	for _, set := range f.Sets {
		for _, sample := range set.All() {
			fits := sample.Metric.Name == name
			for i, wanted := range labels {
				fits = fits && (wanted == "" || sample.Labels[i] == wanted)
			}
			if fits {
				picked = append(picked, sample)
			}
		}
	}
	return picked
}
