// SPDX-License-Identifier: Apache-2.0

package logfile_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/logfile"
)

// TestReadReloads reads what a real ejabberd wrote.
func TestReadReloads(t *testing.T) {
	got, err := logfile.ReadReloads("testdata/23.01/ejabberd.log")
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2026, 11, 24, 3, 18, 23, 941802000, time.UTC); !got.Last.Equal(want) || !got.Since.Before(want) {
		t.Errorf("since %v, last reload %v, want %v", got.Since, got.Last, want)
	}
}

func TestReadReloadsOfOtherLogs(t *testing.T) {
	const reload = "2026-11-24 03:18:23.000000+00:00 [info] <0.629.0>@ejabberd_config:reload/0:115 Configuration reloaded successfully\n"
	for name, c := range map[string]struct{ text, since, last string }{
		"nothing":          {},
		"no reload":        {failed, "03:00:35", ""},
		"no time":          {"Configuration reloaded successfully\n", "", ""},
		"a quotation":      {head + "somebody says Configuration reloaded successfully\n", "03:00:35", ""},
		"not yet finished": {failed + strings.TrimSuffix(reload, "\n"), "03:00:35", ""},
		"the last of many": {strings.Repeat(failed, 300_000) + strings.Replace(reload, ":23.", ":01.", 1) + reload, "03:00:35", "03:18:23"},
	} {
		t.Run(name, func(t *testing.T) {
			l := &log{T: t, path: filepath.Join(t.TempDir(), "ejabberd.log")}
			l.write(c.text)
			got, err := logfile.ReadReloads(l.path)
			if err != nil {
				t.Fatal(err)
			}
			if since, last := clock(got.Since), clock(got.Last); since != c.since || last != c.last {
				t.Errorf("since %q, last %q, want %q and %q", since, last, c.since, c.last)
			}
		})
	}
	if _, err := logfile.ReadReloads(filepath.Join(t.TempDir(), "canary.log")); !errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), "canary") {
		t.Errorf("a log that is not there: %v", err)
	}
}

func clock(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.TimeOnly)
}
