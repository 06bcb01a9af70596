// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/net/idna"
)

// Read reads ejabberd.yml, the files that it includes, and ejabberdctl.cfg beside it. What is not understood becomes a note;
// an error is a file that can not be read (fs.ErrPermission, fs.ErrNotExist), that is not YAML, or that names no host.
func Read(path string) (*Config, error) {
	return read(path, os.ReadFile, os.Environ())
}

func read(path string, readFile func(string) ([]byte, error), environ []string) (*Config, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("path of ejabberd's configuration: %w", err)
	}
	r := &reader{
		Config:   &Config{Path: path, Hosts: []string{}, Listeners: []Listener{}, Databases: []Database{}, Uploads: []Upload{}, CertFiles: []string{}},
		readFile: readFile,
		look:     everybodyLists,
		unicode:  map[string]string{},
	}
	r.readCtl(filepath.Join(filepath.Dir(path), "ejabberdctl.cfg"), environ)
	if filepath.Ext(path) == ".cfg" {
		r.notef("%s is in the Erlang form of old, which is not supported: ejabberdctl convert_to_yaml turns it into YAML", path)
		return r.Config, nil
	}
	if r.options, err = r.load(path); err != nil {
		return nil, err
	}
	if err := r.hosts(); err != nil {
		return nil, err
	}
	r.components()
	r.listeners()
	r.databases()
	r.sessions()
	r.storage()
	r.uploads()
	r.events()
	r.certFiles()
	r.policy()
	return r.Config, nil
}

// reader fills a Config.
type reader struct {
	*Config
	options  *options
	ctl      settings
	readFile func(string) ([]byte, error)
	look     func(docroot string) *bool
	hanging  bool              // look was given up
	unicode  map[string]string // vhost as ejabberd itself writes it, by its ASCII form
	files    int               // read so far, so that includes come to an end
}

// notef adds a note. No argument may be a value of the file.
func (r *reader) notef(format string, args ...any) {
	if note := fmt.Sprintf(format, args...); !slices.Contains(r.Notes, note) {
		r.Notes = append(r.Notes, note)
	}
}

// misread notes that the value of key was not understood.
func (r *reader) misread(n node, key, want string) {
	r.notef("%s: %s is not understood: want %s", n.position(), key, want)
}

func (r *reader) hosts() error {
	for _, n := range r.options.items("", "hosts") {
		host, ok := n.text()
		if !ok || host == "" {
			r.misread(n, "hosts", "names of hosts")
			continue
		}
		vhost := ascii(host)
		if _, known := r.unicode[vhost]; !known {
			r.unicode[vhost] = strings.ToLower(host)
			r.Hosts = append(r.Hosts, vhost)
		}
	}
	if len(r.Hosts) == 0 {
		return fmt.Errorf("%s: no hosts: is this ejabberd's configuration?", r.Path)
	}
	return nil
}

// ascii is the ASCII form of a host, in which the project writes all of them; ejabberd keeps them in Unicode.
func ascii(host string) string {
	if a, err := idna.Lookup.ToASCII(host); err == nil {
		return a
	}
	return strings.ToLower(host)
}

// unreadable explains why a file of ejabberd's can not be read.
func unreadable(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: %w: run as root or ejabberd, or let the service read facts: ejabberd_exporter --discover, as root, writes them without secrets, and --ejabberd.facts reads them", path, fs.ErrPermission)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %w: --ejabberd.config names the file", path, fs.ErrNotExist)
	}
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}
