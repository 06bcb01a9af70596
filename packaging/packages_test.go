// SPDX-License-Identifier: Apache-2.0

// Package packaging_test builds the packages and looks at them.
package packaging_test

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPackages builds everything for one architecture, twice, from two directories.
func TestPackages(t *testing.T) {
	if os.Getenv("TEST_PACKAGES") == "" {
		t.Skip("builds for more than a minute: make check-packages")
	}
	first, second := filepath.Join(t.TempDir(), "dist"), filepath.Join(t.TempDir(), "dist")
	build(t, "..", first)
	build(t, elsewhere(t), second)
	names := list(t, first)
	if elsewhere := list(t, second); !slices.Equal(names, elsewhere) || len(names) != 8 {
		t.Fatalf("built %v, and from another directory %v", names, elsewhere)
	}
	for _, name := range names {
		if !bytes.Equal(read(t, first, name), read(t, second, name)) {
			t.Errorf("%s is not the same when it is built in another directory", name)
		}
	}
	run(t, first, "sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS")
	if sums := string(read(t, first, "SHA256SUMS")); strings.Count(sums, "\n") != len(names)-1 {
		t.Errorf("SHA256SUMS does not name every file:\n%s", sums)
	}
	debs := glob(t, first, "*.deb")
	run(t, first, "lintian", append([]string{"--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0"}, debs...)...)
	root := filepath.Join(t.TempDir(), "root")
	for _, deb := range debs {
		run(t, first, "dpkg-deb", "-x", deb, root)
	}
	t.Run("programs", func(t *testing.T) { lookAtPrograms(t, root) })
	t.Run("papers", func(t *testing.T) { lookAtPapers(t, root, first) })
	t.Run("conffiles", func(t *testing.T) {
		var all []string
		for _, deb := range debs {
			all = append(all, strings.Fields(run(t, first, "dpkg-deb", "-I", deb, "conffiles"))...)
		}
		if want := []string{"/etc/default/ejabberd_exporter", "/etc/nagios-plugins/config/xmpp.cfg"}; !slices.Equal(all, want) {
			t.Errorf("conffiles are %v, want %v", all, want)
		}
	})
	t.Run("rpm", func(t *testing.T) { lookAtRPMs(t, first, root) })
}

// lookAtPrograms: every program of the source is there, static, and has a manual page and completions.
func lookAtPrograms(t *testing.T, root string) {
	sources := glob(t, "../cmd", "*")
	for _, name := range sources {
		path := filepath.Join(root, "usr/bin", name)
		switch {
		case name == "xmpp_plugins":
			continue // is behind the names of the plugins
		case strings.HasPrefix(name, "check_"):
			path = filepath.Join(root, "usr/lib/nagios/plugins", name)
		}
		said, _ := exec.CommandContext(t.Context(), path, "--version").Output() // a plugin exits with 3
		if !strings.Contains(string(said), "1.2.3-rc1") || !strings.Contains(string(said), name) {
			t.Errorf("%s --version says %q", path, said)
		}
		run(t, root, "mandoc", "-Tlint", "-Wwarning", filepath.Join("usr/share/man/man1", name+".1.gz"))
		completion := filepath.Join("usr/share/bash-completion/completions", name)
		// The shell knows the words of the program after it has read the file.
		words := run(t, root, "bash", "-c", `. "$1" && complete -p "$2"`, "bash", completion, name)
		if !strings.Contains(words, name) || !strings.Contains(string(read(t, root, "usr/share/zsh/vendor-completions/_"+name)), "#compdef "+name) {
			t.Errorf("%s is not completed: %s", name, words)
		}
	}
	run(t, root, "mandoc", "-Tlint", "-Wwarning", "usr/share/man/man8/ejabberd-exporter-check.8.gz")
	for _, pattern := range []string{"../dashboards/*.json", "../alerts/*.rules.yml"} {
		for _, path := range glob(t, ".", pattern) {
			if _, err := os.Stat(filepath.Join(root, "usr/share/ejabberd-exporter", strings.TrimPrefix(path, "../"))); err != nil {
				t.Error(err)
			}
		}
	}
}

// lookAtPapers: whoever's work is in a program is named in its package, and in its SBOM.
func lookAtPapers(t *testing.T, root, dist string) {
	for program, pack := range map[string]string{"usr/bin/ejabberd_exporter": "ejabberd-exporter", "usr/lib/monitoring-plugins-xmpp/xmpp_plugins": "monitoring-plugins-xmpp"} {
		info, err := buildinfo.ReadFile(filepath.Join(root, program))
		if err != nil {
			t.Fatal(err)
		}
		var sbom struct {
			Components []struct{ Name, Version string }
		}
		if err := json.Unmarshal(read(t, dist, filepath.Base(program)+"-1.2.3-rc1.cdx.json"), &sbom); err != nil {
			t.Fatal(err)
		}
		copyright := string(read(t, root, "usr/share/doc/"+pack+"/copyright"))
		for _, module := range info.Deps {
			if !strings.Contains(copyright, "\nFiles: "+module.Path+"/*\n") || !strings.Contains(copyright, "\nComment: version "+module.Version+"\n") {
				t.Errorf("%s is in %s, but not in its copyright", module.Path, program)
			}
			if !slices.Contains(sbom.Components, struct{ Name, Version string }{module.Path, module.Version}) {
				t.Errorf("%s %s is in %s, but not in its SBOM", module.Path, module.Version, program)
			}
		}
		if len(info.Deps) == 0 {
			t.Errorf("%s has no modules: this test looks for the wrong thing", program)
		}
	}
}

// lookAtRPMs: they hold the same files, but for what lies elsewhere there.
func lookAtRPMs(t *testing.T, dist, root string) {
	there := run(t, dist, "rpm", append([]string{"-qlp"}, glob(t, dist, "*.rpm")...)...)
	debian := strings.NewReplacer("/usr/share/zsh/vendor-completions/", "/usr/share/zsh/site-functions/", "/etc/nagios-plugins/config/xmpp.cfg", "/etc/nagios/conf.d/xmpp-commands.cfg")
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		name := debian.Replace(strings.TrimPrefix(path, root))
		switch {
		case err != nil || entry.IsDir() || strings.HasPrefix(name, "/usr/share/lintian/") || strings.HasSuffix(name, "/changelog.Debian.gz"):
			return err
		case !strings.Contains(there, name+"\n"):
			t.Errorf("no .rpm has %s", name)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for _, name := range []string{"/usr/lib64/nagios/plugins/check_xmpp_c2s", "/usr/lib/systemd/system/ejabberd-exporter.service"} {
		if !strings.Contains(there, name+"\n") {
			t.Errorf("no .rpm has %s", name)
		}
	}
}

// build makes the packages of amd64 from the source in dir. The version shows what becomes of one that is not a release.
func build(t *testing.T, dir, dist string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "packaging/build", dist, "amd64")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "VERSION=v1.2.3-rc1", "REVISION=0123456789abcdef", "SOURCE_DATE_EPOCH=1760000000")
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("packaging/build: %v\n%s", err, out)
	}
}

// elsewhere is another directory with the same source, and the tools that are built already.
func elsewhere(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "another checkout")
	run(t, "..", "bash", "-ec", `mkdir "$1" && git ls-files -z --cached --others --exclude-standard | while IFS= read -rd '' file; do [ ! -e "$file" ] || cp --parents -a "$file" "$1"; done
mkdir "$1/bin" && ln -s "$PWD/bin/tools" "$1/bin/tools" && cd "$1" && git init -q && git add -A`, "bash", dir)
	return dir
}

func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", cmd, err, out)
	}
	return string(out)
}

func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func list(t *testing.T, dir string) []string { return glob(t, dir, "*") }

// glob lists what matches in dir, by its name there.
func glob(t *testing.T, dir, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("nothing matches %s in %s (%v)", pattern, dir, err)
	}
	for i := range paths {
		if dir != "." {
			paths[i] = filepath.Base(paths[i])
		}
	}
	return paths
}
