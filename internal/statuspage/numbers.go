// SPDX-License-Identifier: Apache-2.0

package statuspage

import (
	"slices"
	"strings"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// numbers finds numbers by the names of their metrics, and the reason where there is none.
type numbers struct {
	samples map[string][]*metric.Sample
	states  map[string]*collector.State // by metric: whose it is
}

func index(states []collector.State) *numbers {
	n := &numbers{samples: map[string][]*metric.Sample{}, states: map[string]*collector.State{}}
	for i := range states {
		for _, m := range states[i].Metrics {
			n.states[m.Name] = &states[i]
		}
		if states[i].Set == nil {
			continue
		}
		for _, sample := range states[i].Set.All() {
			n.samples[sample.Metric.Name] = append(n.samples[sample.Metric.Name], sample)
		}
	}
	return n
}

// pick are the samples of a metric whose labels have these values; an empty value stands for any.
func (n *numbers) pick(name string, labels ...string) (picked []*metric.Sample) {
	for _, sample := range n.samples[name] {
		fits := true
		for i, wanted := range labels {
			fits = fits && (wanted == "" || sample.Labels[i] == wanted)
		}
		if fits {
			picked = append(picked, sample)
		}
	}
	return picked
}

// sum adds up a metric; known is false where there is nothing to add.
func (n *numbers) sum(name string, labels ...string) (sum float64, known bool) {
	picked := n.pick(name, labels...)
	for _, sample := range picked {
		sum += sample.Value
	}
	return sum, len(picked) > 0
}

// vhosts are all values of label vhost that some of the metrics have, in order of their first appearance.
func (n *numbers) vhosts(names ...string) (vhosts []string) {
	for _, name := range names {
		for _, sample := range n.samples[name] {
			if !slices.Contains(vhosts, sample.Labels[0]) {
				vhosts = append(vhosts, sample.Labels[0])
			}
		}
	}
	slices.SortFunc(vhosts, func(a, b string) int {
		if last := map[string]int{metric.Shared: 1, metric.Other: 2}; last[a] != last[b] {
			return last[a] - last[b]
		}
		return strings.Compare(a, b)
	})
	return vhosts
}

// why says why a metric is not known.
func (n *numbers) why(name string) string {
	s := n.states[name]
	switch {
	case s == nil:
		return "not counted: its collector is switched off"
	case s.Err != nil && collector.IsOff(s.Err):
		return "not counted here: " + reason(s.Err)
	case s.Err != nil:
		return "collector " + s.Name + " fails"
	case s.Set == nil:
		return "collector " + s.Name + " has not answered yet"
	}
	return "the server does not say"
}

// reason is an error as a sentence without the word that makes it an ErrOff.
func reason(err error) string {
	return strings.TrimPrefix(err.Error(), collector.ErrOff.Error()+": ")
}
