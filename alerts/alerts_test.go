// SPDX-License-Identifier: Apache-2.0

// Package alerts_test holds the rules against promtool and against the names that there are.
package alerts_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestRules(t *testing.T) {
	promtool(t, append([]string{"check", "rules", "--lint=all", "--lint-fatal"}, glob(t, "*.rules.yml")...)...)
}

func TestRulesDoWhatTheyShould(t *testing.T) {
	t.Parallel()
	tests := glob(t, "tests/*.test.yml")
	promtool(t, append([]string{"test", "rules"}, tests...)...)

	var all strings.Builder
	for _, path := range tests {
		all.WriteString(read(t, path))
	}
	for _, path := range glob(t, "*.rules.yml") {
		for _, name := range recorded.FindAllStringSubmatch(read(t, path), -1) {
			if !strings.Contains(all.String(), "expr: "+name[1]+"\n") {
				t.Errorf("%s: %s is not tested", path, name[1])
			}
		}
	}
}

// TestOldNamesComeFromOurs: what a legacy rule asks for exists, what it records is an old name that docs/migration.md tells.
func TestOldNamesComeFromOurs(t *testing.T) {
	ours, migration := documented(t), read(t, "../docs/migration.md")
	for _, path := range glob(t, "legacy-*.rules.yml") {
		text := read(t, path)
		var old []string
		for _, name := range recorded.FindAllStringSubmatch(text, -1) {
			old = append(old, name[1])
			if slices.Contains(ours, name[1]) {
				t.Errorf("%s records %s, which is one of ours", path, name[1])
			}
			if !strings.Contains(migration, "| `"+name[1]+"` **r** |") {
				t.Errorf("docs/migration.md does not say that %s records %s", path, name[1])
			}
		}
		for _, name := range ourName.FindAllString(comment.ReplaceAllString(text, ""), -1) {
			if !slices.Contains(ours, name) && !slices.Contains(old, name) {
				t.Errorf("%s asks for %s, which docs/metrics.md does not have", path, name)
			}
		}
	}
}

// TestMigration: the column of ours has names of ours, and what is marked as recorded is recorded.
func TestMigration(t *testing.T) {
	ours, migration := documented(t), read(t, "../docs/migration.md")
	var rules strings.Builder
	for _, path := range glob(t, "legacy-*.rules.yml") {
		rules.WriteString(read(t, path))
		if !strings.Contains(migration, "- "+path) {
			t.Errorf("docs/migration.md does not name %s", path)
		}
	}
	rows := row.FindAllStringSubmatch(migration, -1)
	if len(rows) < 50 {
		t.Fatalf("docs/migration.md has %d rows: the test no longer reads its tables", len(rows))
	}
	for _, cells := range rows {
		for _, name := range ourName.FindAllString(cells[2], -1) {
			if !slices.Contains(ours, name) {
				t.Errorf("docs/migration.md sends people to %s, which docs/metrics.md does not have", name)
			}
		}
		if name := marked.FindStringSubmatch(cells[1]); name != nil && !strings.Contains(rules.String(), "record: "+name[1]+"\n") {
			t.Errorf("docs/migration.md says that %s is recorded: it is not", name[1])
		}
	}
}

func TestMigrationShowsAConfigThatPrometheusReads(t *testing.T) {
	_, config, ok := strings.Cut(read(t, "../docs/migration.md"), "```yaml\nscrape_configs:")
	config, _, closed := strings.Cut(config, "```")
	if !ok || !closed {
		t.Fatal("docs/migration.md shows no scrape_configs")
	}
	path := filepath.Join(t.TempDir(), "prometheus.yml")
	if err := os.WriteFile(path, []byte("scrape_configs:"+config), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "config", path)
}

var (
	recorded = regexp.MustCompile(`(?m)^ *- record: (\w+)$`)
	comment  = regexp.MustCompile(`(?m)^ *#.*$`)
	ourName  = regexp.MustCompile(`\b(?:ejabberd|probe)_[a-z0-9_]+`)
	row      = regexp.MustCompile(`(?m)^\| (.*) \| (.*) \| .* \|$`)
	marked   = regexp.MustCompile("`(\\w+)` \\*\\*r\\*\\*")
	inTable  = regexp.MustCompile("(?m)^\\| `(\\w+)` \\|")
)

// documented are our names, as docs/metrics.md has them.
func documented(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, name := range inTable.FindAllStringSubmatch(read(t, "../docs/metrics.md"), -1) {
		names = append(names, name[1])
	}
	return names
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no %s: %v", pattern, err)
	}
	return paths
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func promtool(t *testing.T, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("promtool"); err != nil && os.Getenv("REQUIRE_SERVERS") == "" {
		t.Skip("no promtool: scripts/install-servers installs it, with Prometheus")
	}
	cmd := exec.Command("promtool", args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", cmd, err, out)
	}
}
