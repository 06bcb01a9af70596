// SPDX-License-Identifier: Apache-2.0

// Package logfile counts what ejabberd writes into ejabberd.log. Lines are full of names and addresses: they are looked at and
// forgotten, only counters come out.
package logfile

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"sync"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/guard"
)

var (
	// ErrIdle says that nobody has told the follower where the log is.
	ErrIdle = errors.New("lines are counted by an exporter that keeps running")
	// ErrUnreadable says that the log is there, for others.
	ErrUnreadable = errors.New("ejabberd.log may not be read: add the exporter's user to the group of the file, adm on Debian (SupplementaryGroups=adm in its unit)")
	// ErrMissing says that there is no log at the path.
	ErrMissing = errors.New("there is no ejabberd.log where it should be: name it with --ejabberd.log")
)

const (
	// look is how often the log is looked at while nobody asks: ejabberd rotates after 10 MiB, which takes longer.
	look = time.Second
	// linger is how long a log that was renamed is read on: ejabberd goes on writing to it until it notices.
	linger = 5 * time.Second
)

// Counts are what was counted since the follower was made.
type Counts struct {
	Of       map[Key]uint64    // all counters there are
	Last     map[Key]time.Time // when it last happened, of what has and is not counted
	LastLine time.Time         // when ejabberd wrote the last line; zero where that is not known
}

// Follower follows ejabberd.log from its present end, through rotation, truncation and re-creation. Make one with New; it is
// safe for concurrent use.
type Follower struct {
	mu       sync.Mutex
	path     string
	now      *tail // nil: the log could not be opened
	before   *tail // the log that was renamed, until leave
	leave    time.Time
	fresh    bool // when the log appears, all of it is new
	failure  error
	bug      error // a panic: since then the counters may lack lines, so they are not told any more
	counts   map[Key]uint64
	lately   map[Key][]byte // times as written, of what is dated
	lastLine time.Time
	lastTime []byte // of the last line, as written
	buffer   []byte
}

// New makes a Follower that follows nothing yet.
func New() *Follower {
	return &Follower{counts: zeros(), lately: map[Key][]byte{}, buffer: make([]byte, chunk), lastTime: make([]byte, 0, maxTime)}
}

// Point makes the follower follow the log at path from now on, if it does not yet. Whether that works is told by Counts.
func (f *Follower) Point(path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if path == f.path {
		return
	}
	f.close()
	f.path, f.fresh = path, false
	f.look()
}

// Run looks at the log until ctx ends, then closes it.
func (f *Follower) Run(ctx context.Context) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			f.mu.Lock()
			defer f.mu.Unlock()
			f.close()
			f.path = ""
			return
		case <-tick.C:
			f.mu.Lock()
			f.look()
			f.mu.Unlock()
		}
	}
}

// Counts looks at the log and tells what was counted. It fails while the log can not be read.
func (f *Follower) Counts() (Counts, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.path == "" {
		return Counts{}, ErrIdle
	}
	f.look()
	if err := cmp.Or(f.bug, f.failure); err != nil {
		return Counts{}, err
	}
	if at, ok := written(f.lastTime); ok {
		f.lastLine = at
	}
	last := map[Key]time.Time{}
	for key, text := range f.lately {
		if at, ok := written(text); ok {
			last[key] = at
		}
	}
	return Counts{Of: maps.Clone(f.counts), Last: last, LastLine: f.lastLine}, nil
}

// look reads what is new, until a panic.
func (f *Follower) look() {
	if f.path == "" || f.bug != nil {
		return
	}
	if f.bug = guard.Run(func() error { f.advance(); return nil }); f.bug != nil {
		f.close()
	}
}

// advance reads what is new, in the log and in the one before it.
func (f *Follower) advance() {
	if f.before != nil {
		_ = f.before.read(f.buffer, f.take) // its failure is over with it
		if time.Now().After(f.leave) {
			_ = f.before.file.Close()
			f.before = nil
		}
	}
	if f.now == nil {
		f.open()
	}
	if f.now == nil {
		return
	}
	if f.failure = f.now.read(f.buffer, f.take); f.failure != nil {
		return
	}
	there, err := os.Stat(f.path)
	if err != nil { // renamed or removed, and not made anew yet: ejabberd may still be writing to it
		return
	}
	if open, err := f.now.file.Stat(); err == nil && !os.SameFile(there, open) {
		if f.before != nil {
			_ = f.before.file.Close()
		}
		f.before, f.leave = f.now, time.Now().Add(linger)
		f.now, f.fresh = nil, true
		f.advance()
	}
}

// open opens the log: at its end, unless all of it was written while we were looking.
func (f *Follower) open() {
	now, info, err := open(f.path, !f.fresh)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.failure, f.fresh = ErrMissing, true
	case errors.Is(err, fs.ErrPermission):
		f.failure = ErrUnreadable
	case err != nil:
		f.failure = errors.New("ejabberd.log can not be opened: name the log with --ejabberd.log")
	default:
		f.now, f.failure, f.fresh = now, nil, false
		if f.lastLine.IsZero() && info.Size() > 0 {
			f.lastLine = info.ModTime() // as good as the time in the line that we do not read
		}
	}
}

// take counts a line.
func (f *Follower) take(text []byte) {
	if at := f.count(text); at != nil {
		f.lastTime = append(f.lastTime[:0], at...)
	}
}

func (f *Follower) close() {
	for _, t := range []*tail{f.now, f.before} {
		if t != nil {
			_ = t.file.Close()
		}
	}
	f.now, f.before = nil, nil
}
