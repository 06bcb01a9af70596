// SPDX-License-Identifier: Apache-2.0

package uploads

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestEqualsBruteForce(t *testing.T) {
	for seed := range uint64(20) {
		docroot := t.TempDir()
		grow(t, docroot, seed, 1+int(seed), 150)
		got, stats := walk(t, docroot)
		want, wantStats := bruteForce(t, docroot)
		if !reflect.DeepEqual(got, want) || stats != wantStats {
			t.Fatalf("seed %d: walked %+v, brute force %+v", seed, stats, wantStats)
		}
	}
}

func TestEjabberdsTree(t *testing.T) {
	docroot, day := t.TempDir(), time.Unix(1_700_000_000, 0)
	put(t, docroot, "juliet/secret1/photo.jpg", 1000, day)
	put(t, docroot, "juliet/secret1/thumb.png", 10, day) // thumbnail: true
	put(t, docroot, "juliet/secret2/video.mp4", 5<<30, day.Add(-time.Hour))
	put(t, docroot, "romeo/secret3/empty", 0, day)
	put(t, docroot, "robots.txt", 7, day)          // nobody's
	put(t, docroot, "lost+found/#12/lost", 9, day) // of the file system
	if err := os.MkdirAll(filepath.Join(docroot, "empty", "secret"), 0o755); err != nil {
		t.Fatal(err)
	}
	got, stats := walk(t, docroot)
	want := walked{
		IDOf("juliet"): {{10, day.Unix()}, {1000, day.Unix()}, {5 << 30, day.Unix() - 3600}},
		IDOf("romeo"):  {{0, day.Unix()}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("walked %v, want %v", got, want)
	}
	if want := (Stats{Accounts: 2, Files: 4, Bytes: 1010 + 5<<30}); stats != want {
		t.Errorf("Stats %+v, want %+v", stats, want)
	}
}

// TestAPanicEndsTheWalk, and not the exporter: the directories are read in goroutines of their own.
func TestAPanicEndsTheWalk(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	readers := crew{stop: stop}
	readers.Go(func() { <-ctx.Done() }) // as those do who are at work
	readers.Go(func() { panic("account") })
	readers.Wait()
	if err := readers.crash(); err == nil || !strings.HasPrefix(err.Error(), "panic at uploads.TestAPanicEndsTheWalk") {
		t.Errorf("got %v", err)
	}
}

// A link could lead to files of others, or round in circles; a named pipe could stop whoever opens it.
func TestNothingButFilesAndDirectories(t *testing.T) {
	docroot, elsewhere := t.TempDir(), t.TempDir()
	put(t, elsewhere, "secret/file", 5, time.Now())
	put(t, docroot, "romeo/secret/file", 3, time.Now())
	for link, target := range map[string]string{
		"juliet":             elsewhere,
		"romeo/secret2":      elsewhere,
		"romeo/loop":         "..",
		"romeo/secret/self":  "self",
		"romeo/secret/file2": filepath.Join(elsewhere, "secret", "file"),
		"romeo/secret/gone":  "/nonexistent",
	} {
		if err := os.Symlink(target, filepath.Join(docroot, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, pipe := range []string{"pipe", "romeo/pipe", "romeo/secret/pipe"} {
		if err := unix.Mkfifo(filepath.Join(docroot, pipe), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, stats := walk(t, docroot)
	if want := (Stats{Accounts: 1, Files: 1, Bytes: 3}); stats != want {
		t.Errorf("Stats %+v, want %+v", stats, want)
	}
	link := filepath.Join(t.TempDir(), "docroot")
	if err := os.Symlink(docroot, link); err != nil {
		t.Fatal(err)
	}
	if _, through := walk(t, link); through != stats {
		t.Errorf("through a linked docroot: %+v, want %+v", through, stats)
	}
}

// inotify tells whether anybody opened a file.
func TestFilesAreNeverOpened(t *testing.T) {
	docroot := t.TempDir()
	for _, path := range []string{"a/secret/file", "a/secret/thumb", "a/file", "file", "a/secret/deeper/file"} {
		put(t, docroot, path, 1, time.Now())
	}
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	err = filepath.WalkDir(docroot, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			_, err = unix.InotifyAddWatch(fd, path, unix.IN_OPEN|unix.IN_ACCESS)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	opened := func() bool {
		n, err := unix.Read(fd, make([]byte, 4096))
		return err == nil && n > 0
	}
	if _, stats := walk(t, docroot); stats.Files != 4 || opened() {
		t.Errorf("%d files walked, opened: %t", stats.Files, opened())
	}
	if f, err := os.Open(filepath.Join(docroot, "file")); err != nil || f.Close() != nil || !opened() {
		t.Errorf("the test does not see files being opened: %v", err)
	}
}

func TestTooDeep(t *testing.T) {
	docroot := t.TempDir()
	put(t, docroot, "a"+strings.Repeat("/d", levels-1)+"/file", 1, time.Now())
	if _, stats := walk(t, docroot); stats != (Stats{Accounts: 1, Files: 1, Bytes: 1}) {
		t.Errorf("%d levels: %+v", levels, stats)
	}
	put(t, docroot, "a"+strings.Repeat("/d", levels)+"/file", 1, time.Now())
	if _, stats := walk(t, docroot); stats != (Stats{Accounts: 1, Files: 1, Bytes: 1, Errors: 1}) {
		t.Errorf("%d levels: %+v", levels+1, stats)
	}
}

// ejabberd sweeps while we look: what vanishes is no error, and what stays is counted.
func TestVanishing(t *testing.T) {
	docroot := t.TempDir()
	for i := range 300 {
		put(t, docroot, fmt.Sprintf("stays%d/secret/file", i), 1, time.Now())
	}
	stop, swept := make(chan struct{}), sync.WaitGroup{}
	swept.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			account := fmt.Sprintf("goes%d", i%50)
			put(t, docroot, account+"/secret/file", 1, time.Now())
			put(t, docroot, account+"/secret/thumb", 1, time.Now())
			if err := os.RemoveAll(filepath.Join(docroot, account)); err != nil {
				t.Error(err)
			}
		}
	})
	for range 50 {
		got, stats := walk(t, docroot)
		if stats.Errors != 0 {
			t.Errorf("%d errors", stats.Errors)
		}
		for i := range 300 {
			if len(got[IDOf(fmt.Sprintf("stays%d", i))]) != 1 {
				t.Fatalf("account %d of those that stay is missing", i)
			}
		}
	}
	close(stop)
	swept.Wait()
}

func TestCancel(t *testing.T) {
	docroot := t.TempDir()
	grow(t, docroot, 1, 50, 200)
	if _, err := New(docroot).Walk(cancelled(t), Limits{}, func(Account) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	visits := 0
	_, err := New(docroot).Walk(ctx, Limits{}, func(Account) { visits++; cancel() })
	if !errors.Is(err, context.Canceled) || visits > 1+workers {
		t.Errorf("cancelled by the first of %d visits: %v", visits, err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a panic of the visitor is lost")
		}
	}()
	_, _ = New(docroot).Walk(t.Context(), Limits{}, func(Account) { panic("visit") })
}

// Some file systems do not say in a directory what its entries are.
func TestEntriesOfUnknownKind(t *testing.T) {
	docroot := t.TempDir()
	put(t, docroot, "directory/file", 1, time.Now())
	put(t, docroot, "file", 1, time.Now())
	if err := os.Symlink("file", filepath.Join(docroot, "link")); err != nil {
		t.Fatal(err)
	}
	d, err := openRoot(docroot)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	for name, want := range map[string]kind{"directory": directory, "file": file, "link": other} {
		if got := d.kind(name, unix.DT_UNKNOWN); got != want {
			t.Errorf("%s is %d, want %d", name, got, want)
		}
	}
}
