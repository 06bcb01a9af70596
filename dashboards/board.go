// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// board is one dashboard: rows of panels, each row of one height, from the left to the right edge.
type board struct {
	name    string // ejabberd-<name>.json, and the uid
	title   string
	says    string
	rows    []row
	refresh string // how often Grafana asks again; "" for every minute
	hosts   string // what the variable vhost offers; "" for the hosts that ejabberd serves
}

type row struct {
	height uint32
	panels []panel
}

func (b board) uid() string { return "ejabberd-" + b.name }

func (b board) file() string { return b.uid() + ".json" }

// panels are all panels of the board.
func (b board) panels() []panel {
	var all []panel
	for _, r := range b.rows {
		all = append(all, r.panels...)
	}
	return all
}

// build makes Grafana's dashboard of it.
func (b board) build() dashboard.Dashboard {
	built := dashboard.NewDashboard()
	uid, title, says, zone, refresh := b.uid(), "ejabberd: "+b.title, b.says, "browser", cmp.Or(b.refresh, "1m")
	editable, tooltip := false, dashboard.DashboardCursorSyncCrosshair
	built.Uid, built.Title, built.Description, built.Timezone, built.Refresh = &uid, &title, &says, &zone, &refresh
	built.Tags, built.Editable, built.GraphTooltip = []string{"ejabberd", "xmpp"}, &editable, &tooltip
	built.Time = &dashboard.DashboardDashboardTime{From: "now-24h", To: "now"}
	built.Links = []dashboard.DashboardLink{{
		Title: "ejabberd", Type: dashboard.DashboardLinkTypeDashboards, Icon: "external link", Tags: []string{"ejabberd"},
		AsDropdown: true, IncludeVars: true, KeepTime: true,
	}}
	built.Templating.List = variables(b.hosts)
	id, y := uint32(0), uint32(0)
	for _, r := range b.rows {
		x := uint32(0)
		for _, p := range r.panels {
			id++
			made := p.build(id, dashboard.GridPos{X: x, Y: y, W: p.width, H: r.height})
			built.Panels = append(built.Panels, dashboard.PanelOrRowPanel{Panel: &made})
			x += p.width
		}
		y += r.height
	}
	return *built
}

// render writes the dashboard as JSON, with what the SDK's types do not know.
func (b board) render() ([]byte, error) {
	text, err := json.Marshal(b.build())
	if err != nil {
		return nil, err
	}
	var whole map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&whole); err != nil {
		return nil, err
	}
	whole["annotations"] = map[string]any{"list": annotations()}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err = encoder.Encode(whole)
	return out.Bytes(), err
}

// annotation marks moments on all panels. The SDK's type lacks the formats, without which Grafana shows a mark that says nothing.
type annotation struct {
	Name        string         `json:"name"`
	Datasource  any            `json:"datasource"`
	Enable      bool           `json:"enable"`
	IconColor   string         `json:"iconColor"`
	Target      map[string]any `json:"target"`
	TitleFormat string         `json:"titleFormat"`
	TextFormat  string         `json:"textFormat"`
}

// The alerts of this project share these first words. ALERTS carries the labels of the series that an alert is about, which may have
// been added up: job and instance cannot be asked for.
const firing = `ALERTS{alertname=~"(Ejabberd|Xmpp).+", alertstate="firing"}`

func annotations() []annotation {
	mark := func(name, colour, expr, title, text string) annotation {
		return annotation{
			Name: name, Datasource: source(), Enable: true, IconColor: colour, TitleFormat: title, TextFormat: text,
			Target: map[string]any{"expr": expr, "refId": strings.ReplaceAll(name, " ", ""), "interval": minStep},
		}
	}
	// Not of the start of the process, which the kernel computes anew and may move by a second.
	restarts := "resets(" + gauge("ejabberd_uptime_seconds") + "[$__rate_interval])"
	return []annotation{
		mark("Firing alerts", bad, firing, "{{alertname}}", "{{severity}} {{instance}} {{vhost}}"),
		mark("Restarts", calm, restarts, "ejabberd was restarted", "{{instance}}"),
	}
}
