// SPDX-License-Identifier: Apache-2.0

package secret

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const canary = "hunter2-canary"

func write(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), canary)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask is
		t.Fatal(err)
	}
	return path
}

func TestFirstLine(t *testing.T) {
	for text, want := range map[string]string{
		canary:                              canary,
		canary + "\n":                       canary,
		canary + "\r\n# what it is for\r\n": canary,
		" " + canary + " \n":                " " + canary + " ",
		canary + "\n" + strings.Repeat("x", 2*maxSize): canary,
	} {
		if got, err := Read(write(t, text, 0o600)); err != nil || got != want {
			t.Errorf("%.40q: read %q, %v", text, got, err)
		}
	}
}

// TestFilesThatOthersMayReadAreRefused: owner and group are the administrator's business, everybody else is not.
func TestFilesThatOthersMayReadAreRefused(t *testing.T) {
	for mode, good := range map[os.FileMode]bool{
		0o400: true, 0o440: true, 0o600: true, 0o640: true, 0o660: true, 0o644: false, 0o444: false, 0o604: false, 0o602: false, 0o777: false,
	} {
		path := write(t, canary, mode)
		got, err := Read(path)
		if good != (err == nil) || good && got != canary || !good && (got != "" || !errors.Is(err, ErrReadable)) {
			t.Errorf("%v: read %q, %v", mode, got, err)
		}
		link := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(path, link); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(link); good != (err == nil) {
			t.Errorf("a link to %v: %v", mode, err)
		}
	}
}

// TestSecretsOfContainers: engines mount them for everybody, and everybody is one program.
func TestSecretsOfContainers(t *testing.T) {
	path := write(t, canary, 0o444)
	if _, err := Read(path); !errors.Is(err, ErrReadable) {
		t.Errorf("before: %v", err)
	}
	before := mounted
	t.Cleanup(func() { mounted = before })
	mounted = []string{filepath.Dir(path) + "/"}
	if got, err := Read(path); err != nil || got != canary {
		t.Errorf("read %q, %v", got, err)
	}
	elsewhere := write(t, canary, 0o444)
	if _, err := Read(filepath.Dir(path) + "/../" + filepath.Base(filepath.Dir(elsewhere)) + "/" + canary); !errors.Is(err, ErrReadable) {
		t.Errorf("a path that leaves the directory: %v", err)
	}
}

// TestErrorsRepeatNothing: neither what stands in the file nor where it is.
func TestErrorsRepeatNothing(t *testing.T) {
	dir := t.TempDir()
	for name, path := range map[string]string{
		"missing":   filepath.Join(dir, canary),
		"directory": dir,
		"empty":     write(t, "", 0o600),
		"blank":     write(t, "\n"+canary, 0o600),
		"long":      write(t, strings.Repeat(canary, maxSize), 0o600),
		"open":      write(t, canary, 0o644),
		"device":    os.DevNull,
	} {
		got, err := Read(path)
		if err == nil || got != "" || strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), "/") {
			t.Errorf("%s: read %q, %v", name, got, err)
		}
	}
	if _, err := Read(filepath.Join(dir, canary)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the reason is lost: %v", err)
	}
}

// TestAPipe: --password-file <(pass show monitor) is as good as a file.
func TestAPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := w.WriteString(canary + "\n"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Guarded(r); err != nil {
		t.Error(err)
	}
}
