// SPDX-License-Identifier: Apache-2.0

// Package certs compares the certificates that ejabberd serves with those on disk: a certificate that was renewed and never
// reloaded works until the day it expires. Private keys are none of its business: a file that holds one is put away unread.
package certs

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// maxFile is far more than any chain of certificates.
const maxFile = 1 << 20

// Disk is what lies on disk, as far as it may be read.
type Disk struct {
	certificates []*x509.Certificate
	keyed        []keyed
	// Keyed and Hidden count files that hold a private key, and those that may not be looked at.
	Keyed, Hidden int
}

// keyed is a file that holds a private key: its date is all that is known of it.
type keyed struct {
	path    string
	written time.Time
}

// ReadDisk reads the files that match the patterns of ejabberd.yml.
func ReadDisk(patterns []string) *Disk {
	d := &Disk{}
	for _, path := range matches(patterns) {
		info, err := os.Stat(path)
		if err != nil {
			d.Hidden++
			continue
		}
		text, err := read(path)
		switch {
		case err != nil:
			d.Hidden++
			d.keyed = append(d.keyed, keyed{path, info.ModTime()}) // most likely closed because it holds a key
		case text == nil:
			d.Keyed++
			d.keyed = append(d.keyed, keyed{path, info.ModTime()})
		}
		d.add(text)
	}
	return d
}

// matches are the files behind the patterns. A path that does not exist is none.
func matches(patterns []string) []string {
	var paths []string
	for _, pattern := range patterns {
		if found, err := filepath.Glob(pattern); err == nil {
			paths = append(paths, found...)
		}
	}
	return paths
}

// read gives the text of a file, nil where it holds a private key.
func read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFile))
	if err != nil {
		return nil, err
	}
	if bytes.Contains(text, []byte("PRIVATE KEY-----")) {
		clear(text)
		return nil, nil
	}
	return text, nil
}

func (d *Disk) add(text []byte) {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil && block.Type == "CERTIFICATE" {
			d.certificates = append(d.certificates, c)
		}
		text = rest
	}
}

// Newest is the certificate for the name that was issued last; nil where none is readable.
func (d *Disk) Newest(name string) *x509.Certificate {
	var newest *x509.Certificate
	for _, c := range d.certificates {
		if c.VerifyHostname(name) == nil && (newest == nil || c.NotBefore.After(newest.NotBefore)) {
			newest = c
		}
	}
	return newest
}

// Matches tells whether the certificate that is served for a name lies on disk; known is false where that cannot be said.
// Where only files with keys may be the ones, a file counts as renewed when it was written after the first third of the served
// certificate's life: no certificate is renewed earlier, and copies are rarely made later.
func (d *Disk) Matches(name string, served *x509.Certificate) (matches, known bool) {
	for _, c := range d.certificates {
		if c.VerifyHostname(name) == nil {
			known = true
			matches = matches || c.Equal(served)
		}
	}
	if known {
		return matches, true
	}
	file, ok := d.keyedFor(name)
	if !ok || served.VerifyHostname(name) != nil {
		return false, false
	}
	early := served.NotBefore.Add(served.NotAfter.Sub(served.NotBefore) / 3)
	return file.written.Before(early), true
}

// keyedFor is the file that must be the one for a name: the only one there is, or the only one with the name in its path.
func (d *Disk) keyedFor(name string) (keyed, bool) {
	if len(d.keyed) == 1 {
		return d.keyed[0], true
	}
	var named []keyed
	for _, k := range d.keyed {
		if strings.Contains(k.path, name) {
			named = append(named, k)
		}
	}
	if len(named) != 1 {
		return keyed{}, false
	}
	return named[0], true
}
