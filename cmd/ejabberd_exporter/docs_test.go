// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"flag"
	"fmt"
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
	"github.com/chapril/ejabberd_exporter/internal/xmpp/sasl"
	"github.com/chapril/ejabberd_exporter/probes"
)

var update = flag.Bool("update", false, "write the generated documents anew")

// TestMadeFromCode keeps documents that repeat the code equal to the code. `make docs` writes them anew.
func TestMadeFromCode(t *testing.T) {
	for name, text := range map[string]string{
		"docs/metrics.md": metricsDoc(),
		"docs/flags.md":   flagsDoc(),
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
	return b.String()
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
