// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/format"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/exposition"
	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/nagios"
	"github.com/chapril/ejabberd_exporter/internal/page"
	"github.com/chapril/ejabberd_exporter/internal/xmpp/sasl"
	"github.com/chapril/ejabberd_exporter/probes"
)

var update = flag.Bool("update", false, "write the generated documents anew")

// TestMadeFromCode keeps documents that repeat the code equal to the code. `make docs` writes them anew.
func TestMadeFromCode(t *testing.T) {
	for name, text := range map[string]string{
		"docs/metrics.md":             metricsDoc(),
		"docs/flags.md":               flagsDoc(),
		"docs/doctor.md":              doctorDoc(),
		"internal/page/collectors.go": collectorsTable(t),
		"docs/probes.md":              probesDoc(t),
		"docs/privacy.md":             privacyDoc(t),
	} {
		path := filepath.Join("..", "..", name)
		if *update {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if have, err := os.ReadFile(path); err != nil || string(have) != text {
			t.Errorf("%s does not say what the code says: run make docs (%v)", name, err)
		}
	}
}

const generated = "<!-- Generated from the code by make docs. -->\n"

func metricsDoc() string {
	var b bytes.Buffer
	b.WriteString("# Metrics\n" + generated + `
Unknown is absent, never 0: only ` + "`*_up` and `*_success`" + ` say 0 when asked in vain. No label carries an account, address, resource, room or
file. ` + "`vhost`" + ` is a host that ejabberd serves; vhosts beyond ` + "`--vhosts.max`" + ` are added up as ` + "`other`" + `, and vhosts that share an
old-schema database or an upload directory are ` + "`shared`" + `. Windows contain each other: name one in every query.

The scope says over what a number counts. Two exporters of one cluster show the same number for everything but ` + "`node`" + `:
aggregate those with ` + "`max without (instance)`" + `.
`)
	for _, d := range collector.All {
		fmt.Fprintf(&b, "\n## %s\n\n%s. ", d.Name, d.Help)
		switch {
		case d.Refresh > 0:
			fmt.Fprintf(&b, "Refreshed every %s at most, so that its runs use at most 1 %% of the time.", model.Duration(d.Refresh))
		case d.Reuse > 0:
			fmt.Fprintf(&b, "Read at scrape time, every %s at most.", model.Duration(d.Reuse))
		default:
			b.WriteString("Read at scrape time, every 10s at most.")
		}
		if d.Disabled {
			fmt.Fprintf(&b, " Off unless asked for with `--collector.%s`.", d.Name)
		}
		for _, table := range slices.Sorted(maps.Keys(d.Columns)) {
			fmt.Fprintf(&b, " Reads `%s (%s)`.", table, strings.Join(d.Columns[table], ", "))
		}
		b.WriteString("\n\n")
		table(&b, d.Metrics)
	}
	b.WriteString("\n## The exporter itself\n\nBeside these, `go_*` and `process_*` describe the exporter's own process.\n\n")
	table(&b, collector.SelfMetrics)
	b.WriteString("\n## Probes\n\nOn `/probe` every module has:\n\n")
	table(&b, exposition.ProbeMetrics)
	for _, p := range probes.All(sasl.Authenticate) {
		fmt.Fprintf(&b, "\n### %s\n\n%s.\n\n", p.Name, strings.TrimSuffix(p.Help, "."))
		table(&b, p.Metrics)
	}
	return b.String()
}

func table(b *bytes.Buffer, metrics []*metric.Metric) {
	b.WriteString("| metric | type | labels | scope | what it says |\n|---|---|---|---|---|\n")
	for _, m := range metrics {
		var labels []string
		for _, l := range m.Labels {
			labels = append(labels, "`"+l.Name+"`: "+strings.ReplaceAll(l.Describe(), "|", `\|`))
		}
		help, _, _ := strings.Cut(m.FullHelp(), " (scope: ")
		if m.Kind == metric.Histogram {
			help += "; buckets " + strings.Trim(fmt.Sprint(m.Buckets), "[]")
			if m.Snapshot {
				help += "; a snapshot, never use rate() on it"
			}
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s. From: %s |\n", m.Name, m.Kind, strings.Join(labels, "<br>"), m.Scope, help, m.Source)
	}
}

func doctorDoc() string {
	var b bytes.Buffer
	b.WriteString("# The doctor\n" + generated + `
` + "```sh\nejabberd_exporter doctor                 # as root on the ejabberd host\nejabberd_exporter doctor --output=json\n```" + `

It looks for settings and states with which ejabberd runs, and of which somebody will be sorry one day; it says what it found, why
that matters, and the line that fixes it. It changes nothing. What it cannot see it says, instead of calling it well. The exit code is
that of a monitoring plugin: 0 nothing found, 1 something, 2 something that hurts now, 3 nothing could be looked at.

The exporter shows the same as ` + "`ejabberd_config_finding{check}`" + `, hourly: 1 found, 0 looked for and not found, absent where it cannot be
told. A service sees less than root: what only root can see is in the facts that ` + "`--discover`" + ` wrote when it started, or absent.

| check | hurts now | why it matters | what to do |
|---|---|---|---|
`)
	for _, t := range collector.Traps {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", t.Name, map[bool]string{true: "yes"}[t.Severe], t.Why, t.Fix)
	}
	return b.String()
}

// probesDoc shows each probe with what its plugin said of a real service, which internal/recipes wrote down.
func probesDoc(t *testing.T) string {
	t.Helper()
	examples, err := os.ReadFile(filepath.Join("..", "..", "docs", "examples", "plugins.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	b.WriteString("# Probes\n" + generated + `
Each is a plugin for Nagios and Icinga, ` + "`check_xmpp_…`" + `, and a module of ` + "`/probe?module=…&target=…`" + `: one function, rendered twice. Its flags
are in [flags.md](flags.md), its metrics in [metrics.md](metrics.md), what it says when something is wrong in [situations.md](situations.md).

A plugin exits 0, 1, 2 or 3 for OK, WARNING, CRITICAL and UNKNOWN. Its first line is the verdict and the performance data, which have the
same labels in every state (` + "`U`" + ` is unknown); then comes a line for each endpoint, the worst first. Both address families must work,
unless ` + "`--any-family`" + ` says that one is enough.
`)
	show := func(plugin string) {
		_, example, found := strings.Cut("\n\n"+string(examples), "\n\n$ "+plugin)
		if !found {
			t.Errorf("docs/examples/plugins.txt does not show %s", plugin)
		}
		example, _, _ = strings.Cut(example, "\n\n")
		fmt.Fprintf(&b, "\n\n```\n$ %s%s\n```\n", plugin, strings.TrimRight(example, "\n"))
	}
	for _, p := range probes.All(sasl.Authenticate) {
		fmt.Fprintf(&b, "\n## %s\n\n%s.", p.Name, strings.TrimSuffix(p.Help, "."))
		if p.LogsIn {
			b.WriteString(" It logs in: as a module it stands in `--probe.config`, and runs once in 30 seconds at most.")
		}
		if p.Name == "exposed" {
			b.WriteString(" Seen from the server itself every door is open: run it elsewhere.\n")
			continue
		}
		show("check_xmpp_" + p.Name)
	}
	b.WriteString("\n## check_ejabberd\n\nNo probe, but what the exporter knows of ejabberd, held against thresholds: of its page, or of a file that `--once` wrote.")
	show("check_ejabberd")
	return b.String()
}

// environment makes the name of a flag's variable as kingpin does.
var environment = strings.NewReplacer(".", "_", "-", "_")

func flagsDoc() string {
	var b bytes.Buffer
	b.WriteString("# Flags\n" + generated + `
## ejabberd_exporter

Every flag can also be set by an environment variable, which a flag on the command line overrides. Secrets are in files or in the
environment, never in flags.

| flag | environment | default | meaning |
|---|---|---|---|
`)
	for _, f := range new(settings).application().Model().Flags {
		if f.Hidden || f.Name == "help" || f.Name == "version" {
			continue
		}
		fallback := ""
		if len(f.Default) > 0 && f.Default[0] != "" {
			fallback = "`" + strings.Join(f.Default, " ") + "`"
		}
		fmt.Fprintf(&b, "| `--%s` | `%s` | %s | %s |\n", f.Name, environment.Replace(strings.ToUpper(name+"_"+f.Name)), fallback, strings.ReplaceAll(f.Help, "|", `\|`))
	}
	fmt.Fprintf(&b, "| | `%s` | | Password of `--ejabberd.user`. |\n", passwordEnv)
	b.WriteString("\nWithout a command the exporter serves. These do something else and end; the flags above count for them too.\n\n| command | flags | what it does |\n|---|---|---|\n")
	for _, c := range new(settings).application().Model().Commands {
		if c.Name == "help" || c.Name == commandServe {
			continue
		}
		var flags []string
		for _, f := range c.Flags {
			flags = append(flags, "`--"+f.Name+"`: "+f.Help)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", c.Name, strings.Join(flags, "<br>"), c.Help)
	}
	b.WriteString(`
## The file of --probe.config

Each module of ` + "`/probe`" + ` has settings, under the names of the plugin's flags below without dashes. examples/probe.yml shows it. These are
secret: they can be set there alone, in a file that others may not read.

| probe | setting | meaning |
|---|---|---|
`)
	for _, p := range probes.All(sasl.Authenticate) {
		var declared probes.Settings
		p.Settings(&declared)
		for _, s := range declared.All {
			if s.Scope == probes.Secret {
				fmt.Fprintf(&b, "| %s | `%s` | %s. |\n", p.Name, s.Name, s.Help)
			}
		}
	}
	for _, p := range probes.All(sasl.Authenticate) {
		var help strings.Builder
		nagios.Run(p, []string{"--help"}, &help)
		fmt.Fprintf(&b, "\n## check_xmpp_%s\n\n```\n%s```\n", p.Name, help.String())
	}
	var help strings.Builder
	page.Plugin().Run([]string{"--help"}, &help)
	fmt.Fprintf(&b, "\n## check_ejabberd\n\n```\n%s```\n", help.String())
	return b.String()
}

// collectorsTable is what check_ejabberd, which does not link the collectors, knows of them.
func collectorsTable(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	b.WriteString(`// SPDX-License-Identifier: Apache-2.0

// Code generated by make docs. DO NOT EDIT.

package page

// collectorOf tells which collector counts a metric.
var collectorOf = map[string]string{
`)
	var even []string
	for _, d := range collector.All {
		for _, m := range d.Metrics {
			fmt.Fprintf(&b, "%q: %q,\n", m.Name, d.Name)
			if m.OnFailure {
				even = append(even, m.Name)
			}
		}
	}
	b.WriteString("}\n\n// evenFailed are told even where their collector failed.\nvar evenFailed = map[string]bool{\n")
	for _, name := range even {
		fmt.Fprintf(&b, "%q: true,\n", name)
	}
	b.WriteString("}\n")
	text, err := format.Source(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestDeclarations are the rules of the catalogue that a machine can check.
func TestDeclarations(t *testing.T) {
	seen := map[string]bool{}
	all := slices.Concat(collector.SelfMetrics, exposition.ProbeMetrics)
	for _, d := range collector.All {
		all = append(all, d.Metrics...)
		for _, m := range d.Metrics {
			if m.Scope != d.Scope() {
				t.Errorf("%s has another scope than the rest of collector %s: --scope takes or leaves a whole collector", m.Name, d.Name)
			}
		}
	}
	for _, m := range all {
		switch {
		case seen[m.Name]:
			t.Errorf("%s is declared twice", m.Name)
		case (m.Kind == metric.Counter) != strings.HasSuffix(m.Name, "_total"):
			t.Errorf("%s: _total is for counters, and only for them", m.Name)
		case m.OnFailure && !strings.HasSuffix(m.Name, "_up"):
			t.Errorf("%s: only what ends in _up is told when its collector fails", m.Name)
		case strings.HasSuffix(m.Help, "."), m.Help == "", m.Source == "":
			t.Errorf("%s: help without full stop, and a source", m.Name)
		}
		seen[m.Name] = true
	}
}
