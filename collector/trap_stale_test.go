// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestNewest: an included file counts as the main one does, and one that is hidden may be the newest.
func TestNewest(t *testing.T) {
	dir := t.TempDir()
	old, more, gone := filepath.Join(dir, "ejabberd.yml"), filepath.Join(dir, "more.yml"), filepath.Join(dir, "gone", "secret.yml")
	now := time.Now().Truncate(time.Second)
	for path, written := range map[string]time.Time{old: now.Add(-time.Hour), more: now} {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, written, written); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		paths  []string
		name   string
		hidden bool
	}{
		{[]string{old}, "ejabberd.yml", false},
		{[]string{old, more}, "more.yml", false},
		{[]string{more, old}, "more.yml", false},
		{[]string{old, gone, more}, "more.yml", true},
		{[]string{gone}, "", true},
	} {
		name, written, hidden := newest(c.paths)
		if name != c.name || written.IsZero() != (name == "") || name == "more.yml" && !written.Equal(now) || (hidden != nil) != c.hidden {
			t.Errorf("%q: %s of %v, hidden: %v", c.paths, name, written, hidden)
		}
		if hidden != nil && (!strings.Contains(hidden.Error(), "secret.yml") || strings.Contains(hidden.Error(), dir)) {
			t.Errorf("it says %v", hidden)
		}
	}
}
