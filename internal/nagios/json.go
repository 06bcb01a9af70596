// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"encoding/json"
	"errors"

	"github.com/chapril/ejabberd_exporter/probes"
)

// document is the result as --output json writes it. Fields may be added; none changes its meaning or goes away.
type document struct {
	Plugin   string         `json:"plugin"`            // check_xmpp_c2s
	Domain   string         `json:"domain"`            // the XMPP domain, in ASCII; empty where the plugin is about none
	State    string         `json:"state"`             // OK, WARNING, CRITICAL or UNKNOWN
	Code     int            `json:"code"`              // the exit code
	Summary  string         `json:"summary"`           // what was found, in short; may be empty
	Failure  *failure       `json:"failure,omitempty"` // why the probe failed as a whole
	Duration float64        `json:"duration_seconds"`
	Notes    []documentNote `json:"notes"` // the worst first
	Figures  []documentItem `json:"figures"`
}

// failure names phase and reason where the probe does.
type failure struct {
	Phase  string `json:"phase,omitempty"`
	Reason string `json:"reason,omitempty"`
	Text   string `json:"text"`
}

type documentNote struct {
	State   string `json:"state"`
	Subject string `json:"subject,omitempty"`
	Text    string `json:"text"`
}

type documentItem struct {
	Label    string   `json:"label"`
	Value    *float64 `json:"value"` // null: unknown
	Unit     string   `json:"unit,omitempty"`
	Warning  string   `json:"warning,omitempty"`  // range
	Critical string   `json:"critical,omitempty"` // range
}

func (r result) json(plugin string) string {
	doc := document{
		Plugin: plugin, Domain: r.domain, State: r.state.String(), Code: int(r.state), Summary: r.summary,
		Duration: r.took.Seconds(), Notes: []documentNote{}, Figures: []documentItem{},
	}
	if r.failure != nil {
		doc.Failure = &failure{Text: clean(r.failure.Error())}
		if f, ok := errors.AsType[*probes.Failure](r.failure); ok {
			doc.Failure.Phase, doc.Failure.Reason = f.Phase, f.Reason
		}
	}
	for _, n := range r.notes {
		doc.Notes = append(doc.Notes, documentNote{n.State.String(), n.Subject, n.Text})
	}
	for _, f := range r.figures {
		item := documentItem{Label: f.label, Unit: f.unit, Warning: f.warning, Critical: f.critical}
		if f.known {
			item.Value = &f.value
		}
		doc.Figures = append(doc.Figures, item)
	}
	text, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		panic(err) // the figures are finite and everything else is text
	}
	return string(text) + "\n"
}

// prometheus renders the result as /probe does: the metrics alone, no texts and no thresholds.
func (r result) prometheus() string {
	success := "1"
	if !r.works {
		success = "0"
	}
	return "probe_success " + success + "\nprobe_duration_seconds " + plainNumber(r.took.Seconds()) + "\n" + r.metrics
}
