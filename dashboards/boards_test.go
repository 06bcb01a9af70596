// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// TestMadeFromCode keeps the files equal to the code. `make dashboards` writes them anew.
func TestMadeFromCode(t *testing.T) {
	want, err := rendered()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range want {
		if have, err := os.ReadFile(name); err != nil || !bytes.Equal(have, text) {
			t.Errorf("%s is not what the code says: run make dashboards (%v)", name, err)
		}
	}
	files, err := filepath.Glob("*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if want[name] == nil {
			t.Errorf("%s belongs to no board", name)
		}
	}
}

// TestGrafanaReadsThem decodes the files strictly: a field that Grafana does not know is one that does nothing.
func TestGrafanaReadsThem(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	for _, b := range boards() {
		text, err := os.ReadFile(b.file())
		if err != nil {
			t.Fatal(err)
		}
		var board dashboard.Dashboard
		if err := board.UnmarshalJSONStrict(sdkTakes(t, text)); err != nil {
			t.Errorf("%s: %v", b.file(), err)
		}
		if err := board.Validate(); err != nil {
			t.Errorf("%s: %v", b.file(), err)
		}
		if len(board.Panels) != len(b.panels()) {
			t.Errorf("%s has %d panels, want %d", b.file(), len(board.Panels), len(b.panels()))
		}
	}
}

// sdkTakes leaves out what Grafana reads and the SDK's type of annotations lacks, after a look that it is there.
func sdkTakes(t *testing.T, text []byte) []byte {
	t.Helper()
	var whole map[string]any
	if err := json.Unmarshal(text, &whole); err != nil {
		t.Fatal(err)
	}
	list, _ := whole["annotations"].(map[string]any)["list"].([]any)
	if len(list) != 2 {
		t.Errorf("%d annotations, want those for alerts and restarts", len(list))
	}
	for _, entry := range list {
		mark, _ := entry.(map[string]any)
		for _, field := range []string{"titleFormat", "textFormat"} {
			if format, ok := mark[field].(string); !ok || format == "" {
				t.Errorf("annotation %v has no %s: it would say nothing", mark["name"], field)
			}
			delete(mark, field)
		}
	}
	rest, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	return rest
}

// TestLayout: rows from the left to the right edge, of one height, without holes.
func TestLayout(t *testing.T) {
	for _, b := range boards() {
		taken := map[[2]uint32]string{}
		bottom := uint32(0)
		for _, p := range b.build().Panels {
			at, title := p.Panel.GridPos, *p.Panel.Title
			if at.W < 3 || at.H < 4 {
				t.Errorf("%s, %s is too small to read: %dx%d", b.name, title, at.W, at.H)
			}
			for x := at.X; x < at.X+at.W; x++ {
				for y := at.Y; y < at.Y+at.H; y++ {
					if other := taken[[2]uint32{x, y}]; other != "" {
						t.Fatalf("%s: %s lies upon %s", b.name, title, other)
					}
					taken[[2]uint32{x, y}] = title
				}
			}
			bottom = max(bottom, at.Y+at.H)
			if at.X+at.W > 24 {
				t.Errorf("%s: %s ends in column %d of 24", b.name, title, at.X+at.W)
			}
		}
		if holes := int(24*bottom) - len(taken); holes != 0 {
			t.Errorf("%s has %d empty cells", b.name, holes)
		}
		if bottom > 45 {
			t.Errorf("%s is %d rows high: nobody scrolls that far", b.name, bottom)
		}
	}
}

// TestPanelsSpeak: what a person needs to know of a panel stands in it.
func TestPanelsSpeak(t *testing.T) {
	ids := map[string]bool{}
	for _, b := range boards() {
		if n := len(b.panels()); n < 6 || n > 16 {
			t.Errorf("%s has %d panels: 6 to 16 can be looked at", b.name, n)
		}
		if ids[b.uid()] || !regexp.MustCompile(`^ejabberd-[a-z]+$`).MatchString(b.uid()) {
			t.Errorf("%s: the uid must be stable and its own", b.uid())
		}
		ids[b.uid()] = true
		titles := map[string]bool{}
		for _, p := range b.panels() {
			if p.title == "" || p.unit == "" || p.says == "" || p.normal == "" || p.act == "" || len(p.show) == 0 {
				t.Errorf("%s, %q lacks something to say: %+v", b.name, p.title, p)
			}
			if titles[p.title] {
				t.Errorf("%s has two panels %q", b.name, p.title)
			}
			titles[p.title] = true
			if len(p.show) > 1 && slices.ContainsFunc(p.show, func(q query) bool { return q.legend == "" && q.format != rows }) {
				t.Errorf("%s, %s has several queries and one without a legend", b.name, p.title)
			}
		}
	}
}

// TestDataSourceIsTheVariable: nothing is bound to the Grafana of whoever made it.
func TestDataSourceIsTheVariable(t *testing.T) {
	source := regexp.MustCompile(`"datasource": \{\s*"type": "prometheus",\s*"uid": "\$\{datasource\}"\s*\}`)
	for _, b := range boards() {
		text, err := os.ReadFile(b.file())
		if err != nil {
			t.Fatal(err)
		}
		all, good := strings.Count(string(text), `"datasource":`), len(source.FindAll(text, -1))
		wanted := len(annotations()) + 3 // variables
		for _, p := range b.panels() {
			wanted += 1 + len(p.show)
		}
		if all != good || good != wanted {
			t.Errorf("%s: %d of %d data sources are the variable, want %d", b.file(), good, all, wanted)
		}
		for _, never := range []string{"__inputs", "$__range", "$__interval", `"overrides": null`, `"orientation": ""`} {
			if strings.Contains(string(text), never) {
				t.Errorf("%s has %s", b.file(), never)
			}
		}
	}
}

// TestRatesOfSlowScrapes: rates need two scrapes in their interval, and docs/privacy.md allows two minutes from one to the next.
func TestRatesOfSlowScrapes(t *testing.T) {
	const slowest = 2 * time.Minute
	privacy, err := os.ReadFile("../docs/privacy.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(privacy), "A `scrape_interval` of two minutes") {
		t.Error("docs/privacy.md allows something else than two minutes")
	}
	p := server{}
	if got, want := p.fill("[$__rate_interval]", 15*time.Second), fmt.Sprintf("[%.0fs]", (2*slowest).Seconds()); got != want {
		t.Errorf("rates are taken over %s, want %s", got, want)
	}
}

// TestBadNewsIsRed: a state that is bad has the colour of bad states, and no other has.
func TestBadNewsIsRed(t *testing.T) {
	for _, news := range []struct {
		board, panel, value string
		colour              string
	}{
		{"overview", "Endpoints, as users reach them", "0", bad},
		{"overview", "Endpoints, as users reach them", "1", good},
		{"overview", "ejabberd", "0", bad},
		{"probes", "What fails, and why", "1", bad},
		{"probes", "What does not match", "0", bad},
		{"probes", "Versions of TLS", "1", calm},
		{"probes", "Versions of TLS", "2", bad},
		{"exporter", "Traps in the configuration", "1", bad},
		{"exporter", "Configuration", "1", bad},
		{"exporter", "Configuration", "0", good},
	} {
		built := find(t, news.board, news.panel).build(1, dashboard.GridPos{})
		shown := built.FieldConfig.Defaults.Mappings[0].ValueMap.Options[news.value]
		if shown.Color == nil || *shown.Color != news.colour {
			t.Errorf("%s, %s: %s is not %s", news.board, news.panel, news.value, news.colour)
		}
	}
}
