// SPDX-License-Identifier: Apache-2.0

package house

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDependenciesAreListed: docs/dependencies.md, which `make licences` writes with the licences, has what programs and tests are
// made of now, in the versions of now.
func TestDependenciesAreListed(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	shipped, _, found := strings.Cut(string(text), "\n## In tests alone")
	if !found {
		t.Fatal("docs/dependencies.md has no chapter of what tests alone are made of")
	}
	for _, c := range []struct{ chapter, in, what, pattern string }{
		{"programs", shipped, "./cmd/...", "-test=false"}, {"programs and tests", string(text), "./...", "-test=true"},
	} {
		list := exec.CommandContext(t.Context(), "go", "list", "-deps", c.pattern, "-f", "{{with .Module}}{{if not .Main}}| {{.Path}} | {{.Version}} |{{end}}{{end}}", c.what)
		list.Dir, list.Stderr = root, t.Output()
		rows, err := list.Output()
		if err != nil {
			t.Fatal("go list: ", err)
		}
		modules := 0
		for row := range strings.Lines(string(rows)) {
			if row = strings.TrimSpace(row); row == "" {
				continue
			}
			modules++
			if !strings.Contains(c.in, "\n"+row+" ") {
				t.Errorf("what the %s are made of lacks %s: run make licences", c.chapter, row)
			}
		}
		if modules == 0 {
			t.Errorf("the %s depend on nothing: this test looks for the wrong thing", c.chapter)
		}
	}
}
