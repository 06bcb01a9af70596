// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

// panel is one panel of a board. What it says to people is told in parts, so that none can be forgotten.
type panel struct {
	title  string
	says   string // what is shown
	normal string // what it looks like on a good day
	act    string // what to do when it does not
	empty  string // where nothing is to be seen here; "" where there is always something
	unit   string
	width  uint32 // of 24 columns
	draw   drawing
	show   []query
}

// description is what a person reads who asks what this is.
func (p panel) description() string {
	parts := []string{sentence(p.says), "**Normal:** " + sentence(p.normal), "**Otherwise:** " + sentence(p.act)}
	if p.empty != "" {
		parts = append(parts, emptyMark+sentence(p.empty))
	}
	return strings.Join(parts, "\n\n")
}

// emptyMark begins the part that says when a panel shows nothing.
const emptyMark = "**Empty:** "

// build makes Grafana's panel of it.
func (p panel) build(id uint32, at dashboard.GridPos) dashboard.Panel {
	description := p.description()
	built := dashboard.Panel{
		Id: &id, Title: &p.title, Description: &description, GridPos: &at, Datasource: source(),
		FieldConfig: &dashboard.FieldConfigSource{Overrides: overrides(p.show)},
	}
	built.FieldConfig.Defaults.Unit = &p.unit
	p.draw(&built)
	for i, q := range p.show {
		built.Targets = append(built.Targets, q.build(string(rune('A'+i))))
	}
	return built
}

func (q query) build(ref string) variants.Dataquery {
	isInstant, isRange := q.format == instant || q.format == rows, q.format == history || q.format == cells
	shape := prometheus.PromQueryFormatTimeSeries
	switch q.format {
	case rows:
		shape = prometheus.PromQueryFormatTable
	case cells:
		shape = prometheus.PromQueryFormatHeatmap
	case instant, history:
	}
	editor := prometheus.QueryEditorModeCode
	built := prometheus.Dataquery{
		Expr: q.expr, RefId: &ref, Instant: &isInstant, Range: &isRange, Format: &shape, EditorMode: &editor, Datasource: source(),
	}
	if q.legend != "" {
		built.LegendFormat = &q.legend
	}
	if strings.Contains(q.expr, "$__rate_interval") {
		step := minStep
		built.Interval = &step
	}
	return built
}

// source is the data source that the board's variable names. An uid that is fixed, or an __inputs form, breaks when provisioned.
func source() *common.DataSourceRef {
	kind, uid := "prometheus", "${datasource}"
	return &common.DataSourceRef{Type: &kind, Uid: &uid}
}
