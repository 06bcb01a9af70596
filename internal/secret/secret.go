// SPDX-License-Identifier: Apache-2.0

// Package secret reads the files that passwords are in, and keeps the process that holds them from leaving them elsewhere.
//
// A file that everybody on the machine may read keeps no secret, so it is refused rather than used. Errors repeat neither what
// stands in the file nor its path: whoever named it knows it.
package secret

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxSize bounds what is read. Passwords are shorter.
const maxSize = 64 << 10

// ErrReadable says that others than owner and group of a file may use it.
var ErrReadable = errors.New("it holds a secret and others may read it: chmod o-rwx")

// mounted are the directories in which container engines put secrets: readable for everybody in the container, and for nobody
// outside of it.
var mounted = []string{"/run/secrets/", "/var/run/secrets/"}

// Read reads the first line of a file.
func Read(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", Pathless(err)
	}
	defer func() { _ = file.Close() }()
	if err := Guarded(file); err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	line, _, _ := strings.Cut(string(text), "\n")
	line = strings.TrimRight(line, "\r")
	switch {
	case err != nil:
		return "", Pathless(err)
	case len(line) > maxSize:
		return "", fmt.Errorf("its first line is longer than %d KiB", maxSize>>10)
	case line == "":
		return "", errors.New("it is empty, or its first line is")
	}
	return line, nil
}

// Guarded tells whether an open file with a secret is closed to others. Pipes and devices hold nothing.
func Guarded(file *os.File) error {
	about, err := file.Stat()
	if err != nil {
		return Pathless(err)
	}
	path := filepath.Clean(file.Name())
	for _, dir := range mounted {
		if strings.HasPrefix(path, dir) {
			return nil
		}
	}
	if about.Mode().IsRegular() && about.Mode().Perm()&0o007 != 0 {
		return ErrReadable
	}
	return nil
}

// Pathless takes the path out of an error: it may be private, and whoever named the file knows it.
func Pathless(err error) error {
	if inner, ok := errors.AsType[*fs.PathError](err); ok {
		return inner.Err
	}
	return err
}
