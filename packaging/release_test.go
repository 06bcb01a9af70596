// SPDX-License-Identifier: Apache-2.0

package packaging_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReleaseRefuses: nothing is built of what would not be what it says.
func TestReleaseRefuses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "clone")
	if out, err := exec.CommandContext(t.Context(), "git", "clone", "--quiet", "--shared", "..", dir).CombinedOutput(); err != nil {
		t.Skipf("not a git checkout: %s", out)
	}
	script, err := filepath.Abs("release")
	if err != nil {
		t.Fatal(err)
	}
	run(t, dir, "cp", script, "packaging/release")
	git := func(args ...string) {
		run(t, dir, "git", append([]string{"-c", "user.name=Test", "-c", "user.email=test@example.org"}, args...)...)
	}
	git("add", "--all")
	git("commit", "--quiet", "--allow-empty", "-m", "the script as it is")
	write := func(changelog string) {
		if err := os.WriteFile(filepath.Join(dir, "CHANGELOG.md"), []byte(changelog), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(version, why string) {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), filepath.Join(dir, "packaging/release"), version, filepath.Join(dir, "dist")).CombinedOutput()
		if err == nil || !strings.Contains(string(out), why) {
			t.Errorf("release %q: %v, %s\nwant %q", version, err, out, why)
		}
	}
	refused("", "say which version")
	refused("3b1f2ac-dirty", "say which version")
	refused("99.0.0", "CHANGELOG.md has no section '## [99.0.0] - ")
	write("## [Unreleased]\n\n- something more\n\n## [99.0.0] - 2026-12-01\n\n- something\n")
	refused("99.0.0", "commit or discard first")
	git("commit", "--quiet", "--all", "-m", "changelog")
	refused("99.0.0", "CHANGELOG.md still has something under [Unreleased]: - something more")
	write("## [Unreleased]\n\n## [99.0.0]\n\n- something\n")
	git("commit", "--quiet", "--all", "-m", "changelog")
	refused("99.0.0", "CHANGELOG.md has no section '## [99.0.0] - ")
	git("tag", "v99.0.0", "HEAD~1")
	refused("99.0.0", "v99.0.0 is another commit already")
	if _, err := os.Stat(filepath.Join(dir, "dist")); err == nil {
		t.Error("something was built")
	}
}
