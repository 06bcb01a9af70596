// SPDX-License-Identifier: Apache-2.0

package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

const (
	// chunk is how much is read at once, and maxLine how much of a line is looked at: what is worth counting stands at its
	// beginning, or at the end of one that is not longer.
	chunk   = 64 << 10
	maxLine = 8 << 10
	// burst bounds how much one look reads: the rest is for the next one.
	burst = 16 << 20
)

// tail reads what is added to one file.
type tail struct {
	file   *os.File
	offset int64
	line   []byte // the beginning, up to maxLine, of a line whose end is not there yet
	passed bool   // that line began before us: it is passed over
}

// open opens a log, at its end or at its beginning.
func open(path string, atEnd bool) (*tail, os.FileInfo, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no regular file")
	}
	if err != nil {
		_ = file.Close()
		return nil, nil, err
	}
	t := &tail{file: file, line: make([]byte, 0, maxLine)}
	if atEnd && info.Size() > 0 {
		t.offset = info.Size()
		last := make([]byte, 1)
		_, err := file.ReadAt(last, t.offset-1)
		t.passed = err == nil && last[0] != '\n'
	}
	return t, info, nil
}

// read gives each has every line that was completed since the last time. buffer is anything to read into.
func (t *tail) read(buffer []byte, each func(line []byte)) error {
	info, err := t.file.Stat()
	if err != nil {
		return pathless(err)
	}
	if info.Size() < t.offset { // emptied in place
		t.offset, t.line, t.passed = 0, t.line[:0], false
	}
	for end := t.offset + burst; t.offset < end; {
		n, err := t.file.ReadAt(buffer, t.offset)
		t.offset += int64(n)
		t.split(buffer[:n], each)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return pathless(err)
		}
	}
	return nil
}

// split finds the lines in what was read.
func (t *tail) split(text []byte, each func(line []byte)) {
	for len(text) > 0 {
		end := bytes.IndexByte(text, '\n')
		if end < 0 {
			t.keep(text)
			return
		}
		t.keep(text[:end])
		if !t.passed {
			each(t.line)
		}
		t.line, t.passed = t.line[:0], false
		text = text[end+1:]
	}
}

// keep adds to the line as long as it is not too long.
func (t *tail) keep(text []byte) {
	t.line = append(t.line, text[:min(len(text), maxLine-len(t.line))]...)
}

// pathless is an error without the name of the file.
func pathless(err error) error {
	if bad, ok := errors.AsType[*fs.PathError](err); ok {
		err = bad.Err
	}
	return fmt.Errorf("read ejabberd.log: %w", err)
}
