// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"os"
	"slices"
	"testing"
)

// acts are the faults by what breaks; each act has a service of its own.
var acts = []struct {
	name   string
	faults []fault
}{
	{"ejabberd", ofEjabberd},
	{"PostgreSQL", ofPostgres},
	{"files", slices.Concat(ofUploads, ofTheLog)},
	{"others", slices.Concat(ofTheResolver, ofTheClock, ofScrapers)},
}

// TestFaults breaks one thing after the other. Each page comes in time and says nothing that is not true, everything is back at
// the second scrape, and nothing is left behind. make faults plays them all, with a second exporter that is started in the middle
// of each, and writes docs/faults.md; with TEST_FAULTS=1 alone the quick ones are played, one or two of each kind.
func TestFaults(t *testing.T) {
	if !*update && os.Getenv("TEST_FAULTS") == "" {
		t.Skip("takes minutes: make faults")
	}
	rows := make([][]outcome, len(acts))
	t.Run("all", func(t *testing.T) {
		for i, act := range acts {
			t.Run(act.name, func(t *testing.T) {
				t.Parallel()
				s := newStage(t)
				for _, f := range act.faults {
					if !f.quick && !*update {
						continue
					}
					t.Run(f.name, func(t *testing.T) {
						if o := play(t, s, f); !t.Failed() {
							rows[i] = append(rows[i], o)
						}
					})
				}
				if act.name == "PostgreSQL" {
					t.Run("nobody scrapes", func(t *testing.T) { nobodyScrapes(t, s) })
				}
			})
		}
	})
	if *update {
		writeFaults(t, slices.Concat(rows...))
	}
}
