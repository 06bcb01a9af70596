// SPDX-License-Identifier: Apache-2.0

// Package nagios makes a monitoring plugin of a probe: command line, thresholds, status line, performance data, exit code.
//
// It keeps the contract of the Monitoring Plugins guidelines, for Nagios, Icinga and whatever else runs plugins: everything goes
// to standard output, the exit code is 0, 1, 2 or 3, and whatever is wrong with the call rather than with the service is 3.
package nagios

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/secret"
	"github.com/chapril/ejabberd_exporter/probes"
)

// Plugin is what a command line, a verdict and performance data are made for.
type Plugin struct {
	Name    string   // check_xmpp_c2s
	Help    string   // one sentence: what it proves
	Calls   []string // the arguments of typical calls, for --help
	Trouble string   // what --help says of the state that trouble on the network is
	Ranges  string   // and of ranges, beside how to write one
	Domain  bool     // it is about an XMPP domain
	// Late is the state of a run that met the time limit, unless --timeout-state says otherwise.
	Late probes.State

	Settings   func(*probes.Settings) probes.Run
	Figures    []probes.Figure
	Thresholds []probes.Threshold
	// Judged says which figures and thresholds there are, where the settings say that. It is asked when they are read.
	Judged func() ([]probes.Figure, []probes.Threshold)
	// Metrics are what --output prometheus and -vv show instead of the Report's Set.
	Metrics func() string
}

// Of makes a plugin of a probe.
func Of(p probes.Probe) Plugin {
	call := strings.TrimSpace("--domain example.org " + p.Needs)
	if p.LogsIn {
		call += " --jid probe@example.org --password-file FILE"
	}
	return Plugin{
		Name: "check_xmpp_" + p.Name, Help: p.Help, Calls: []string{call, call + " -w 1 -c 5 -t 20", call + " --output json"},
		Trouble: "Trouble on the network is CRITICAL.", Ranges: "Days of a certificate may be given in percent of its lifetime, 25%:.",
		Domain: true, Late: probes.Critical, Settings: p.Settings, Figures: p.Figures, Thresholds: p.Thresholds,
	}
}

// Main is the whole main function of a probe's plugin.
func Main(p probes.Probe) { Of(p).Main() }

// Run runs a probe's plugin with the arguments args, writes its output in one piece and returns the exit code.
func Run(p probes.Probe, args []string, stdout io.Writer) int { return Of(p).Run(args, stdout) }

// Main is the whole main function of a plugin.
func (p Plugin) Main() {
	secret.NoCore()
	os.Exit(p.Run(os.Args[1:], os.Stdout))
}

// Run runs the plugin with the arguments args, writes its output in one piece and returns the exit code.
func (p Plugin) Run(args []string, stdout io.Writer) int {
	text, state := output(p, args)
	if _, err := io.WriteString(stdout, text); err != nil {
		return int(probes.Unknown)
	}
	return int(state)
}

// output does all the work. A panic, wherever it comes from, is an UNKNOWN.
func output(p Plugin, args []string) (text string, state probes.State) {
	s := settings{figures: p.Figures}
	defer func() {
		if value := recover(); value != nil {
			text, state = refused(s, crashed(value)).nagios(p.prefix(), 0), probes.Unknown
		}
	}()
	s, err := parse(p, args)
	if info, ok := errors.AsType[informed](err); ok {
		return info.text, info.state
	}
	if err != nil {
		r := refused(s, fmt.Errorf("%w (see %s --help)", err, p.Name))
		if s.output == "prometheus" { // a comment: nothing was probed, so nothing is measured
			return "# " + r.nagios(p.prefix(), 0), r.state
		}
		return r.render(p, s), r.state
	}
	start := time.Now()
	report, err := measure(s)
	r := evaluate(s, report, err, time.Since(start))
	if p.Metrics != nil {
		r.metrics = p.Metrics()
	}
	return r.render(p, s), r.state
}

func (r result) render(p Plugin, s settings) string {
	switch s.output {
	case "json":
		return r.json(p.Name)
	case "prometheus":
		return r.prometheus()
	}
	return r.nagios(p.prefix(), s.verbosity)
}

// refused is the result when nothing could be asked: the same figures as ever, all unknown.
func refused(s settings, err error) result {
	r := result{
		state: probes.Unknown, notes: []probes.Note{{State: probes.Unknown, Text: clean(err.Error())}},
		failure: err, domain: s.target.Domain, limit: s.timeout,
	}
	for _, f := range s.figures {
		r.figures = append(r.figures, figure{label: f.Label, unit: f.Unit, min: f.Min})
	}
	return r
}

// prefix is the name that starts a status line: XMPP_C2S.
func (p Plugin) prefix() string { return strings.ToUpper(strings.TrimPrefix(p.Name, "check_")) }
