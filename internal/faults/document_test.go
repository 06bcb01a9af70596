// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

const document = "../../docs/faults.md"

// section replaces what stands between the markers of a part of the document.
func section(t *testing.T, name, text string) {
	t.Helper()
	whole, err := os.ReadFile(document)
	must(t, err)
	begin, end := "<!-- "+name+": written by the run -->\n", "<!-- /"+name+" -->"
	before, rest, opened := strings.Cut(string(whole), begin)
	_, after, closed := strings.Cut(rest, end)
	if !opened || !closed {
		t.Fatalf("%s lacks the markers %q and %q", document, begin, end)
	}
	must(t, os.WriteFile(document, []byte(before+begin+text+end+after), 0o644))
}

// writeFaults writes what a run of the whole suite saw.
func writeFaults(t *testing.T, rows []outcome) {
	t.Helper()
	if want := names(); len(rows) != len(want) {
		t.Logf("%d of %d faults were played well: %s stays as it is", len(rows), len(want), document)
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nRun on %s with %s.\n\n", time.Now().UTC().Format(time.DateOnly), versions(t))
	b.WriteString("| fault | says 0 meanwhile | a new exporter too | slowest page | back after | new one back after | calls of the API | of one command at a time | connections | goroutines | descriptors | memory |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, o := range rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %d | %d | %d | %.0f → %.0f | %.0f → %.0f | %.0f → %.0f MiB |\n", o.fault, words(o.failed), words(without(o.newcomer, o.failed)),
			seconds(o.slowest), seconds(o.back), seconds(o.refreshed), o.calls, o.open, o.connections, o.before.goroutines, o.after.goroutines,
			o.before.descriptors, o.after.descriptors, o.before.memory/mebibyte, o.after.memory/mebibyte)
	}
	b.WriteString("\n")
	section(t, "faults", b.String())
}

// names are all faults.
func names() (all []string) {
	for _, act := range acts {
		for _, f := range act.faults {
			all = append(all, f.name)
		}
	}
	return all
}

// TestEveryFaultHasARow: whoever adds a fault, or changes its name, lets the suite run.
func TestEveryFaultHasARow(t *testing.T) {
	text, err := os.ReadFile(document)
	must(t, err)
	for _, name := range names() {
		if !strings.Contains(string(text), "\n| "+name+" | ") {
			t.Errorf("%s has no row for: %s; `make faults` writes them", document, name)
		}
	}
}

// versions are those of the servers that were broken, and of what the machine is.
func versions(t *testing.T) string {
	t.Helper()
	var all []string
	for _, pkg := range []string{"ejabberd", "postgresql"} {
		out, err := exec.Command("dpkg-query", "--showformat=${Version}", "--show", pkg).Output()
		must(t, err)
		all = append(all, pkg+" "+string(out))
	}
	load, err := os.ReadFile("/proc/loadavg")
	must(t, err)
	return fmt.Sprintf("Debian's %s, %s; on %d processors under a load of %s", strings.Join(all, " and "), runtime.Version(), runtime.NumCPU(), strings.Fields(string(load))[0])
}

func seconds(s float64) string {
	if s == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f s", s)
}

func words(names []string) string {
	if len(names) == 0 {
		return "–"
	}
	return strings.Join(names, ", ")
}

func without(names, others []string) (rest []string) {
	for _, name := range names {
		if !strings.Contains(" "+strings.Join(others, " ")+" ", " "+name+" ") {
			rest = append(rest, name)
		}
	}
	return rest
}
