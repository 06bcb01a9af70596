// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"path/filepath"
	"strings"
)

// page is what docs/benchmarks.md says of what was measured.
func (r *report) page(o options) (string, error) {
	var out strings.Builder
	fmt.Fprintf(&out, "\nOn %s. Everybody on this machine, ejabberd, PostgreSQL, the exporter and what it is compared with, shares its cores.\n\n", machine())
	out.WriteString("| what | asked | measured | |\n|---|---|---|---|\n")
	for _, m := range parts {
		p := r.Parts[m.name]
		if p == nil {
			continue
		}
		for _, f := range p.Figures {
			verdict := "reached"
			if !f.Reached {
				verdict = "**not reached**"
			}
			fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", f.What, f.Asked, f.Came, verdict)
		}
	}
	growth, err := growth(o)
	if err != nil {
		return "", err
	}
	out.WriteString(growth)
	for _, m := range parts {
		if p := r.Parts[m.name]; p != nil {
			out.WriteString(p.String())
		}
	}
	return out.String(), nil
}

// growing are the values whose growth is shown, by part.
var growing = []struct{ part, value string }{
	{"scrape", "a scrape, everything warm"},
	{"scrape", "a scrape that reads anew"},
	{"scrape", "CPU in ejabberd for that"},
	{"statements", "the slowest statement"},
	{"statements", "PostgreSQL, of a core"},
	{"walk", "first walk"},
	{"walk", "next walk"},
	{"walk", "`du`"},
	{"memory", "resident after the first scrape"},
	{"memory", "resident after many scrapes"},
}

// growth lays what was measured at several sizes side by side.
func growth(o options) (string, error) {
	found, err := filepath.Glob(filepath.Join(o.dir, "measured-*x.json"))
	if err != nil {
		return "", err
	}
	var sizes []*report
	for _, path := range found {
		var factor float64
		if _, err := fmt.Sscanf(filepath.Base(path), "measured-%fx.json", &factor); err != nil {
			return "", err
		}
		at := o
		at.factor = factor
		r, err := openReport(at)
		if err != nil {
			return "", err
		}
		sizes = append(sizes, r)
	}
	if len(sizes) < 2 {
		return "", nil
	}
	var out strings.Builder
	out.WriteString("\n## Growth\n\n| |")
	for _, r := range sizes {
		fmt.Fprintf(&out, " %d accounts, %d files, %d sessions |", r.Size.Accounts, r.Size.Files, r.Size.Sessions)
	}
	out.WriteString("\n|---|" + strings.Repeat("---|", len(sizes)) + "\n")
	for _, g := range growing {
		fmt.Fprintf(&out, "| %s |", g.value)
		for _, r := range sizes {
			cell := "–"
			if p := r.Parts[g.part]; p != nil && p.Values[g.value] != "" {
				cell = p.Values[g.value]
			}
			out.WriteString(" " + cell + " |")
		}
		out.WriteString("\n")
	}
	return out.String(), nil
}
