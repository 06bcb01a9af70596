// SPDX-License-Identifier: Apache-2.0

package uploads

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func TestEntriesKeepSizeAndTime(t *testing.T) {
	for _, f := range []File{{0, 0}, {1, 1_700_000_000}, {maxSize, -1}, {5 << 30, -epoch}, {12_345, epoch - 1}} {
		if got := entryOf(0xffffffff, f).file(); got != f {
			t.Errorf("%+v became %+v", f, got)
		}
	}
	if got := entryOf(0, File{Size: 1 << 50}).file().Size; got != maxSize {
		t.Errorf("a file too large to be remembered has %d bytes", got)
	}
}

// TestMemory weighs what a Walker remembers: at most 16 bytes a file and 128 an account, however many files the accounts have.
func TestMemory(t *testing.T) {
	if size := unsafe.Sizeof(entry{}); size > 16 {
		t.Errorf("an entry takes %d bytes", size)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for name, c := range map[string]struct{ accounts, most int }{
		"10 files each": {20_000, 19}, "one file each": {200_000, 1}, "many files each": {400, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			var m memory
			seen, files := m.look(), 0
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			for i := range c.accounts {
				has := make([]entry, 1+r.IntN(c.most))
				files += len(has)
				seen.add(found{id: AccountID(i), account: &account{files: pack(has)}})
			}
			if _, err := m.remember(seen, 1, time.Now(), Limits{}); err != nil {
				t.Fatal(err)
			}
			seen = nil
			runtime.GC()
			runtime.ReadMemStats(&after)
			used := int(after.HeapAlloc) - int(before.HeapAlloc)
			t.Logf("%d files of %d accounts: %d bytes", files, len(m.accounts), used)
			if used > 16*files+128*c.accounts {
				t.Errorf("%.1f bytes a file, if an account takes 128", float64(used-128*c.accounts)/float64(files))
			}
			runtime.KeepAlive(&m)
		})
	}
}

var lastYear = time.Unix(1_700_000_000, 0)

// remembering makes a document root of two accounts and a Walker that has seen it. The directories' times are old, so that
// nothing is restless.
func remembering(t *testing.T) (docroot string, w *Walker) {
	t.Helper()
	docroot = t.TempDir()
	for _, account := range []string{"juliet", "romeo"} {
		put(t, docroot, account+"/secret/file", 10, lastYear)
		age(t, filepath.Join(docroot, account))
	}
	w = New(docroot)
	if _, stats := walkWith(t, w, Limits{}); stats.Changes != nil || stats.Files != 2 {
		t.Fatalf("first walk: %+v", stats)
	}
	return docroot, w
}

// age gives a directory an old time.
func age(t testing.TB, dir string) {
	t.Helper()
	past := time.Now().Add(-24 * time.Hour).Truncate(time.Second)
	if err := os.Chtimes(dir, past, past); err != nil {
		t.Fatal(err)
	}
}

// changed walks and wants these changes, nil for nothing to compare with.
func changed(t *testing.T, w *Walker, want *Changes) {
	t.Helper()
	if _, stats := walkWith(t, w, Limits{}); !reflect.DeepEqual(stats.Changes, want) {
		t.Errorf("changes %+v, want %+v", stats.Changes, want)
	}
}

// inotify tells which directories are opened.
func TestWhatDidNotMoveIsNotOpened(t *testing.T) {
	docroot, w := remembering(t)
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if _, err := unix.InotifyAddWatch(fd, filepath.Join(docroot, "romeo"), unix.IN_OPEN); err != nil {
		t.Fatal(err)
	}
	opened := func() bool {
		n, err := unix.Read(fd, make([]byte, 4096))
		return err == nil && n > 0
	}
	put(t, docroot, "juliet/secret2/file", 1, time.Now())
	changed(t, w, &Changes{AddedFiles: 1, AddedBytes: 1})
	if opened() {
		t.Error("an account that did not change was opened")
	}
	put(t, docroot, "romeo/secret/thumb", 2, time.Now()) // does not move the account's directory
	changed(t, w, &Changes{})
	w.now = func() time.Time { return time.Now().Add(fullEvery) }
	changed(t, w, &Changes{AddedFiles: 1, AddedBytes: 2})
	if !opened() {
		t.Error("a full walk does not read everything")
	}
}

func TestAFailedWalkChangesNothing(t *testing.T) {
	docroot, w := remembering(t)
	put(t, docroot, "juliet/secret2/file", 1, time.Now())
	if err := os.RemoveAll(filepath.Join(docroot, "romeo")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := w.Walk(ctx, Limits{}, func(Account) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled walk: %v", err)
	}
	changed(t, w, &Changes{AddedFiles: 1, AddedBytes: 1, Removed: []Removal{{File{10, lastYear.Unix()}, Unregistered}}})
}

// A document root of which nothing remains is a file system that is not there, more likely than a server without users.
func TestEverythingGoneIsANewStart(t *testing.T) {
	docroot, w := remembering(t)
	for _, account := range []string{"juliet", "romeo"} {
		if err := os.Rename(filepath.Join(docroot, account), filepath.Join(docroot, "."+account)); err != nil {
			t.Fatal(err)
		}
	}
	changed(t, w, nil)
	if err := errors.Join(os.RemoveAll(filepath.Join(docroot, ".juliet")), os.RemoveAll(filepath.Join(docroot, ".romeo"))); err != nil {
		t.Fatal(err)
	}
	changed(t, w, nil)
	put(t, docroot, "juliet/secret/file", 10, time.Now())
	changed(t, w, nil) // it may have come back
	put(t, docroot, "juliet/secret2/file", 10, time.Now())
	changed(t, w, &Changes{AddedFiles: 1, AddedBytes: 10})
}

// The sweep may leave a small server with nothing.
func TestEverythingExpired(t *testing.T) {
	docroot, w := remembering(t)
	if err := errors.Join(os.RemoveAll(filepath.Join(docroot, "juliet")), os.RemoveAll(filepath.Join(docroot, "romeo"))); err != nil {
		t.Fatal(err)
	}
	_, stats := walkWith(t, w, Limits{Retention: 24 * time.Hour})
	if stats.Changes == nil || len(stats.Changes.Removed) != 2 || stats.Changes.Removed[0].Reason != Expired {
		t.Errorf("%+v", stats.Changes)
	}
}

func TestAnotherFileSystem(t *testing.T) {
	docroot, w := remembering(t)
	w.device++ // as if all that was seen had been on another one
	put(t, docroot, "nurse/secret/file", 1, time.Now())
	changed(t, w, &Changes{AddedFiles: 1, AddedBytes: 1}) // mounted anew: the same accounts are there
	w.device++
	for _, account := range []string{"juliet", "romeo", "nurse"} {
		if err := os.RemoveAll(filepath.Join(docroot, account)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.Walk(t.Context(), Limits{}, func(Account) {})
	if err == nil || !strings.Contains(err.Error(), "mount the right one") {
		t.Errorf("a document root that is not mounted: %v", err)
	}
}

// What could not be read for a while has neither gone nor come.
func TestBlindness(t *testing.T) {
	docroot, w := remembering(t)
	deep := func(account string) string { return filepath.Join(account, "secret", strings.Repeat("d/", levels)) }
	put(t, docroot, filepath.Join(deep("juliet"), "file"), 1, time.Now()) // too deep: an error
	put(t, docroot, filepath.Join(deep("nurse"), "file"), 1, time.Now())
	age(t, filepath.Join(docroot, "juliet", "secret"))
	put(t, docroot, "juliet/secret2/file", 7, time.Now())
	put(t, docroot, "nurse/secret2/file", 8, time.Now())
	for range 2 {
		if _, stats := walkWith(t, w, Limits{}); stats.Errors != 2 || stats.Files != 4 || !reflect.DeepEqual(stats.Changes, &Changes{}) {
			t.Errorf("blind: %+v, %+v", stats, stats.Changes)
		}
	}
	for _, account := range []string{"juliet", "nurse"} {
		if err := os.RemoveAll(filepath.Join(docroot, account, "secret", "d")); err != nil {
			t.Fatal(err)
		}
	}
	changed(t, w, &Changes{AddedFiles: 1, AddedBytes: 7}) // what the nurse has was there, for all we know
	put(t, docroot, "nurse/secret3/file", 9, time.Now())
	changed(t, w, &Changes{AddedFiles: 1, AddedBytes: 9})
}

// Two collectors may walk one document root.
func TestOneWalkAtATime(t *testing.T) {
	_, w := remembering(t)
	_, err := w.Walk(t.Context(), Limits{}, func(Account) {
		if _, err := w.Walk(cancelled(t), Limits{}, func(Account) { t.Error("visited") }); !errors.Is(err, context.Canceled) {
			t.Errorf("a second walk: %v", err)
		}
	})
	if err != nil {
		t.Error(err)
	}
	if _, stats := walkWith(t, w, Limits{}); stats.Files != 2 {
		t.Errorf("%+v", stats)
	}
}
