// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/uploads"
)

func upload(t *testing.T, docroot, account, name string) {
	t.Helper()
	dir := filepath.Join(docroot, account, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), make([]byte, 100), 0o644); err != nil {
		t.Fatal(err)
	}
}

func collectUploads(t *testing.T, stores []*UploadStore) *metric.Set {
	t.Helper()
	bounds := metric.Bounds{}
	bounds.Bind("vhost", 0, "a.test", "b.test")
	out := metric.NewSet(bounds)
	if err := UploadTree.Collect(t.Context(), &Sources{UploadStores: stores}, out); err != nil {
		t.Fatal(err)
	}
	return out
}

func wantAdded(t *testing.T, out *metric.Set, vhost string, files, bytes float64) {
	t.Helper()
	for m, want := range map[*metric.Metric]float64{uploadAddedFiles: files, uploadAddedBytes: bytes} {
		if got, ok := out.Get(m, vhost); !ok || got != want {
			t.Errorf("%s{%s} is %v (there: %v), want %v", m.Name, vhost, got, ok, want)
		}
	}
}

func TestUploadCountersOutlastADiscovery(t *testing.T) {
	docroot := t.TempDir()
	configured := []ejabberdconf.Upload{{Vhost: "a.test", Docroot: docroot}}
	stores := UploadStores(configured, nil)
	upload(t, docroot, "juliet", "1")
	wantAdded(t, collectUploads(t, stores), "a.test", 0, 0)
	upload(t, docroot, "juliet", "2")
	wantAdded(t, collectUploads(t, stores), "a.test", 1, 100)

	configured[0].HardQuota = mib
	stores = UploadStores(configured, stores)
	upload(t, docroot, "romeo", "3")
	out := collectUploads(t, stores)
	wantAdded(t, out, "a.test", 2, 200)
	if _, ok := out.Get(uploadOverQuota, "a.test", "hard"); !ok {
		t.Error("the quota of the new discovery is not used")
	}
	wantAdded(t, collectUploads(t, UploadStores(configured, nil)), "a.test", 0, 0)
}

func TestVhostsThatShareADirectory(t *testing.T) {
	docroot := t.TempDir()
	upload(t, docroot, "juliet", "1")
	stores := UploadStores([]ejabberdconf.Upload{
		{Vhost: "a.test", Docroot: docroot, SoftQuota: 1, HardQuota: 3, MaxSize: 5, Retention: time.Hour},
		{Vhost: "b.test", Docroot: docroot, SoftQuota: 2, HardQuota: 3, MaxSize: 5, Retention: time.Minute},
	}, nil)
	if len(stores) != 1 || stores[0].limits != (uploads.Limits{HardQuota: 3, MaxSize: 5}) {
		t.Fatalf("%d stores, the first with %+v", len(stores), stores[0].limits)
	}
	out := collectUploads(t, stores)
	wantAdded(t, out, metric.Shared, 0, 0)
	if n, ok := out.Get(uploadFiles, metric.Shared); !ok || n != 1 {
		t.Errorf("%v files", n)
	}
}

func TestUploadDirectory(t *testing.T) {
	for _, c := range []struct{ user, jidInURL, want string }{
		{"alice", "sha1", "2e4798cc0cb683dd6c52850c714031131f384281"},
		{"alice", "node", "alice"},
		{"a.b-c_1", "node", "a.b-c_1"},
		{"a+b\\20c", "node", "a_b_20c"},
		{"été", "node", "été"},
	} {
		if got := uploadDirectory(c.user, "chapril.org", c.jidInURL); got != c.want {
			t.Errorf("%s of %s is %s, want %s", c.jidInURL, c.user, got, c.want)
		}
	}
}
