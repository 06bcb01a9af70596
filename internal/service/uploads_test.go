// SPDX-License-Identifier: Apache-2.0

package service

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// layout is where ejabberd puts a file below the docroot of a vhost.
var layout = regexp.MustCompile(`^[0-9a-f]{40}/[0-9A-Za-z]{40}/[^/]+$`)

func checkUploads(t *testing.T, s *Service, vhost string) {
	t.Helper()
	docroot := filepath.Join(s.Ejabberd.Config.UploadDir, vhost)
	var files, expired int
	var bytes int64
	err := filepath.WalkDir(docroot, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if below, err := filepath.Rel(docroot, path); err != nil || !layout.MatchString(below) {
			t.Errorf("%s is not where ejabberd would have put it", below)
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		files++
		bytes += info.Size()
		if time.Since(info.ModTime()) > time.Duration(s.Ejabberd.Config.MaxDays)*day {
			expired++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wantFiles, wantBytes, wantExpired := s.Truth.Uploads(vhost, s.Ejabberd.Config.MaxDays)
	if files != wantFiles || bytes != wantBytes || expired != wantExpired {
		t.Errorf("%d files, %d bytes, %d expired on disk, want %d, %d, %d", files, bytes, expired, wantFiles, wantBytes, wantExpired)
	}
	if files == 0 || expired == 0 {
		t.Error("a vhost without files or without expired ones proves nothing")
	}
}
