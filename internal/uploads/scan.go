// SPDX-License-Identifier: Apache-2.0

package uploads

import (
	"context"
	"errors"
	"hash/maphash"
	"io/fs"

	"golang.org/x/sys/unix"
)

// levels bounds how deep directories are followed, and so the open descriptors. ejabberd's own tree has two below the root.
const levels = 8

// seed makes AccountIDs differ from process to process.
var seed = maphash.MakeSeed()

func idOf(name string) AccountID { return AccountID(maphash.String(seed, name)) }

// scan reads accounts, one after the other.
type scan struct {
	Account     // the last one
	Errors  int // in it

	ctx     context.Context //nolint:containedctx // lives as long as one walk
	buffers [levels][]byte  // one for each level, since all above are still being read
	visited chan struct{}   // told when the Account may be overwritten
}

func newScan(ctx context.Context) *scan { return &scan{ctx: ctx, visited: make(chan struct{}, 1)} }

// accounts reads the named accounts and shows itself after each.
func (s *scan) accounts(root dir, names <-chan string, read chan<- *scan) {
	for name := range names {
		s.Account, s.Errors = Account{ID: idOf(name), Files: s.Files[:0]}, 0
		s.directory(root, name, 0)
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

// directory adds the files of a directory and of those below.
func (s *scan) directory(parent dir, name string, level int) {
	if s.ctx.Err() != nil {
		return
	}
	if level == levels {
		s.Errors++
		return
	}
	d, err := parent.open(name)
	if err != nil {
		s.failed(err)
		return
	}
	defer d.close()
	if s.buffers[level] == nil {
		s.buffers[level] = make([]byte, 8<<10)
	}
	s.failed(d.each(s.buffers[level], func(name string, is kind) error {
		switch is {
		case directory:
			s.directory(d, name, level+1)
		case file:
			f, err := d.file(name)
			if err != nil {
				s.failed(err)
				return nil
			}
			s.Files = append(s.Files, f)
			s.Bytes += f.Size
		case other:
		}
		return s.ctx.Err()
	}))
}

// failed counts an error, unless ejabberd only removed what was being looked at, or the walk is called off.
func (s *scan) failed(err error) {
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENOTDIR) && !errors.Is(err, unix.ELOOP) &&
		s.ctx.Err() == nil {
		s.Errors++
	}
}
