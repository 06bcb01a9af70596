// SPDX-License-Identifier: Apache-2.0

package examples_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// plugin is one of cmd/check_*, as its --help describes it.
type plugin struct {
	name        string // check_xmpp_c2s
	help        string // what it proves
	options     []option
	environment []string // variables that secrets may come from
}

// option is a flag of a plugin that a monitoring system may set.
type option struct {
	name, help string
	value      bool // takes one
	list       bool // may be repeated
}

var (
	optionLine  = regexp.MustCompile(`^  (?:-\w,|   ) --([a-z0-9-]+)(=\S+)?\s*(.*)$`)
	secretNames = regexp.MustCompile(`environment\s+variable\s+(CHECK_[A-Z_]+)`)
)

// buildPlugins builds all plugins into dir, where everybody may run them, and gives their names.
func buildPlugins(t *testing.T, dir string) []string {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		t.Fatal(err)
	}
	names, err := filepath.Glob("../cmd/check_*")
	if err != nil || len(names) == 0 {
		t.Fatal("no plugins: ", err)
	}
	run(t, "go", append([]string{"build", "-o", dir + "/"}, names...)...)
	for i := range names {
		names[i] = filepath.Base(names[i])
	}
	return names
}

// describe reads the --help of all plugins.
func describe(t *testing.T) []plugin {
	t.Helper()
	dir := t.TempDir()
	var all []plugin
	for _, name := range buildPlugins(t, dir) {
		cmd := exec.Command(filepath.Join(dir, name), "--help")
		out, err := cmd.Output()
		if cmd.ProcessState.ExitCode() != 3 {
			t.Fatalf("%s: %v", cmd, err)
		}
		all = append(all, readHelp(name, string(out)))
	}
	return all
}

func readHelp(name, text string) plugin {
	p := plugin{name: name}
	proves, flags, _ := strings.Cut(text, "\nFlags:\n")
	_, proves, _ = strings.Cut(proves, "\n\n")
	proves, _, _ = strings.Cut(proves, "\n\n")
	p.help = strings.Join(strings.Fields(proves), " ")
	for line := range strings.SplitSeq(flags, "\n") {
		if m := optionLine.FindStringSubmatch(line); m != nil {
			p.options = append(p.options, option{name: m[1], value: m[2] != "", help: m[3]})
		} else if len(p.options) > 0 {
			last := &p.options[len(p.options)-1]
			last.help = strings.TrimSpace(last.help + " " + strings.TrimSpace(line))
		}
	}
	kept := p.options[:0]
	for _, o := range p.options {
		for _, m := range secretNames.FindAllStringSubmatch(o.help, -1) {
			p.environment = append(p.environment, m[1])
		}
		switch o.name {
		case "help", "version", "output": // for people and scripts
			continue
		}
		o.list = strings.HasSuffix(o.help, "may be repeated.")
		kept = append(kept, o)
	}
	p.options = kept
	return p
}
