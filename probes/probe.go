// SPDX-License-Identifier: Apache-2.0

// Package probes looks at an XMPP service from outside, as its users and its federation peers do.
//
// A Probe is metrics declared as data and a function that, given a context and a target, fills a Report. The same Report is
// rendered as a Nagios line by internal/nagios (check_xmpp_*) and as a Prometheus page by internal/exposition (/probe).
package probes

import (
	"context"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// Probe declares one probe.
type Probe struct {
	Name    string // c2s, s2s, cert …: the plugin is check_xmpp_<name>, the module of /probe is <name>
	Help    string // one sentence: what it proves
	Metrics []*metric.Metric
	// LogsIn says that the probe needs an account to log in with: /probe then runs it as --probe.config says alone, and rarely.
	LogsIn bool
	// Needs are flags that the probe can do nothing without, as an example. Such a probe is a module of /probe only where
	// --probe.config makes it one.
	Needs string
	// Settings declares the probe's settings, once, for plugin flags, /probe and documentation, and returns the function that
	// runs with them.
	Settings func(*Settings) Run
	// Figures are the performance data of the plugin, in order, the same in every state.
	Figures []Figure
	// Thresholds say which plugin flags judge which figure. They are data here and are evaluated in internal/nagios alone.
	Thresholds []Threshold
}

// Run runs a probe. An error means that the probe failed as a whole: a *Failure, at which phase and why, is a verdict about the
// service (critical); any other error means that the probe could not do its work (unknown).
type Run func(ctx context.Context, target Target, out *Report) error

// Target is what is probed.
type Target struct {
	Domain string // the XMPP domain, in ASCII form
}

// Report is what a run found.
type Report struct {
	Set *metric.Set
	// Summary is the short text of the status line: "4 endpoints, worst certificate 69 days, TLS 1.3, 21 ms".
	Summary string
	// Notes are verdicts and facts per endpoint, for plugins and for /probe?debug=true. They may carry host names and texts
	// that the server sent; /metrics and /probe never show them.
	Notes []Note
	// Endpoints are what was seen at each address, in words of closed lists, for people.
	Endpoints []Endpoint
}

// NewReport makes an empty Report.
func NewReport() *Report { return &Report{Set: metric.NewSet(nil)} }

// Note adds a Note.
func (r *Report) Note(state State, subject, text string) {
	r.Notes = append(r.Notes, Note{State: state, Subject: subject, Text: text})
}

// Worst is the worst state among the Notes.
func (r *Report) Worst() State {
	worst := OK
	for _, n := range r.Notes {
		worst = worst.Worse(n.State)
	}
	return worst
}

// Note is one fact or verdict.
type Note struct {
	State   State
	Subject string // the endpoint ("xmpp.example.org:5222 ip4") or what else the text is about
	Text    string
	Reason  string // of a failure, one of the reasons; or nothing
}

// Endpoint is what was seen at one address of a service.
type Endpoint struct {
	Service, Host string // as in labels srv and target
	Port          uint16
	Family        string // ip4 or ip6
	Works         bool
	Untestable    bool   // this machine has no route to it, which says nothing about the service
	Phase, Reason string // what is wrong: one of the phases and reasons, or nothing
}

// State is a verdict, numbered as the Nagios exit codes.
type State int

// The states.
const (
	OK State = iota
	Warning
	Critical
	Unknown
)

func (s State) String() string {
	return [...]string{"OK", "WARNING", "CRITICAL", "UNKNOWN"}[s]
}

// Worse returns the worse of two states: critical, unknown, warning, ok.
func (s State) Worse(other State) State {
	rank := [...]int{OK: 0, Warning: 1, Unknown: 2, Critical: 3}
	if rank[other] > rank[s] {
		return other
	}
	return s
}

// Figure is one performance value of a plugin.
type Figure struct {
	Label string // as in perfdata, one word
	Unit  string // "s", "B" or nothing
	Min   string // lowest possible value, usually "0", or nothing
	// Value reads the figure from the Set; ok is false where it is unknown ("U" in perfdata, never judged).
	Value func(*metric.Set) (value float64, ok bool)
	// Whole is what 100 % is, for figures whose ranges may be given in percent (days of a certificate); nil for the others.
	Whole func(*metric.Set) (value float64, ok bool)
}

// Threshold ties a plugin flag to a figure.
type Threshold struct {
	Flag    string // "warning", "critical", "warning-days" …; "warning" and "critical" are also -w and -c
	Figure  string // label of the figure it judges
	State   State  // Warning or Critical
	Default string // range, or nothing
	Help    string
}
