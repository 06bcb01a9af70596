// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"io/fs"
	"testing"
)

// files stand for a file system: path to text. The text "!" stands for a file that may not be read.
type files map[string]string

func (f files) readFile(path string) ([]byte, error) {
	switch text, ok := f[path]; {
	case !ok:
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	case text == "!":
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
	default:
		return []byte(text), nil
	}
}

// read reads /etc/ejabberd/ejabberd.yml.
func (f files) read(environ ...string) (*Config, error) {
	return read("/etc/ejabberd/ejabberd.yml", f.readFile, environ)
}

// readText reads a configuration of one file.
func readText(t *testing.T, text string) *Config {
	t.Helper()
	config, err := files{"/etc/ejabberd/ejabberd.yml": text}.read()
	if err != nil {
		t.Fatal(err)
	}
	return config
}
