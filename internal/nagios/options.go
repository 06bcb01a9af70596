// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"bytes"
	"fmt"
	"runtime/debug"
	"slices"
	"text/template"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"

	"github.com/chapril/ejabberd_exporter/probes"
)

// options are the command line, read and checked.
type options struct {
	run        probes.Run
	target     probes.Target
	thresholds []threshold

	timeout      time.Duration
	timeoutState probes.State
	verbosity    int
	output       string
}

// informed is no error: the user asked about the plugin, and this is the answer.
type informed struct{ text string }

func (informed) Error() string { return "help or version" }

// parse reads the command line. What it could read is there even with an error.
func parse(p probes.Probe, args []string) (o options, err error) {
	var settings probes.Settings
	o.run = p.Settings(&settings)
	if o.thresholds, err = thresholdsOf(p); err != nil {
		return o, err
	}

	var text bytes.Buffer
	ended := false
	app := kingpin.New(program(p), helpText(p)).Writer(&text).Terminate(func(int) { ended = true }).
		UsageTemplate(usageTemplate).UsageFuncs(template.FuncMap{"Columns": columns})
	app.HelpFlag.Short('h').Help("Show this help.")
	showVersion := app.Flag("version", "Show the version.").Short('V').Bool()

	domain := app.Flag("domain", "XMPP domain to probe; needed unless -H is a name.").String()
	declareSettings(app, settings.All)
	declareThresholds(app, o.thresholds)
	timeout, late := timeoutFlag(10*time.Second), stateFlag(probes.Critical)
	app.Flag("timeout", "Time limit for everything, in seconds or as a duration.").Short('t').PlaceHolder("10s").SetValue(&timeout)
	app.Flag("timeout-state", "State when the time limit is reached: ok, warning, critical or unknown.").PlaceHolder("critical").SetValue(&late)
	app.Flag("verbose", "Say more: -v what was asked, -vv every number that was found and texts of any length, -vvv internals of failures.").
		Short('v').CounterVar(&o.verbosity)
	app.Flag("output", "Write the result as nagios, json or prometheus. The exit code is the same.").
		PlaceHolder("nagios").Default("nagios").EnumVar(&o.output, "nagios", "json", "prometheus")

	kingpin.EnableFileExpansion = false // "-w @10:20" is a range, not a file of arguments
	_, err = app.Parse(joinNegative(args, o.thresholds))
	switch {
	case ended:
		return o, informed{text.String()}
	case err != nil:
		return o, err
	case *showVersion:
		return o, informed{program(p) + " " + buildVersion() + "\n"}
	}
	o.timeout, o.timeoutState = time.Duration(timeout), probes.State(late)
	host := ""
	if at := slices.IndexFunc(settings.All, func(s probes.Setting) bool { return s.Short == 'H' }); at >= 0 {
		host = settings.All[at].Value.String()
	}
	o.target.Domain, err = xmppDomain(*domain, host)
	return o, err
}

func declareSettings(app *kingpin.Application, settings []probes.Setting) {
	for _, s := range settings {
		if s.Scope == probes.Secret {
			continue
		}
		clause := app.Flag(s.Name, s.Help+".")
		if !s.Bool {
			clause.PlaceHolder(s.Value.String()) // its default
		}
		if s.Short != 0 {
			clause.Short(rune(s.Short))
		}
		clause.SetValue(settingFlag{s.Value, s.Bool, s.List})
	}
}

func declareThresholds(app *kingpin.Application, thresholds []threshold) {
	for i := range thresholds {
		t := &thresholds[i]
		clause := app.Flag(t.Flag, t.Help+".").PlaceHolder("RANGE")
		if t.limit != nil {
			clause.PlaceHolder(t.limit.String())
		}
		if t.short() != 0 {
			clause.Short(t.short())
		}
		clause.SetValue(rangeFlag{t})
	}
}

// thresholdsOf sets the thresholds of a probe to their defaults.
func thresholdsOf(p probes.Probe) ([]threshold, error) {
	all := make([]threshold, len(p.Thresholds))
	for i, declared := range p.Thresholds {
		all[i].Threshold = declared
		at := slices.IndexFunc(p.Figures, func(f probes.Figure) bool { return f.Label == declared.Figure })
		if at < 0 {
			return nil, fmt.Errorf("--%s judges %s, which is no figure of this probe", declared.Flag, declared.Figure)
		}
		all[i].figure = p.Figures[at]
		if declared.Default != "" {
			if err := (rangeFlag{&all[i]}).Set(declared.Default); err != nil {
				return nil, fmt.Errorf("default of --%s: %w", declared.Flag, err)
			}
		}
	}
	return all, nil
}

func program(p probes.Probe) string { return "check_xmpp_" + p.Name }

// buildVersion is what the linker was told, else what the Go tool recorded.
func buildVersion() string {
	if version.Version != "" {
		return version.Version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "(unknown)"
}
