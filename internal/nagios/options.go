// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/prometheus/common/version"

	"github.com/chapril/ejabberd_exporter/probes"
)

// settings are the command line, read and checked.
type settings struct {
	run        probes.Run
	target     probes.Target
	figures    []probes.Figure
	thresholds []threshold

	timeout      time.Duration
	timeoutState probes.State
	verbosity    int
	output       string
}

// informed is no error: the user asked about the plugin, and this is the answer.
type informed struct {
	text  string
	state probes.State
}

func (informed) Error() string { return "help or version" }

// parse reads the command line. What it could read is there even with an error.
func parse(p Plugin, args []string) (s settings, err error) {
	var declared probes.Settings
	s.run, s.figures = p.Settings(&declared), p.Figures
	if s.thresholds, err = thresholdsOf(p.Figures, p.Thresholds); err != nil {
		return s, err
	}
	domain := ""
	timeout, late, output := timeoutFlag(10*time.Second), stateFlag(p.Late), outputFlag("nagios")
	options := inquiries(p)
	if p.Domain {
		options = append(options, option{
			name: "domain", help: "XMPP domain to probe; needed unless -H is a name", set: func(v string) error { domain = v; return nil },
		})
	}
	options = slices.Concat(options, fromSettings(declared.All), fromThresholds(s.thresholds), []option{
		optionOf(&timeout, 't', "timeout", "Time limit for everything, in seconds or as a duration"),
		optionOf(&late, 0, "timeout-state", "State when the time limit is reached: ok, warning, critical or unknown"),
		{
			name: "verbose", short: 'v', bare: true, list: true, set: func(string) error { s.verbosity++; return nil },
			help: "Say more: -v what was asked, -vv every number that was found and texts of any length, -vvv internals of failures",
		},
		optionOf(&output, 0, "output", "Write the result as nagios, json or prometheus. The exit code is the same"),
	})
	answerWith(options, p)
	err = readArguments(options, args)
	s.timeout, s.timeoutState, s.output = time.Duration(timeout), probes.State(late), string(output)
	if p.Judged != nil {
		var more []probes.Threshold
		s.figures, more = p.Judged()
		derived, wrong := thresholdsOf(s.figures, more)
		s.thresholds, err = append(s.thresholds, derived...), cmp.Or(err, wrong)
	}
	if err != nil || !p.Domain {
		return s, err
	}
	host := ""
	if at := slices.IndexFunc(declared.All, func(d probes.Setting) bool { return d.Short == 'H' }); at >= 0 {
		host = declared.All[at].Value.String()
	}
	s.target.Domain, err = xmppDomain(domain, host)
	return s, err
}

// inquiries are the flags that ask about the plugin itself. answerWith gives them their answers.
func inquiries(p Plugin) []option {
	all := []option{
		{name: "help", short: 'h', help: "Show this help"},
		{name: "version", short: 'V', help: "Show the version"},
		{name: "help-man"},
		{name: "completion-script-bash"},
		{name: "completion-script-zsh"}, // for packages; not shown
	}
	for i := range all {
		all[i].bare = true
	}
	return all
}

func answerWith(options []option, p Plugin) {
	for name, answer := range map[string]func() informed{
		"help":                   func() informed { return informed{helpText(p, options), probes.Unknown} },
		"version":                func() informed { return informed{p.Name + " " + buildVersion() + "\n", probes.Unknown} },
		"help-man":               func() informed { return informed{manual(p, options), probes.OK} },
		"completion-script-bash": func() informed { return informed{bashCompletion(p, options), probes.OK} },
		"completion-script-zsh":  func() informed { return informed{zshCompletion(p, options), probes.OK} },
	} {
		find(options, func(o option) bool { return o.name == name }).set = func(string) error { return answer() }
	}
}

func fromSettings(declared []probes.Setting) (options []option) {
	for _, d := range declared {
		if d.Scope == probes.Secret {
			continue
		}
		o := optionOf(d.Value, d.Short, d.Name, d.Help)
		o.bare, o.list = d.Bool, d.List
		options = append(options, o)
	}
	return options
}

func fromThresholds(thresholds []threshold) (options []option) {
	for i := range thresholds {
		t := &thresholds[i]
		options = append(options, optionOf(rangeFlag{t}, t.short(), t.Flag, t.Help))
	}
	return options
}

// thresholdsOf sets declared thresholds to their defaults.
func thresholdsOf(figures []probes.Figure, declared []probes.Threshold) ([]threshold, error) {
	all := make([]threshold, len(declared))
	for i, d := range declared {
		all[i].Threshold = d
		at := slices.IndexFunc(figures, func(f probes.Figure) bool { return f.Label == d.Figure })
		if at < 0 {
			return nil, fmt.Errorf("--%s judges %s, which is no figure of this plugin", d.Flag, d.Figure)
		}
		all[i].figure = figures[at]
		if d.Default != "" {
			if err := (rangeFlag{&all[i]}).Set(d.Default); err != nil {
				return nil, fmt.Errorf("default of --%s: %w", d.Flag, err)
			}
		}
	}
	return all, nil
}

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
