// SPDX-License-Identifier: Apache-2.0

package uploads

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// put makes a file of a size under docroot, with its directories; the path says where.
func put(t testing.TB, docroot, path string, size int64, modified time.Time) {
	t.Helper()
	file := filepath.Join(docroot, path)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmp.Or(f.Truncate(size), f.Close(), os.Chtimes(file, modified, modified)); err != nil {
		t.Fatal(err)
	}
}

// walked is what a walk told, in an order that can be compared.
type walked map[AccountID][]File

func walk(t testing.TB, docroot string) (walked, Stats) {
	t.Helper()
	got := walked{}
	stats, err := New(docroot).Walk(t.Context(), Limits{}, func(a Account) {
		if _, again := got[a.ID]; again {
			t.Errorf("an account is visited twice")
		}
		bytes := int64(0)
		for _, f := range a.Files {
			bytes += f.Size
		}
		if bytes != a.Bytes || len(a.Files) == 0 {
			t.Errorf("%d files of %d bytes, account says %d", len(a.Files), bytes, a.Bytes)
		}
		got[a.ID] = sorted(slices.Clone(a.Files))
	})
	if err != nil {
		t.Fatal(err)
	}
	return got, stats
}

func sorted(files []File) []File {
	slices.SortFunc(files, func(a, b File) int { return cmp.Or(cmp.Compare(a.Size, b.Size), cmp.Compare(a.Modified, b.Modified)) })
	return files
}

// bruteForce is what filepath.WalkDir finds.
func bruteForce(t testing.TB, docroot string) (walked, Stats) {
	t.Helper()
	found, stats := walked{}, Stats{}
	err := filepath.WalkDir(docroot, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		account, _, ok := strings.Cut(strings.TrimPrefix(path, docroot+"/"), "/")
		if !ok {
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		id := IDOf(account)
		found[id] = append(found[id], File{Size: info.Size(), Modified: info.ModTime().Unix()})
		stats.Files++
		stats.Bytes += info.Size()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, files := range found {
		sorted(files)
	}
	stats.Accounts = len(found)
	return found, stats
}

// grow puts a random tree of ejabberd's layout, with everything else that may lie around in it.
func grow(t testing.TB, docroot string, seed uint64, accounts, files int) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 0))
	odd := []string{"photo.jpg", "new\nline", "\xff\xfe\x80", ".hidden", "é___co", strings.Repeat("n", 254)}
	for range files {
		secret := fmt.Sprintf("%040x", r.Uint64())
		path := filepath.Join(fmt.Sprintf("%040x", r.IntN(accounts)), secret)
		switch r.IntN(12) {
		case 0: // thumbnail beside the file
			put(t, docroot, filepath.Join(path, "thumbnail.png"), r.Int64N(1<<16), at(r))
		case 1: // deeper
			path = filepath.Join(path, "deeper", odd[r.IntN(len(odd))])
		case 2: // in the account's directory
			path = filepath.Dir(path)
		case 3: // nobody's
			path = ""
		case 4: // an account's directory named by a user
			path = filepath.Join(odd[r.IntN(len(odd))]+"@", secret)
		}
		put(t, docroot, filepath.Join(path, odd[r.IntN(len(odd))]), r.Int64N(1<<40), at(r))
	}
}

// at is a random time of modification, now and then before 1970.
func at(r *rand.Rand) time.Time { return time.Unix(r.Int64N(2e9)-1e8, r.Int64N(1e9)) }

func cancelled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
