// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/scale"
)

// figure is one of those that were asked for.
type figure struct {
	What, Asked, Came string
	Reached           bool
}

// part is one thing that was measured.
type part struct {
	Name, Title string
	Text        string // Markdown
	Figures     []figure
	Values      map[string]string // what the growth is shown of
	At          time.Time
	Load        float64 // of the machine when it began
}

// report is all that was measured; what is measured anew takes the place of what was.
type report struct {
	path  string
	Size  scale.Size
	Parts map[string]*part
}

// openReport reads what a size was measured to be before.
func openReport(o options) (*report, error) {
	r := &report{path: filepath.Join(o.dir, fmt.Sprintf("measured-%gx.json", o.factor)), Size: scale.SizeOf(o.factor), Parts: map[string]*part{}}
	text, err := os.ReadFile(r.path)
	if os.IsNotExist(err) {
		return r, nil
	} else if err != nil {
		return nil, err
	}
	return r, json.Unmarshal(text, r)
}

func (r *report) add(p *part) error {
	r.Parts[p.Name] = p
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(r.path, text, 0o644)
}

func (p *part) asked(what, asked string, reached bool, format string, args ...any) {
	p.Figures = append(p.Figures, figure{what, asked, fmt.Sprintf(format, args...), reached})
}

// grows keeps a value of those whose growth is shown.
func (p *part) grows(what, value string) {
	if p.Values == nil {
		p.Values = map[string]string{}
	}
	p.Values[what] = value
}

func (p *part) write(format string, args ...any) { p.Text += fmt.Sprintf(format, args...) }

// table writes rows below a head.
func (p *part) table(head []string, rows [][]string) {
	p.write("\n| %s |\n|%s\n", strings.Join(head, " | "), strings.Repeat("---|", len(head)))
	for _, row := range rows {
		p.write("| %s |\n", strings.Join(row, " | "))
	}
}

// String is the part as it is printed, and as it stands on the page.
func (p *part) String() string {
	return fmt.Sprintf("\n## %s\n\nMeasured at %s UTC, with a load of %.1f when it began.\n%s", p.Title, p.At.UTC().Format("2006-01-02 15:04"), p.Load, p.Text)
}

const begin, end = "<!-- measured: written by make bench -->\n", "<!-- end of what is measured -->\n"

// put writes what was measured into a page, between two marks.
func put(path, measured string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, rest, opened := strings.Cut(string(text), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !opened || !closed {
		return fmt.Errorf("%s has no place for what is measured", path)
	}
	return os.WriteFile(path, []byte(head+begin+measured+end+tail), 0o644)
}
