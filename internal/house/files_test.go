// SPDX-License-Identifier: Apache-2.0

package house

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// file is a file that git knows, or is about to: new ones count as well, ignored ones do not.
type file struct{ path, text string }

// rule is something that every file keeps to. broken says how it is broken, "" if it is not; example is a file that breaks it.
type rule struct {
	name    string
	broken  func(file) string
	example file
}

var rules = []rule{
	{
		name: "licence line",
		broken: func(f file) string {
			if isGo(f) && !strings.HasPrefix(f.text, "// SPDX-License-Identifier: Apache-2.0\n\n") {
				return "begins with the line // SPDX-License-Identifier: Apache-2.0, then an empty one"
			}
			return ""
		},
		example: file{"probes/c2s.go", "package probes\n"},
	},
	{
		name: "size",
		broken: func(f file) string {
			if n := strings.Count(f.text, "\n"); isGo(f) && n > 400 {
				return fmt.Sprintf("has %d lines: above 400 a file is about two things, split it by theme", n)
			}
			return ""
		},
		example: file{"probes/c2s.go", strings.Repeat("\n", 401)},
	},
	{
		name: "telling names",
		broken: func(f file) string {
			if name := vagueName.FindString(f.path); name != "" {
				return strings.Trim(name, "/") + " says nothing: name it after what it is about"
			}
			return ""
		},
		example: file{"internal/xmpp/helpers_test.go", ""},
	},
	{
		name: "no init",
		broken: func(f file) string {
			if isGo(f) && initFunc.MatchString(f.text) {
				return "has a function init: what exists is listed in All, not registered on the side"
			}
			return ""
		},
		example: file{"collector/s2s.go", "func init() {\n"},
	},
	{
		name: "no sleep in tests",
		broken: func(f file) string {
			if strings.HasSuffix(f.path, "_test.go") && sleep.MatchString(f.text) && !strings.Contains(f.text, `"testing/synctest"`) {
				return "sleeps: wait for what you wait for, or let testing/synctest pass the time"
			}
			return ""
		},
		example: file{"collector/flight_test.go", "\ttime.Sleep" + "(time.Second)\n"},
	},
	{
		name: "no paths of one machine",
		broken: func(f file) string {
			for _, dir := range privatePaths() {
				if strings.Contains(f.text, dir) {
					return "names " + dir + ", which exists on one machine only"
				}
			}
			return ""
		},
		example: file{"README.md", "cd " + privatePaths()[0] + " && make"},
	},
}

var (
	vagueName = regexp.MustCompile(`(?:^|/)(?:utils?|helpers?|common|misc|lib)(?:_[a-z0-9_]+)?(?:/|\.go$)`)
	sleep     = regexp.MustCompile(`(?m)^[^"/]*\btime\.Sleep\(`)
	initFunc  = regexp.MustCompile(`(?m)^func init\(\)`)
)

// privatePaths are this checkout, the directory above it and the home directory, as far as they are private to this machine.
func privatePaths() []string {
	checkout, err := filepath.Abs(root)
	if err != nil {
		panic(err)
	}
	paths := []string{checkout + "/"}
	home, _ := os.UserHomeDir()
	for _, dir := range []string{filepath.Dir(checkout), home} {
		if !slices.Contains([]string{"", "/", "/root", "/src", "/usr/src", "/home", filepath.Clean(os.TempDir())}, dir) {
			paths = append(paths, dir+"/")
		}
	}
	return paths
}

func TestFiles(t *testing.T) {
	all := files(t)
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			if r.broken(r.example) == "" {
				t.Errorf("the rule does not see that %s breaks it", r.example.path)
			}
			for _, f := range all {
				if how := r.broken(f); how != "" {
					t.Errorf("%s %s", f.path, how)
				}
			}
		})
	}
}

func TestPackageDocs(t *testing.T) {
	for _, pkg := range packages(t) {
		if len(pkg.GoFiles) > 0 && pkg.Doc == "" {
			t.Errorf("%s has no package comment: say in a sentence what the room is for", pkg.ImportPath)
		}
	}
}

func isGo(f file) bool { return filepath.Ext(f.path) == ".go" }

// files reads what belongs to the repository.
func files(t *testing.T) []file {
	t.Helper()
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	list.Stderr = t.Output()
	out, err := list.Output()
	if err != nil {
		t.Skip("not a git checkout: what belongs to the repository cannot be told")
	}
	var all []file
	for path := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join(root, path))
		if os.IsNotExist(err) {
			continue // deleted, not yet committed
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, file{path, string(text)})
	}
	return all
}
