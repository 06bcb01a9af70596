// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

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
