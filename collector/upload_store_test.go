// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// TestTheOldestUploadIsKnownOfAllOrNot: the oldest of what could be seen would look like the oldest of all.
func TestTheOldestUploadIsKnownOfAllOrNot(t *testing.T) {
	dir := t.TempDir()
	seen, other := filepath.Join(dir, "seen"), filepath.Join(dir, "other")
	for path, at := range map[string]int64{seen: 2_000_000, other: 1_000_000} {
		file := filepath.Join(path, "account", "random", "file")
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, nil, 0o600), os.Chtimes(file, time.Time{}, time.Unix(at, 0))); err != nil {
			t.Fatal(err)
		}
	}
	configured := []ejabberdconf.Upload{{Vhost: "a.example", Docroot: seen}, {Vhost: "b.example", Docroot: other}, {Vhost: "c.example", Docroot: filepath.Join(dir, "later")}}
	src := &Sources{Uploads: configured, UploadStores: UploadStores(configured, nil), Bounds: metric.Bounds{}}
	src.Bounds.Bind("vhost", 0, "a.example", "b.example", "c.example")
	oldest := func(want string) {
		t.Helper()
		out := metric.NewSet(src.Bounds)
		src.oldestUpload(out)
		if strings.TrimSpace(out.Text()) != want {
			t.Errorf("got %q, want %q", out.Text(), want)
		}
	}
	oldest("")
	walk := func() { _ = UploadTree.Collect(t.Context(), src, metric.NewSet(src.Bounds)) }
	walk()
	oldest(`ejabberd_oldest_data_timestamp_seconds{store="uploads"} 1e+06`)
	if err := os.Rename(other, other+"-away"); err != nil {
		t.Fatal(err)
	}
	walk()
	oldest("")
	if err := os.Rename(other+"-away", other); err != nil {
		t.Fatal(err)
	}
	walk()
	oldest(`ejabberd_oldest_data_timestamp_seconds{store="uploads"} 1e+06`)

	src.UploadStores = UploadStores(configured[2:], nil)
	walk()
	if found, all := src.walked(); all {
		t.Errorf("%v of directories that are all missing, or gone", found)
	}
}

// TestADirectoryThatIsNotMadeYet: ejabberd makes a vhost's directory with the first upload there.
func TestADirectoryThatIsNotMadeYet(t *testing.T) {
	dir := t.TempDir()
	there, later := filepath.Join(dir, "there"), filepath.Join(dir, "later")
	if err := os.Mkdir(there, 0o755); err != nil {
		t.Fatal(err)
	}
	configured := []ejabberdconf.Upload{{Vhost: "a.example", Docroot: there}, {Vhost: "b.example", Docroot: later}}
	src := &Sources{Uploads: configured, UploadStores: UploadStores(configured, nil), Bounds: metric.Bounds{}}
	src.Bounds.Bind("vhost", 0, "a.example", "b.example")
	collect := func(want string, wantErr error) {
		t.Helper()
		for _, d := range []Definition{UploadTree, UploadFilesystem} {
			out := metric.NewSet(src.Bounds)
			if err := d.Collect(t.Context(), src, out); !errors.Is(err, wantErr) {
				t.Fatalf("%s: %v, want %v", d.Name, err, wantErr)
			}
			if d.Name == "uploads" && wantErr == nil {
				var files strings.Builder
				for line := range strings.Lines(out.Text()) {
					if strings.HasPrefix(line, "ejabberd_upload_files{") {
						files.WriteString(line)
					}
				}
				if files.String() != want {
					t.Errorf("got\n%s\nwant\n%s", files.String(), want)
				}
			}
		}
	}
	only := "ejabberd_upload_files{vhost=\"a.example\"} 0\n"
	collect(only, nil)
	if err := os.Mkdir(later, 0o755); err != nil {
		t.Fatal(err)
	}
	collect(only+"ejabberd_upload_files{vhost=\"b.example\"} 0\n", nil)
	if err := os.Remove(later); err != nil {
		t.Fatal(err)
	}
	collect("", fs.ErrNotExist) // gone again
	src.UploadStores = UploadStores(configured[1:], nil)
	collect("", fs.ErrNotExist) // none at all
}

// TestASharedDirectory: each vhost's sweep deletes the files of all, so the shortest retention is that of the directory.
func TestASharedDirectory(t *testing.T) {
	upload := func(vhost string, days int, quota int64) ejabberdconf.Upload {
		return ejabberdconf.Upload{Vhost: vhost, Docroot: "/uploads", Retention: time.Duration(days) * 24 * time.Hour, SoftQuota: quota, HardQuota: quota}
	}
	stores := UploadStores([]ejabberdconf.Upload{upload("a.example", 0, 5), upload("b.example", 30, 5), upload("c.example", 90, 5)}, nil)
	if s := stores[0]; len(stores) != 1 || s.limits.Retention != 30*24*time.Hour || s.limits.HardQuota != 5 || s.quotasDiffer {
		t.Errorf("%d stores, limits %+v, quotas differ: %t", len(stores), s.limits, s.quotasDiffer)
	}
	stores = UploadStores([]ejabberdconf.Upload{upload("a.example", 0, 5), upload("b.example", 0, 0)}, nil)
	if s := stores[0]; s.limits.Retention != 0 || s.limits.HardQuota != 0 || !s.quotasDiffer {
		t.Errorf("limits %+v, quotas differ: %t", s.limits, s.quotasDiffer)
	}
}
