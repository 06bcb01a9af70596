// SPDX-License-Identifier: Apache-2.0

package uploads

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestMounted(t *testing.T) {
	top := t.TempDir()
	docroot := filepath.Join(top, "uploads", "example.org")
	if err := os.MkdirAll(docroot, 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(top, "link")
	if err := os.Symlink(docroot, link); err != nil {
		t.Fatal(err)
	}
	above := filepath.Join(top, "uploads")
	for _, c := range []struct {
		name            string
		docroot         string
		wanted, present []string
		there           bool
	}{
		{"nothing wanted", docroot, []string{"/", "none"}, []string{"/"}, true},
		{"mounted", docroot, []string{"/", above}, []string{"/", above}, true},
		{"not mounted", docroot, []string{"/", above}, []string{"/"}, false},
		{"the document root itself", docroot, []string{docroot}, []string{"/", above}, false},
		{"behind a link", link, []string{above}, []string{"/"}, false},
		{"a neighbour", docroot, []string{top + "/upload", docroot + ".old", docroot + "/below"}, []string{"/"}, true},
		{"no document root", filepath.Join(top, "away"), []string{top}, []string{"/"}, true},
	} {
		if err := mounted(c.docroot, c.wanted, c.present); (err == nil) != c.there || err != nil && !errors.Is(err, ErrNotMounted) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestMountTables(t *testing.T) {
	table := filepath.Join(t.TempDir(), "fstab")
	text := "# <file system> <mount point>\nUUID=1 / ext4 errors=remount-ro 0 1\n\nUUID=2 /srv/our\\040files/ xfs nofail,noatime 0 2\nUUID=3 /mnt ext4 noauto,user 0 0\n/dev/sr0\n"
	if err := os.WriteFile(table, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	points, err := wantedMounts(table)
	if err != nil || !slices.Equal(points, []string{"/", "/srv/our files"}) {
		t.Errorf("fstab: %q, %v", points, err)
	}
	points, err = presentMounts()
	if err != nil || !slices.Contains(points, "/proc") {
		t.Errorf("mountinfo: %q, %v", points, err)
	}
}
