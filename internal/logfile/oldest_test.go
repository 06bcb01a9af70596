// SPDX-License-Identifier: Apache-2.0

package logfile_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/logfile"
)

func TestOldest(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ejabberd.log")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	oldest := func(want string) {
		t.Helper()
		got, err := logfile.Oldest(path)
		if err != nil {
			t.Fatal(err)
		}
		if clock(got) != want {
			t.Errorf("the oldest line is of %q, want %q", clock(got), want)
		}
	}
	oldest("")
	write("ejabberd.log", "")
	oldest("")
	write("ejabberd.log", "a rest of what was cut off\n"+failed)
	oldest("03:00:35")
	write("ejabberd.log.1", strings.Replace(failed, "03:00:35", "02:00:35", 1)+failed)
	write("error.log", strings.Replace(failed, "03:00:35", "00:00:35", 1)) // another log
	oldest("02:00:35")
	var compressed bytes.Buffer
	w := gzip.NewWriter(&compressed)
	_, _ = w.Write([]byte(strings.Replace(failed, "03:00:35", "01:00:35", 1)))
	_ = w.Close()
	write("ejabberd.log.2.gz", compressed.String())
	oldest("01:00:35")

	write("ejabberd.log.3.gz", "no gzip "+failed)
	if _, err := logfile.Oldest(path); !errors.Is(err, gzip.ErrHeader) || strings.Contains(err.Error(), dir) || strings.Contains(err.Error(), "canary") {
		t.Errorf("a file that is not what it says: %v", err)
	}
}

// TestPacked: the age of what is not read here is unknown, and the oldest of the others is not the oldest.
func TestPacked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ejabberd.log")
	for name, text := range map[string]string{path: failed, path + ".1.xz": "\xfd7zXZ"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if at, err := logfile.Oldest(path); !errors.Is(err, logfile.ErrPacked) {
		t.Errorf("%v, %v", at, err)
	}
}
