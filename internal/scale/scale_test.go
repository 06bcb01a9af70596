// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"context"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// TestStands builds a thousandth of the service, and finds it again.
func TestStands(t *testing.T) {
	service.Require(t)
	dir, err := os.MkdirTemp("", "scale-") // the servers' accounts may not enter t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for _, again := range []bool{false, true} {
		var said strings.Builder
		s, err := Open(ctx, dir, 0.001, slog.New(slog.NewTextHandler(&said, nil)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Stop)
		if built := strings.Contains(said.String(), "msg=built"); built == again {
			t.Errorf("again %t, but built %t", again, built)
		}
		if err := s.LogIn(ctx, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		s.verify(ctx, t)
		s.Stop()
	}
}

// verify holds what there is against the size.
func (s *Service) verify(ctx context.Context, t *testing.T) {
	t.Helper()
	for sql, want := range map[string]int{
		"SELECT count(*) FROM users WHERE username LIKE 'person-%'":                                             s.Accounts,
		"SELECT count(*) FROM last WHERE username LIKE 'person-%'":                                              s.Accounts,
		"SELECT count(*) FROM users WHERE server_host = '" + Domains[2] + "'":                                   s.Accounts / 50,
		"SELECT count(*) FROM archive":                                                                          s.Archive,
		"SELECT count(*) FROM spool":                                                                            s.Spool,
		"SELECT count(*) FROM archive NATURAL JOIN (SELECT DISTINCT username, server_host FROM users) AS owner": s.Archive,
	} {
		if n, err := s.Database.Count(ctx, sql); err != nil || n != int64(want) {
			t.Errorf("%s: %d, %v, want %d", sql, n, err, want)
		}
	}
	files, accounts := 0, 0
	for _, docroot := range s.Docroots {
		err := filepath.WalkDir(docroot, func(path string, e fs.DirEntry, err error) error {
			if err == nil && e.Type().IsRegular() {
				files++
			}
			if err == nil && filepath.Dir(path) == docroot {
				accounts++
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	if files != s.Files || accounts != s.Uploaders {
		t.Errorf("%d files of %d accounts, want %d of %d", files, accounts, s.Files, s.Uploaders)
	}
	var sessions struct {
		N int `json:"num_sessions"`
	}
	if err := s.Ejabberd.Call(ctx, "connected_users_number", nil, &sessions); err != nil || sessions.N != s.Sessions {
		t.Errorf("%d sessions, %v, want %d", sessions.N, err, s.Sessions)
	}
}
