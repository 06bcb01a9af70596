// SPDX-License-Identifier: Apache-2.0

// Package uploads looks at the files of mod_http_upload on disk, DOCROOT/<account>/<secret>/<file>: their sizes and ages, and
// what came and went since it last looked.
//
// It lists directories and asks for the attributes of files. It never opens a file, never follows a symbolic link below the
// document root, and keeps no name: a directory's name is an unsalted SHA-1 of the account, or the account itself.
// Linux only.
package uploads

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/guard"
)

// Account is what one account has uploaded.
type Account struct {
	ID    AccountID
	Bytes int64  // apparent size of all files
	Files []File // in no order, one at least; the slice is used again after the visit
}

// File is one uploaded file (or thumbnail).
type File struct {
	Size     int64 // apparent size, bytes; what is above 1 TiB is not told
	Modified int64 // Unix time, seconds
}

// Stats sums up a walk.
type Stats struct {
	Accounts, Files int
	Bytes           int64
	Errors          int      // directories and files that could not be looked at; vanished ones are none
	Changes         *Changes // since the walk before; nil where there is none to compare with
}

const (
	// workers that read accounts. More than two gain nothing on local disks and would be felt by ejabberd.
	workers = 2
	// batch is how many accounts a worker reads before it shows them.
	batch = 64
	// fullEvery is how often a walk descends into every account, whatever the directories' times say.
	fullEvery = 6 * time.Hour
)

// Walker walks one document root again and again, and remembers what it saw: about 15 bytes a file and 60 an account. It is
// safe for concurrent use; who finds it walking waits.
type Walker struct {
	docroot string
	now     func() time.Time
	turn    chan struct{} // holds a token while nobody walks
	memory
}

// New makes a Walker.
func New(docroot string) *Walker {
	w := &Walker{docroot: docroot, now: time.Now, turn: make(chan struct{}, 1)}
	w.turn <- struct{}{}
	return w
}

// Walk has every account that holds files visited, one at a time, in no order. Files that lie in the document root itself are
// no account's and are left out. The limits explain why files are gone.
//
// An account is read again only when its directory's time has moved, when it may change without that (see account.restless), or
// when all are read again, every 6 hours: between ejabberd's deleting a file and the directory around it, and where somebody
// else meddles and puts times back, that long what was seen before is told.
//
// A document root that is missing or can not be read is an error that wraps fs.ErrNotExist or fs.ErrPermission and says what to
// do. After an error what was visited is incomplete and must be thrown away; nothing of it is remembered. Cancelling ends a walk
// with the system call under way, which a file system that hangs may never finish.
func (w *Walker) Walk(ctx context.Context, limits Limits, visit func(Account)) (Stats, error) {
	select {
	case <-w.turn:
		defer func() { w.turn <- struct{}{} }()
	case <-ctx.Done():
		return Stats{}, fmt.Errorf("upload docroot %s: %w", w.docroot, ctx.Err())
	}
	root, err := openRoot(w.docroot)
	if err != nil {
		return Stats{}, explain(w.docroot, err)
	}
	ctx, stop := context.WithCancel(ctx)
	var (
		listed  error
		names   = make(chan []string)
		read    = make(chan *scan)
		readers = crew{stop: stop}
		now     = w.now()
		full    = w.fullIsDue(now)
	)
	readers.Go(func() {
		defer close(names)
		listed = list(ctx, root, names)
	})
	for range workers {
		readers.Go(func() { newScan(ctx, w.accounts, now, full).batches(root, names, read) })
	}
	go func() {
		readers.Wait()
		close(read)
	}()
	defer func() { // also when visit panics
		stop()
		for range read { // until the readers are gone
		}
		root.close()
	}()

	var stats Stats
	seen := w.look()
	for s := range read {
		for _, f := range s.found {
			if ctx.Err() != nil {
				break
			}
			seen.add(f)
			if account := f.account.show(f.id, &s.files); len(account.Files) > 0 {
				stats.add(account)
				visit(account)
			}
			stats.Errors += f.errors
		}
		s.visited <- struct{}{}
	}
	switch crash := readers.crash(); {
	case crash != nil:
		return Stats{}, crash
	case ctx.Err() != nil:
		return Stats{}, fmt.Errorf("upload docroot %s: %w", w.docroot, ctx.Err())
	case listed != nil:
		return Stats{}, explain(w.docroot, listed)
	}
	device, err := root.device()
	if err == nil {
		stats.Changes, err = w.remember(seen, device, now, limits)
	}
	if err != nil {
		return Stats{}, explain(w.docroot, err)
	}
	if full {
		w.full = now
	}
	return stats, nil
}

// crew are goroutines that work on one walk. A panic in one of them ends the walk, not the program.
type crew struct {
	sync.WaitGroup
	stop func() // makes all of them end
	bug  atomic.Pointer[error]
}

// Go adds one.
func (c *crew) Go(work func()) {
	c.WaitGroup.Go(func() {
		if err := guard.Run(func() error { work(); return nil }); err != nil {
			c.bug.Store(&err)
			c.stop()
		}
	})
}

// crash is a panic of one of them.
func (c *crew) crash() error {
	if bug := c.bug.Load(); bug != nil {
		return *bug
	}
	return nil
}

// fullIsDue tells whether this walk must descend everywhere.
func (w *Walker) fullIsDue(now time.Time) bool {
	since := now.Sub(w.full)
	return since >= fullEvery || since < 0
}

// list tells the names of the accounts' directories.
func list(ctx context.Context, root dir, batches chan<- []string) error {
	var names []string
	flush := func() error {
		select {
		case batches <- names:
			names = nil
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	err := root.each(make([]byte, 32<<10), func(name string, is kind) error {
		if is != directory || name == "lost+found" { // a document root may be a file system of its own
			return nil
		}
		if names = append(names, name); len(names) < batch {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

func (s *Stats) add(a Account) {
	s.Accounts++
	s.Files += len(a.Files)
	s.Bytes += a.Bytes
}

var errOtherDevice = errors.New("another file system lies there than at the last walk, and no account of then")

// explain names the document root, which is configuration, and the remedy.
func explain(docroot string, err error) error {
	remedy := "look at the file system"
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		remedy = "check docroot of mod_http_upload, or set it with --upload.docroot; ejabberd makes it with the first upload"
	case errors.Is(err, fs.ErrPermission):
		remedy = "let the exporter list it: `ejabberd_exporter --check` prints the lines for systemd"
	case errors.Is(err, errOtherDevice):
		remedy = "mount the right one; if uploads start anew there, restart the exporter"
	}
	return fmt.Errorf("upload docroot %s: %w: %s", docroot, err, remedy)
}
