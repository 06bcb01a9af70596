// SPDX-License-Identifier: Apache-2.0

package uploads

import (
	"cmp"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// server does to a document root what ejabberd does (mod_http_upload, mod_http_upload_quota), with a clock of its own: whatever
// it touches gets the time that a kernel with this clock would give it.
type server struct {
	t        testing.TB
	r        *rand.Rand
	docroot  string
	clock    time.Time
	limits   Limits
	usage    map[string]int64 // what the quota believes that an account stores
	sweeps   time.Time        // the next one
	growing  []stored         // uploads under way
	begun    []string         // upload directories without a file yet
	since    time.Time        // that they did not go on
	removals map[Reason]int
}

// stored is a file on disk.
type stored struct {
	path string
	File
}

const kib = 1 << 10

func newServer(t testing.TB, seed uint64) *server {
	start := time.Unix(1_700_000_000, 0)
	return &server{
		t: t, r: rand.New(rand.NewPCG(seed, 1)), docroot: t.TempDir(), clock: start, sweeps: start.Add(time.Hour),
		limits: Limits{SoftQuota: 800 * kib, HardQuota: 1000 * kib, MaxSize: 300 * kib, Retention: 36 * time.Hour},
		usage:  map[string]int64{}, removals: map[Reason]int{},
	}
}

func (s *server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// pass lets time go by; its clock ticks in whole seconds, as some file systems' do.
func (s *server) pass(longest time.Duration) {
	s.clock = s.clock.Add(time.Duration(s.r.Int64N(int64(longest)))).Truncate(time.Second)
	if s.clock.After(s.sweeps) {
		s.sweep()
	}
}

func (s *server) touch(paths ...string) {
	for _, path := range paths {
		s.must(os.Chtimes(path, s.clock, s.clock))
	}
}

func (s *server) account() string {
	return filepath.Join(s.docroot, fmt.Sprintf("%040x", s.r.IntN(25)))
}

// mkdir makes the directory of one upload, and the account's.
func (s *server) mkdir(account string) (upload string) {
	if err := os.Mkdir(account, 0o755); err == nil {
		s.touch(account, s.docroot)
	}
	upload = filepath.Join(account, fmt.Sprintf("%016x", s.r.Uint64()))
	s.must(os.Mkdir(upload, 0o755))
	s.touch(upload, account)
	return upload
}

func (s *server) write(path string, size int64) {
	_, before := os.Lstat(path)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	s.must(err)
	s.must(cmp.Or(file.Truncate(size), file.Close()))
	s.touch(path)
	if before != nil {
		s.touch(filepath.Dir(path))
	}
}

// remove deletes a file, and its directory if it was the last in there.
func (s *server) remove(f stored, reason Reason) {
	s.must(os.Remove(f.path))
	s.touch(filepath.Dir(f.path))
	s.rmdir(filepath.Dir(f.path))
	if s.limits.Retention > 0 && time.Unix(f.Modified, 0).Add(s.limits.Retention).Before(s.clock) {
		reason = Expired
	}
	s.removals[reason]++
	s.growing = slices.DeleteFunc(s.growing, func(g stored) bool { return g.path == f.path })
}

func (s *server) rmdir(path string) {
	if os.Remove(path) == nil {
		s.touch(filepath.Dir(path))
	}
}

// files are the files of an account, the newest first.
func (s *server) files(account string) (files []stored) {
	err := filepath.WalkDir(account, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil
		}
		info, err := e.Info()
		s.must(err)
		files = append(files, stored{path, File{info.Size(), info.ModTime().Unix()}})
		return nil
	})
	s.must(err)
	slices.SortStableFunc(files, func(a, b stored) int { return cmp.Compare(b.Modified, a.Modified) })
	return files
}

// slot is what the quota does when an account asks for one.
func (s *server) slot(account string, size int64) {
	if old, known := s.usage[account]; known && old+size <= s.limits.HardQuota {
		s.usage[account] = old + size
		return
	}
	var all, kept int64
	var condemned []stored
	for _, f := range s.files(account) {
		if len(condemned) == 0 && kept+f.Size+size <= s.limits.SoftQuota {
			kept += f.Size
		} else {
			condemned = append(condemned, f)
		}
		all += f.Size
	}
	if s.usage[account] = all + size; all+size <= s.limits.HardQuota {
		return
	}
	for _, f := range condemned {
		s.remove(f, Quota)
	}
	s.rmdir(account)
	s.usage[account] = kept + size
}

// upload asks for a slot and stores a file, at once or little by little, with a thumbnail now and then.
func (s *server) upload() {
	account, size := s.account(), s.r.Int64N(s.limits.MaxSize)
	s.slot(account, size)
	if len(s.growing)+len(s.begun) == 0 {
		s.since = s.clock
	}
	switch s.r.IntN(40) {
	case 0: // never used
	case 1:
		s.begun = append(s.begun, s.mkdir(account))
	case 2, 3:
		path := filepath.Join(s.mkdir(account), "photo.jpg")
		s.write(path, size/4)
		s.growing = append(s.growing, stored{path, File{Size: size}})
	case 4:
		path := s.mkdir(account)
		s.write(filepath.Join(path, "photo.jpg"), size)
		s.write(filepath.Join(path, "thumbnail.png"), size/10)
	default:
		s.write(filepath.Join(s.mkdir(account), "photo.jpg"), size)
	}
}

// goOn lets uploads under way grow, finish, or get their thumbnail.
func (s *server) goOn() {
	var slow []stored
	for _, g := range s.growing {
		s.write(g.path, s.r.Int64N(g.Size/2+1)+g.Size/2)
		switch s.r.IntN(6) {
		case 0:
			s.write(filepath.Join(filepath.Dir(g.path), "thumbnail.png"), kib)
		case 1, 2, 3, 4:
			slow = append(slow, g)
		}
	}
	for _, upload := range s.begun {
		if _, err := os.Lstat(upload); err == nil {
			s.write(filepath.Join(upload, "photo.jpg"), s.r.Int64N(s.limits.MaxSize))
		}
	}
	s.growing, s.begun, s.since = slow, nil, s.clock
}

// sweep deletes what is too old, once a day.
func (s *server) sweep() {
	s.sweeps = s.clock.Add(24 * time.Hour)
	for _, account := range s.accounts() {
		before := len(s.files(account))
		for _, f := range s.files(account) {
			if f.Modified < s.clock.Add(-s.limits.Retention).Unix() {
				s.remove(f, Expired)
			}
		}
		if len(s.files(account)) < before {
			s.rmdir(account)
		}
	}
}

func (s *server) accounts() (accounts []string) {
	entries, err := os.ReadDir(s.docroot)
	s.must(err)
	for _, e := range entries {
		accounts = append(accounts, filepath.Join(s.docroot, e.Name()))
	}
	return accounts
}

// unregister deletes an account with everything in it.
func (s *server) unregister() {
	account := s.account()
	if _, err := os.Lstat(account); err != nil {
		return
	}
	for _, f := range s.files(account) {
		s.remove(f, Unregistered)
	}
	s.must(os.RemoveAll(account))
	s.touch(s.docroot)
	delete(s.usage, account)
}
