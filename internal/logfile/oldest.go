// SPDX-License-Identifier: Apache-2.0

package logfile

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// ErrPacked is told of a log that was compressed in a way that is not read here, so that its age is not known.
var ErrPacked = errors.New("a rotated log is compressed, and not by gzip")

// packed are the endings of what the usual programs make.
var packed = []string{".xz", ".bz2", ".zst", ".lz4", ".lzma", ".Z"}

// enough is how much of a log is read to find a line that has a time: what an incident left may stand before it.
const enough = 256 << 10

// Oldest is when the oldest message was written that is still in a log or in one of those that it was rotated into: all files
// beside it whose names begin as its own. Zero: there is none. A file that cannot be read is an error, since it may be the oldest.
func Oldest(path string) (time.Time, error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return time.Time{}, pathless(err)
	}
	var oldest time.Time
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), filepath.Base(path)) || !entry.Type().IsRegular() {
			continue
		}
		first, err := firstTime(filepath.Join(filepath.Dir(path), entry.Name()))
		switch {
		case errors.Is(err, fs.ErrNotExist): // rotated away meanwhile
		case err != nil:
			return time.Time{}, pathless(err)
		case oldest.IsZero() || !first.IsZero() && first.Before(oldest):
			oldest = first
		}
	}
	return oldest, nil
}

// firstTime is that of the first message in a file.
func firstTime(path string) (time.Time, error) {
	file, err := os.Open(path)
	if err != nil {
		return time.Time{}, err
	}
	defer func() { _ = file.Close() }()
	if slices.Contains(packed, filepath.Ext(path)) {
		return time.Time{}, ErrPacked
	}
	var text io.Reader = file
	if strings.HasSuffix(path, ".gz") {
		if text, err = gzip.NewReader(file); err != nil {
			return time.Time{}, fmt.Errorf("a compressed log: %w", err)
		}
	}
	lines := bufio.NewScanner(io.LimitReader(text, enough))
	lines.Buffer(nil, enough)
	for lines.Scan() {
		if l, ok := parse(lines.Bytes()); ok {
			if at, ok := written(l.time); ok {
				return at, nil
			}
		}
	}
	return time.Time{}, lines.Err()
}
