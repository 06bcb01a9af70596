// SPDX-License-Identifier: Apache-2.0

package alerts_test

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// TestEveryAlertHasARunbook, and every runbook an alert; all have the same parts, and are short enough to be read at night.
func TestEveryAlertHasARunbook(t *testing.T) {
	books, alerts := runbooks(t), map[string]bool{}
	for _, r := range rules(t) {
		if r.Alert != "" {
			alerts[r.Alert] = true
		}
	}
	for name := range alerts {
		if books[name] == "" {
			t.Errorf("%s has no docs/runbooks/%[1]s.md", name)
		}
	}
	for name, text := range books {
		if !alerts[name] {
			t.Errorf("docs/runbooks/%s.md is about no alert", name)
		}
		parts := heading.FindAllString(text, -1)
		want := []string{"# " + name, "## Meaning", "## Impact", "## Diagnosis", "## Fix", "## When it lies"}
		if !slices.Equal(parts, want) {
			t.Errorf("%s has the parts %q, want %q", name, parts, want)
		}
		if n := strings.Count(text, "\n"); n > 50 {
			t.Errorf("%s has %d lines: who reads it at night wants 50 at most", name, n)
		}
		if len(commands(text)) < 2 {
			t.Errorf("%s has no commands to paste", name)
		}
		for _, other := range alertName.FindAllString(text, -1) {
			if !alerts[other] {
				t.Errorf("%s sends people to %s, which is no alert", name, other)
			}
		}
	}
}

// TestRunbooksUseWhatThereIs: our programs' flags, modules and metrics exist, and other programs are those of the list.
func TestRunbooksUseWhatThereIs(t *testing.T) {
	known, flags := catalogue(), read(t, "../docs/flags.md")
	for name, text := range runbooks(t) {
		for _, line := range commands(text) {
			program := strings.Fields(strings.TrimPrefix(strings.TrimPrefix(line, "sudo -u ejabberd "), "sudo -u postgres "))[0]
			switch {
			case assignment.MatchString(program):
			case strings.HasPrefix(program, "check_xmpp_"):
				_, help, _ := strings.Cut(flags, "## "+program+"\n")
				help, _, _ = strings.Cut(help, "\n## ")
				for _, flag := range flagName.FindAllString(line, -1) {
					if !regexp.MustCompile(flag + `\b`).MatchString(help) {
						t.Errorf("%s: %s has no flag %s", name, program, flag)
					}
				}
			case program == "ejabberd_exporter":
				for _, flag := range flagName.FindAllString(line, -1) {
					if !strings.Contains(flags, "| `"+flag+"` |") {
						t.Errorf("%s: the exporter has no flag %s", name, flag)
					}
				}
			case !slices.Contains(others, program):
				t.Errorf("%s: is %s a program that servers have? Then name it in this test", name, program)
			}
		}
		for _, module := range askedModule.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(flags, "## check_xmpp_"+module[1]+"\n") {
				t.Errorf("%s: /probe has no module %s", name, module[1])
			}
		}
		for _, used := range ourName.FindAllString(recordedName.ReplaceAllString(text, ""), -1) {
			if !slices.ContainsFunc(slices.Collect(maps.Keys(known)), func(m string) bool { return strings.HasPrefix(m, used) }) && !slices.Contains(ejabberds, used) {
				t.Errorf("%s names %s, which is no metric", name, used)
			}
		}
	}
}

// TestRunbooksWorkOnARealServer: ejabberd has the commands and PostgreSQL takes the queries.
func TestRunbooksWorkOnARealServer(t *testing.T) {
	t.Parallel()
	s := service.ForTest(t, service.Options{})
	help := map[string]string{}
	for name, text := range runbooks(t) {
		for _, found := range ctl.FindAllStringSubmatch(text, -1) {
			command, given := found[1], len(strings.Fields(found[2]))
			if command == "status" {
				continue // of the script ejabberdctl itself
			}
			if help[command] == "" {
				said, err := s.Ejabberd.Ctl(t.Context(), "help", command)
				if err != nil || !strings.Contains(said, "Command Name") {
					t.Errorf("%s: ejabberd has no command %s: %v %s", name, command, err, said)
				}
				help[command] = said
			}
			_, arguments, _ := strings.Cut(help[command], "Arguments:")
			arguments, _, _ = strings.Cut(arguments, "Returns:")
			if wanted := strings.Count(arguments, "::"); given > 0 && given != wanted {
				t.Errorf("%s: %s has %d arguments, not %d", name, command, wanted, given)
			}
		}
		for _, found := range query.FindAllStringSubmatch(text, -1) {
			if err := s.Database.Exec(t.Context(), found[1]); err != nil {
				t.Errorf("%s: %s: %v", name, found[1], err)
			}
		}
	}
	if len(help) < 10 {
		t.Errorf("%d commands of ejabberdctl: the test no longer reads them", len(help))
	}
}

var (
	heading     = regexp.MustCompile(`(?m)^##? .*$`)
	block       = regexp.MustCompile("(?s)```sh\n(.*?)```")
	alertName   = regexp.MustCompile(`\b(?:Ejabberd|Xmpp)[A-Z]\w+`)
	flagName    = regexp.MustCompile(`--[a-z][a-z.-]*`)
	askedModule = regexp.MustCompile(`module=(\w+)&`)
	ctl         = regexp.MustCompile("ejabberdctl ([a-z_0-9]+)((?: [^ `|\n]+)*)`?")
	assignment  = regexp.MustCompile(`^[A-Z]+=\w+$`)
	query       = regexp.MustCompile(`psql ejabberd -c "([^"]+)"`)

	// others are programs of the system, PostgreSQL, ejabberd and certbot.
	others = []string{
		"certbot", "curl", "df", "dig", "dmesg", "du", "ejabberdctl", "find", "free", "grep", "iostat", "ip", "journalctl", "last", "ls", "lsof",
		"nft", "nstat", "openssl", "pg_lsclusters", "promtool", "psql", "ss", "systemctl", "tail", "top", "touch", "which",
		"/usr/share/ejabberd/captcha.sh",
	}
	// ejabberds are names of modules and files that begin as our metrics do.
	ejabberds = []string{"ejabberd_c2s", "ejabberd_s2s_in", "ejabberd_service", "ejabberd_captcha", "ejabberd_exporter", "probe_account"}
)

// runbooks are the texts, by the name of their alert.
func runbooks(t *testing.T) map[string]string {
	t.Helper()
	books := map[string]string{}
	for _, path := range glob(t, "../docs/runbooks/*.md") {
		books[strings.TrimSuffix(filepath.Base(path), ".md")] = read(t, path)
	}
	return books
}

// commands are the lines to paste.
func commands(text string) (lines []string) {
	for _, found := range block.FindAllStringSubmatch(text, -1) {
		lines = append(lines, strings.Split(strings.TrimSpace(found[1]), "\n")...)
	}
	return lines
}
