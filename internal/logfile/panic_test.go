// SPDX-License-Identifier: Apache-2.0

package logfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAPanicIsTold: a line that nobody thought of ends the counting, not the exporter; numbers that may lack lines are not told any more.
func TestAPanicIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ejabberd.log")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := New()
	f.Point(path)
	f.counts = nil // whoever counts panics
	if err := os.WriteFile(path, []byte("2026-11-24 03:00:35.394778+00:00 [warning] <0.593.0>@a:b/3:280 juliet\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := f.Counts(); err == nil || !strings.HasPrefix(err.Error(), "panic at logfile.") || strings.Contains(err.Error(), "juliet") {
			t.Errorf("got %v", err)
		}
	}
	f.Point("") // with nothing to close
}
