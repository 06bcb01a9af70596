// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// stored are the numbers of uploads: other files, other numbers.
var stored = []string{"ejabberd_upload_", "ejabberd_oldest_data_timestamp_seconds{store=\"uploads\"}"}

// ofUploads is what happens to the directory of uploads.
var ofUploads = []fault{
	{
		name: "the upload directory is gone", fails: "upload_filesystem", quick: true,
		begin: func(t *testing.T, s *stage) (end func()) {
			return moved(t, s.Ejabberd.Config.UploadDir, s.Ejabberd.Config.UploadDir+"-away")
		},
	},
	{
		name: "the upload directory is closed to the exporter",
		begin: func(t *testing.T, s *stage) (end func()) {
			info, err := os.Stat(s.docroot())
			if err != nil {
				t.Fatal(err)
			}
			must(t, os.Chmod(s.docroot(), 0))
			return func() { must(t, os.Chmod(s.docroot(), info.Mode())) }
		},
	},
	{
		name: "the file system of the uploads is not mounted", fails: "upload_filesystem",
		to: func(t *testing.T, s *stage, e *exporter) (end func()) {
			// What is left is an empty directory, of which one could say that there are no uploads.
			fstab := filepath.Join(t.TempDir(), "fstab")
			must(t, os.WriteFile(fstab, []byte("/dev/uploads "+s.docroot()+" ext4 nofail 0 2\n"), 0o644))
			e.inside(t, "mount", "--bind", fstab, "/etc/fstab")
			return func() { e.inside(t, "umount", "/etc/fstab") }
		},
	},
	{
		name: "the disk of the uploads is full", may: stored,
		to: func(t *testing.T, s *stage, e *exporter) (end func()) {
			e.inside(t, "mount", "-t", "tmpfs", "-o", "size=1m,mode=755", "tmpfs", s.docroot())
			e.inside(t, "sh", "-c", "head -c 2000000 /dev/zero >"+s.docroot()+"/full || true")
			return func() { e.inside(t, "umount", s.docroot()) }
		},
	},
	{
		name: "directories are replaced while they are walked through", may: stored,
		begin: func(t *testing.T, s *stage) (end func()) {
			for i := range 200 {
				s.lay(t, fmt.Sprintf("%d/file", i), "")
			}
			odd := filepath.Join(s.docroot(), "odd")
			swap := repeatedly(t, func() error {
				// What was a directory is a link to everything, and a directory again.
				if err := os.Rename(odd, odd+"-away"); err != nil {
					return err
				}
				if err := os.Symlink("/", odd); err != nil {
					return err
				}
				if err := os.Remove(odd); err != nil {
					return err
				}
				return os.Rename(odd+"-away", odd)
			})
			return func() { swap(); must(t, os.RemoveAll(odd)) }
		},
	},
	{
		name: "links that lead in circles",
		begin: func(t *testing.T, s *stage) (end func()) {
			s.lay(t, "up", "../..")
			s.lay(t, "here", ".")
			s.lay(t, "itself", "itself")
			s.lay(t, "there", "back")
			s.lay(t, "back", "there")
			return func() { must(t, os.RemoveAll(filepath.Join(s.docroot(), "odd"))) }
		},
	},
	{
		name: "file names with newlines and bytes that are no UTF-8", may: stored,
		begin: func(t *testing.T, s *stage) (end func()) {
			for _, name := range []string{"new\nline 1", "\xff\xfe", "ejabberd_up 1\n", strings.Repeat("long", 60), "\x1b[2J", `"}`} {
				s.lay(t, name, "")
				s.lay(t, "dir-"+name+"/"+name, "")
			}
			return func() { must(t, os.RemoveAll(filepath.Join(s.docroot(), "odd"))) }
		},
	},
}

// inside runs a program in the mount namespace of an exporter.
func (e *exporter) inside(t *testing.T, program string, args ...string) {
	t.Helper()
	enter := append([]string{"--target", fmt.Sprint(e.pid()), "--mount", program}, args...)
	if out, err := exec.CommandContext(t.Context(), "nsenter", enter...).CombinedOutput(); err != nil {
		t.Fatalf("%s in the exporter's namespace: %v: %s", program, err, out)
	}
}

// moved renames until the end.
func moved(t *testing.T, from, to string) (end func()) {
	t.Helper()
	must(t, os.Rename(from, to))
	return func() { must(t, os.Rename(to, from)) }
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
