// SPDX-License-Identifier: Apache-2.0

package discovery

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestDocrootsKeepTheirOrder: file systems are numbered by it, and the numbers are labels.
func TestDocrootsKeepTheirOrder(t *testing.T) {
	options := Options{
		Default:  filepath.Join(t.TempDir(), "ejabberd.yml"),
		Docroots: map[string]string{"d.test": "/d", "b.test": "/b", "c.test": "/c", "a.test": "/a"},
	}
	for range 10 {
		found, err := Discover(t.Context(), options, nil)
		if err != nil {
			t.Fatal(err)
		}
		var order []string
		for _, u := range found.Sources.Uploads {
			order = append(order, u.Docroot)
		}
		if got := strings.Join(order, " "); got != "/a /b /c /d" {
			t.Fatalf("docroots in the order %s", got)
		}
	}
}
