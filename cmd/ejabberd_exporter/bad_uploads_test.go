// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/service"
)

// fromUploads are the collectors that look at the upload directory.
var fromUploads = from(collector.Uploads)

// TestDirectoriesWithABadDay: what lies where the upload directory should.
func TestDirectoriesWithABadDay(t *testing.T) {
	t.Parallel()
	const remedy = "check docroot of mod_http_upload, or set it with --upload.docroot"
	for name, c := range map[string]struct {
		make  func(docroot string) error
		files float64 // found, where it can be read
		fails bool
	}{
		"nothing":      {func(string) error { return nil }, 0, true},
		"a file":       {func(docroot string) error { return os.WriteFile(docroot, nil, 0o600) }, 0, true},
		"a dead link":  {func(docroot string) error { return os.Symlink(docroot+"-elsewhere", docroot) }, 0, true},
		"an empty one": {func(docroot string) error { return os.Mkdir(docroot, 0o755) }, 0, false},
		"a link to it": {func(docroot string) error {
			layFile(t, docroot+"-elsewhere/account/a")
			return os.Symlink(docroot+"-elsewhere", docroot)
		}, 1, false},
		"a link below": {func(docroot string) error {
			layFile(t, docroot+"/account/a")
			return os.Symlink("account", docroot+"/again")
		}, 1, false},
		"a link upwards": {func(docroot string) error {
			layFile(t, docroot+"/account/a")
			return os.Symlink("..", docroot+"/account/up")
		}, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			docroot := filepath.Join(t.TempDir(), "up")
			if err := c.make(docroot); err != nil {
				t.Fatal(err)
			}
			d := serve(t, "--ejabberd.config="+file(t, "ejabberd.yml", uploadsIn(docroot)))
			if c.fails {
				d.failing(t, of(remedy, fromUploads...))
				return
			}
			page := d.failing(t, nil)
			want(t, page, map[string]float64{`ejabberd_upload_files{vhost="chapril.test"}`: c.files, `ejabberd_upload_scan_errors{vhost="chapril.test"}`: 0})
		})
	}
}

// TestDirectoryComesAndGoes: ejabberd makes it with the first upload; until then it is unknown, not empty.
func TestDirectoryComesAndGoes(t *testing.T) {
	t.Parallel()
	docroot := filepath.Join(t.TempDir(), "up")
	d := serve(t, "--ejabberd.config="+file(t, "ejabberd.yml", uploadsIn(docroot)))
	d.failing(t, of("ejabberd makes it with the first upload", fromUploads...))
	layFile(t, filepath.Join(docroot, "account", "a"))
	d.recovers(t, 40*time.Second, fromUploads...)
	want(t, d.scrape(t, scrapeTimeout), map[string]float64{`ejabberd_upload_files{vhost="chapril.test"}`: 1})
}

// TestFilesVanishDuringTheWalk: ejabberd's sweep and quota delete while we look. What vanished was not there; that is no error.
func TestFilesVanishDuringTheWalk(t *testing.T) {
	t.Parallel()
	docroot := t.TempDir()
	for i := range 20 {
		layFile(t, filepath.Join(docroot, fmt.Sprint("stays-", i), "a"))
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				account := filepath.Join(docroot, fmt.Sprint("goes-", i%100))
				layFile(t, filepath.Join(account, "a"))
				if i%2 == 1 {
					_ = os.RemoveAll(filepath.Join(docroot, fmt.Sprint("goes-", (i+50)%100)))
				}
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	config := file(t, "ejabberd.yml", uploadsIn(docroot))
	for range 20 {
		exit, page, log := once(t, "--ejabberd.config="+config)
		if exit != 0 || strings.Contains(log, "failed") {
			t.Errorf("exit %d:\n%s", exit, log)
		}
		want(t, page, map[string]float64{`ejabberd_upload_scan_errors{vhost="chapril.test"}`: 0})
		if n, ok := number(page, `ejabberd_upload_files{vhost="chapril.test"}`); !ok || n < 20 || n > 120 {
			t.Errorf("%v files, want the 20 that stay and at most 100 that come and go", n)
		}
		noSecrets(t, page, log)
	}
}

// layFile lays a file where ejabberd would put it.
func layFile(t *testing.T, dir string) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file-"+service.Canary), []byte("1234567890"), 0o600); err != nil {
		t.Error(err)
	}
}
