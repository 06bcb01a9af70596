// SPDX-License-Identifier: Apache-2.0

package uploads

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestMissingDocroot(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	put(t, filepath.Dir(file), "file", 1, time.Now())
	for _, docroot := range []string{"/nonexistent/upload", file, ""} {
		_, err := New(docroot).Walk(t.Context(), Limits{}, func(Account) { t.Error("visited") })
		if err == nil || !strings.Contains(err.Error(), "--upload.docroot") {
			t.Errorf("Walk(%q): %v", docroot, err)
		}
	}
	if _, err := FilesystemOf("/nonexistent/upload"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "--upload.docroot") {
		t.Errorf("FilesystemOf: %v", err)
	}
}

// TestUnreadable runs itself as a user without privileges, where root runs the tests.
func TestUnreadable(t *testing.T) {
	if docroot := os.Getenv("UPLOADS_TEST_DOCROOT"); docroot != "" {
		_, stats := walk(t, docroot)
		if want := (Stats{Accounts: 2, Files: 2, Bytes: 2, Errors: 2}); stats != want {
			t.Errorf("Stats %+v, want %+v", stats, want)
		}
		_, err := New(filepath.Join(docroot, "closed")).Walk(t.Context(), Limits{}, func(Account) { t.Error("visited") })
		if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "--check") {
			t.Errorf("unreadable docroot: %v", err)
		}
		return
	}
	docroot, err := os.MkdirTemp("", "uploads") // t.TempDir is closed to other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(docroot) })
	put(t, docroot, "open/secret/file", 1, time.Now())
	put(t, docroot, "half/secret/file", 1, time.Now())
	put(t, docroot, "half/closed/file", 1, time.Now())
	put(t, docroot, "closed/secret/file", 1, time.Now())
	for path, mode := range map[string]os.FileMode{"": 0o755, "closed": 0, "half/closed": 0, "open/secret/file": 0} {
		if err := os.Chmod(filepath.Join(docroot, path), mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		_ = os.Chmod(filepath.Join(docroot, "closed"), 0o700)
		_ = os.Chmod(filepath.Join(docroot, "half/closed"), 0o700)
	})
	test := filepath.Join(docroot, ".test") // the test binary itself lies where others may not go
	binary, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(test, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), test, "-test.run=^TestUnreadable$")
	cmd.Env, cmd.Dir = append(os.Environ(), "UPLOADS_TEST_DOCROOT="+docroot), "/"
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestFilesystem(t *testing.T) {
	docroot := t.TempDir()
	got, err := FilesystemOf(docroot)
	if err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Stat(docroot, &st); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "df", "-B1", "--output=size", docroot).Output()
	if err != nil {
		t.Fatal(err)
	}
	if size := strings.Fields(string(out))[1]; fmt.Sprint(got.Size) != size {
		t.Errorf("Size %d, df says %s", got.Size, size)
	}
	if got.Avail == 0 || got.Avail > got.Size || got.InodesFree > got.Inodes || got.Device != st.Dev {
		t.Errorf("%+v", got)
	}
}

// Neither an account nor what is printed of it by mistake leads back to the directory's name.
func TestAccountsShowNothing(t *testing.T) {
	docroot := t.TempDir()
	put(t, docroot, "juliet/secret/romeo.jpg", 1, time.Now())
	_, err := New(docroot).Walk(t.Context(), Limits{}, func(a Account) {
		for _, text := range []string{fmt.Sprintf("%v", a), fmt.Sprintf("%#v", a)} {
			if strings.Contains(text, "juliet") || strings.Contains(text, "romeo") {
				t.Errorf("printed as %s", text)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}
