// SPDX-License-Identifier: Apache-2.0

package house

import (
	"path"
	"regexp"
	"strings"
	"testing"
)

// TestNothingIsForgotten: what is declared in collector and probes is named in their All, or nobody would ever see it.
func TestNothingIsForgotten(t *testing.T) {
	for _, tc := range []struct {
		room          string
		declared, all *regexp.Regexp
	}{
		{"collector", regexp.MustCompile(`(?m)^var (\w+) = Definition\{`), regexp.MustCompile(`(?sm)^var All = .*?}$`)},
		{"probes", regexp.MustCompile(`(?m)^func (\w+)\([^)]*\) \*?Probe \{`), regexp.MustCompile(`(?sm)^func All\([^)]*\) .*?}$`)},
	} {
		var declared []string
		var all string
		for _, f := range files(t) {
			if path.Dir(f.path) != tc.room || !isGo(f) || strings.HasSuffix(f.path, "_test.go") {
				continue
			}
			for _, m := range tc.declared.FindAllStringSubmatch(f.text, -1) {
				declared = append(declared, m[1])
			}
			all += tc.all.FindString(f.text)
		}
		if len(declared) == 0 || all == "" {
			t.Errorf("%s: found nothing that is declared (%v), or no All (%q)", tc.room, declared, all)
		}
		for _, name := range declared {
			if !regexp.MustCompile(`\b` + name + `\b`).MatchString(all) {
				t.Errorf("%s.%s is missing in %s.All", tc.room, name, tc.room)
			}
		}
	}
}
