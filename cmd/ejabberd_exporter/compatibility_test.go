// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/collector"
)

const compatibilityHead = `# Compatibility

Written by ` + "`make test-matrix`" + ` on %s: every collector against real servers, each ejabberd with the PostgreSQL of its Debian
release and its own schema files, every number compared with what was put in. A collector works, or it is not available there
because the server cannot know; none fails.

`

// writeCompatibility writes the table of what was found.
func writeCompatibility(t *testing.T, columns []column) {
	t.Helper()
	slices.SortStableFunc(columns, func(a, b column) int { return strings.Compare(a.ejabberd, b.ejabberd) })
	var text strings.Builder
	fmt.Fprintf(&text, compatibilityHead, time.Now().UTC().Format(time.DateOnly))
	var notes []string
	for _, kind := range kinds {
		var of []column
		for _, c := range columns {
			if c.kind == kind.name {
				of = append(of, c)
			}
		}
		fmt.Fprintf(&text, "## %s%s\n\n| collector |", strings.ToUpper(kind.name[:1]), kind.name[1:])
		for _, c := range of {
			fmt.Fprintf(&text, " ejabberd %s", c.ejabberd)
			if c.postgresql != "" {
				fmt.Fprintf(&text, ", PostgreSQL %s", c.postgresql)
			}
			text.WriteString(" |")
		}
		text.WriteString("\n|---|" + strings.Repeat("---|", len(of)) + "\n")
		for _, d := range collector.All {
			fmt.Fprintf(&text, "| %s |", d.Name)
			for _, c := range of {
				fmt.Fprintf(&text, " %s |", c.cells[d.Name].text(len(d.Metrics), &notes))
			}
			text.WriteString("\n")
		}
		text.WriteString("\n")
	}
	text.WriteString("## Notes\n\n")
	for i, note := range notes {
		fmt.Fprintf(&text, "%d. %s\n", i+1, note)
	}
	if err := os.WriteFile(filepath.Join("..", "..", "docs", "compatibility.md"), []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// text is what the table says of a collector with so many metrics; the details are notes, each once.
func (c cell) text(metrics int, notes *[]string) string {
	state, note := "works", ""
	switch {
	case c.off != "":
		state, note = "not available", c.off
	case len(c.absent) == metrics:
		note = "Of this the test's service has nothing, or too little to tell."
	case len(c.absent) > 0:
		note = "Without `" + strings.Join(c.absent, "`, `") + "`, of which there was nothing to tell."
	default:
		return state
	}
	i := slices.Index(*notes, note)
	if i < 0 {
		i = len(*notes)
		*notes = append(*notes, note)
	}
	return fmt.Sprintf("%s (%d)", state, i+1)
}
