// SPDX-License-Identifier: Apache-2.0

package house

import (
	"regexp"
	"strings"
	"testing"
)

var (
	makeTarget = regexp.MustCompile(`(?m)^([a-z][a-z-]*):`)
	// makeCall finds `make x` in prose, and lines of a shell that begin with make.
	makeCall = regexp.MustCompile("(?m)(?:`|^[ \t]*(?:\\$ |sudo )?)make ([a-z][a-z-]*)")
)

// TestMakeTargets holds what the documents and CI call against what the Makefile has.
func TestMakeTargets(t *testing.T) {
	targets := map[string]bool{}
	var readers []file
	for _, f := range files(t) {
		switch {
		case f.path == "Makefile":
			for _, m := range makeTarget.FindAllStringSubmatch(f.text, -1) {
				targets[m[1]] = true
			}
		case strings.HasSuffix(f.path, ".md"), strings.HasPrefix(f.path, ".ci/"), strings.HasPrefix(f.path, "scripts/"):
			readers = append(readers, f)
		}
	}
	called := 0
	for _, f := range readers {
		for _, m := range makeCall.FindAllStringSubmatch(f.text, -1) {
			called++
			if !targets[m[1]] {
				t.Errorf("%s calls make %s, which the Makefile does not have", f.path, m[1])
			}
		}
	}
	if called == 0 {
		t.Error("no document calls make: this test looks for the wrong thing")
	}
}
