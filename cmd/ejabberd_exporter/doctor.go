// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/discovery"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// Exit codes of the doctor, those of a monitoring plugin.
const (
	exitWarning  = 1
	exitCritical = 2
	exitUnknown  = 3
)

// diagnosis is what the doctor says of one trap, as JSON.
type diagnosis struct {
	Check  string   `json:"check"`
	State  string   `json:"state"` // ok, warning, critical, unknown
	Found  []string `json:"found,omitempty"`
	Why    string   `json:"why,omitempty"`
	Fix    string   `json:"fix,omitempty"`
	Reason string   `json:"reason,omitempty"` // of unknown
}

// doctor looks for traps and says what it found.
func (s *settings) doctor(ctx context.Context, found *discovery.Found, out io.Writer) (int, error) {
	if found.Sources.Blocked != nil {
		return exitUnknown, found.Sources.Blocked
	}
	if found.Sources.Config == nil {
		return exitUnknown, errors.New("no ejabberd.yml found: name it with --ejabberd.config, or run the doctor on the ejabberd host")
	}
	if *s.collectors[collector.UploadTree.Name] {
		// The walk counts files past their time. That it fails is for the trap to tell.
		_ = collector.Try(ctx, collector.UploadTree, found.Sources, metric.NewSet(found.Sources.Bounds))
	}
	var all []diagnosis
	for _, f := range collector.Examine(ctx, found.Sources) {
		all = append(all, diagnose(f))
	}
	if s.output == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return verdict(all), encoder.Encode(all)
	}
	p := &paper{w: out}
	p.diagnoses(all)
	return verdict(all), p.err
}

func diagnose(f collector.Finding) diagnosis {
	d := diagnosis{Check: f.Name, State: "ok"}
	switch {
	case f.Err != nil:
		d.State, d.Reason = "unknown", strings.ReplaceAll(strings.TrimPrefix(f.Err.Error(), collector.ErrOff.Error()+": "), "\n", "; ")
	case len(f.Found) > 0:
		d.State, d.Found, d.Why, d.Fix = "warning", f.Found, f.Why, f.Fix
		if f.Severe {
			d.State = "critical"
		}
	}
	return d
}

// verdict is the exit code: the worst that was found; unknown only where nothing could be looked at.
func verdict(all []diagnosis) int {
	count := tally(all)
	switch {
	case count["critical"] > 0:
		return exitCritical
	case count["warning"] > 0:
		return exitWarning
	case count["ok"] == 0:
		return exitUnknown
	}
	return exitAll
}

func tally(all []diagnosis) map[string]int {
	count := map[string]int{}
	for _, d := range all {
		count[d.State]++
	}
	return count
}

// diagnoses prints what hurts first, then what could not be looked for, then the names of what is well.
func (p *paper) diagnoses(all []diagnosis) {
	count := tally(all)
	p.line("%d of %d traps found; %d could not be looked for.", count["critical"]+count["warning"], len(all), count["unknown"])
	for _, state := range []string{"critical", "warning"} {
		for _, d := range all {
			if d.State != state {
				continue
			}
			p.line("\n%s  %s", strings.ToUpper(state), d.Check)
			for _, found := range d.Found {
				p.line("  found  %s", found)
			}
			p.line("  why    %s", d.Why)
			p.line("  fix    %s", d.Fix)
		}
	}
	if count["unknown"] > 0 {
		p.line("\nCould not be looked for")
	}
	var well []string
	for _, d := range all {
		switch d.State {
		case "unknown":
			p.line("  %-26s %s", d.Check, d.Reason)
		case "ok":
			well = append(well, d.Check)
		}
	}
	if len(well) > 0 {
		p.line("\nNot found: %s", strings.Join(well, ", "))
	}
}
