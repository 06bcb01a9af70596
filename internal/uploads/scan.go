// SPDX-License-Identifier: Apache-2.0

package uploads

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// levels bounds how deep directories are followed, and so the open descriptors. ejabberd's own tree has two below the root.
	levels = 8
	// settled is how old a time must be for what has it not to be under way: an upload that still grows, a thumbnail still to
	// come, a change within the same tick of a coarse clock, another machine's clock. Slots live 5 minutes.
	settled = time.Hour
)

var errTooDeep = errors.New("too deep")

// scan reads accounts, a batch after the other.
type scan struct {
	found []found // in the last batch
	files []File  // for showing them

	// the account being read
	entries  []entry
	restless bool
	errors   int

	known   map[AccountID]*account // nobody writes while we read
	full    bool                   // read even what is known
	flags   int                    // to open directories with
	young   int64                  // what was modified since, Unix time in nanoseconds, is not settled
	ctx     context.Context        //nolint:containedctx // lives as long as one walk
	buffers [levels][]byte         // one for each level, since all above are still being read
	visited chan struct{}          // told when the batch may be overwritten
}

// found is one account: as it is known, or read anew.
type found struct {
	id      AccountID
	known   *account // nil: it was not there before
	account *account // known itself: it has not changed
	errors  int
}

func newScan(ctx context.Context, known map[AccountID]*account, now time.Time, full bool) *scan {
	return &scan{
		ctx: ctx, known: known, full: full, flags: unix.O_NOATIME,
		young: now.Add(-settled).UnixNano(), visited: make(chan struct{}, 1),
	}
}

// batches reads the named accounts and shows itself after each batch.
func (s *scan) batches(root dir, batches <-chan []string, read chan<- *scan) {
	for names := range batches {
		s.found = s.found[:0]
		for _, name := range names {
			s.account(root, name)
		}
		select {
		case read <- s:
		case <-s.ctx.Done():
			return
		}
		select {
		case <-s.visited:
		case <-s.ctx.Done():
			return
		}
	}
}

// account looks at one account, and reads it where that may tell something new.
func (s *scan) account(root dir, name string) {
	// Its time first: what changes while it is being read moves the time again.
	modified, err := root.modified(name)
	if vanished(err) {
		return
	}
	id := IDOf(name)
	known := s.known[id]
	if !s.full && known != nil && known.modified == modified && !known.restless {
		s.found = append(s.found, found{id: id, known: known, account: known})
		return
	}
	s.entries, s.errors, s.restless = s.entries[:0], 0, modified > s.young
	if err = s.directory(root, name, 0, 0); vanished(err) {
		return
	}
	s.failed(err)
	slices.SortFunc(s.entries, entry.compare)
	now, same := known, known != nil && known.files.equal(s.entries)
	if !same || s.errors > 0 || known.blind || known.modified != modified || known.restless != s.restless {
		now = &account{modified: modified, restless: s.restless}
		if same {
			now.files = known.files
		} else {
			now.files = pack(s.entries)
		}
	}
	s.found = append(s.found, found{id, known, now, s.errors})
}

// directory adds the files of a directory and of those below. path is a hash of the names that lead to it.
func (s *scan) directory(parent dir, name string, path uint32, level int) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	if level == levels {
		return errTooDeep
	}
	d, err := parent.open(name, s.flags)
	if errors.Is(err, unix.EPERM) && s.flags&unix.O_NOATIME != 0 {
		s.flags &^= unix.O_NOATIME // only the owner of a directory may read it unnoticed
		d, err = parent.open(name, s.flags)
	}
	if err != nil {
		return err
	}
	defer d.close()
	if s.buffers[level] == nil {
		s.buffers[level] = make([]byte, 8<<10)
	}
	entries := 0
	err = d.each(s.buffers[level], func(name string, is kind) error {
		entries++
		path := below(path, name)
		switch is {
		case directory:
			s.restless = s.restless || level > 0
			s.failed(s.directory(d, name, path, level+1))
		case file:
			f, err := d.file(name)
			if err != nil {
				s.failed(err)
				return nil
			}
			s.restless = s.restless || f.Modified > s.young/int64(time.Second)
			s.entries = append(s.entries, entryOf(path, f))
		case other:
			s.restless = s.restless || level > 0
		}
		return s.ctx.Err()
	})
	s.restless = s.restless || level == 1 && entries != 1
	return err
}

// failed counts an error, unless ejabberd only removed what was being looked at, or the walk is called off.
func (s *scan) failed(err error) {
	switch {
	case err == nil:
	case vanished(err):
		s.restless = true
	case s.ctx.Err() == nil:
		s.errors++
	}
}

// vanished tells whether something was removed or replaced after it was listed.
func vanished(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP)
}
