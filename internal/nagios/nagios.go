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
	"runtime/debug"
	"strings"
	"time"

	"github.com/chapril/ejabberd_exporter/probes"
)

// Main is the whole main function of a plugin.
func Main(p probes.Probe) { os.Exit(Run(p, os.Args[1:], os.Stdout)) }

// Run runs the plugin with the arguments args, writes its output in one piece and returns the exit code.
func Run(p probes.Probe, args []string, stdout io.Writer) int {
	text, state := output(p, args)
	if _, err := io.WriteString(stdout, text); err != nil {
		return int(probes.Unknown)
	}
	return int(state)
}

// output does all the work. A panic, wherever it comes from, is an UNKNOWN.
func output(p probes.Probe, args []string) (text string, state probes.State) {
	defer func() {
		if v := recover(); v != nil {
			text, state = refused(p, options{}, &crash{v, debug.Stack()}).nagios(prefix(p), 0), probes.Unknown
		}
	}()
	o, err := parse(p, args)
	if info, ok := errors.AsType[informed](err); ok {
		if info.text == "" { // kingpin wrote a manual page or a completion script, which is no check
			return "", probes.OK
		}
		return info.text, probes.Unknown
	}
	if err != nil {
		r := refused(p, o, fmt.Errorf("%w (see %s --help)", err, program(p)))
		if o.output == "prometheus" { // a comment: nothing was probed, so nothing is measured
			return "# " + r.nagios(prefix(p), 0), r.state
		}
		return r.render(p, o), r.state
	}
	start := time.Now()
	report, err := measure(o)
	r := evaluate(p, o, report, err, time.Since(start))
	return r.render(p, o), r.state
}

func (r result) render(p probes.Probe, o options) string {
	switch o.output {
	case "json":
		return r.json(p)
	case "prometheus":
		return r.prometheus()
	}
	return r.nagios(prefix(p), o.verbosity)
}

// refused is the result when nothing could be asked: the same figures as ever, all unknown.
func refused(p probes.Probe, o options, err error) result {
	r := result{
		state: probes.Unknown, notes: []probes.Note{{State: probes.Unknown, Text: clean(err.Error())}},
		failure: err, domain: o.target.Domain, limit: o.timeout,
	}
	for _, f := range p.Figures {
		r.figures = append(r.figures, figure{label: f.Label, unit: f.Unit, min: f.Min})
	}
	return r
}

// prefix is the name that starts a status line: XMPP_C2S.
func prefix(p probes.Probe) string { return strings.ToUpper(strings.TrimPrefix(program(p), "check_")) }
