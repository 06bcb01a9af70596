// SPDX-License-Identifier: Apache-2.0

package house

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	// proof is how SECURITY.md names a test: exactly one, by anchors, in one package; a subtest may follow.
	proof = regexp.MustCompile("^`go test -count=1 -run '\\^(Test\\w+)\\$(?:/\\^(\\w+)\\$)?' \\./(\\S+)`$")
	// claim is a row of its tables.
	claim = regexp.MustCompile(`(?m)^\| (.+?) \| (.+?) \|$`)
)

// TestClaimsHaveTests: a row of the threat model whose test was renamed away would prove nothing and still exit 0.
func TestClaimsHaveTests(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "\n## Every claim, and the command that tries it\n")
	if !found {
		t.Fatal("SECURITY.md has no list of claims")
	}
	sources := map[string]string{} // the tests of each directory
	for _, f := range files(t) {
		if strings.HasSuffix(f.path, "_test.go") {
			sources[filepath.Dir(f.path)] += f.text
		}
	}
	rows := 0
	for _, row := range claim.FindAllStringSubmatch(table, -1) {
		if row[1] == "claim" {
			continue
		}
		rows++
		m := proof.FindStringSubmatch(row[2])
		switch {
		case m == nil:
			t.Errorf("%s\nis to be tried with %s: want `go test -count=1 -run '^TestName$' ./package`", row[1], row[2])
		case !strings.Contains(sources[m[3]], "\nfunc "+m[1]+"(t *testing.T) {"):
			t.Errorf("%s\nis to be tried with %s, which %s does not have", row[1], m[1], m[3])
		case m[2] != "" && !strings.Contains(sources[m[3]], `t.Run("`+m[2]+`", `):
			t.Errorf("%s\nis to be tried with %s/%s, which %s does not have", row[1], m[1], m[2], m[3])
		}
	}
	if rows < 40 {
		t.Errorf("%d claims were found: this test looks for the wrong thing", rows)
	}
}
