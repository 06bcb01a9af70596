// SPDX-License-Identifier: Apache-2.0

// Package certs compares the certificates that ejabberd serves with those on disk: a certificate that was renewed and never
// reloaded works until the day it expires. Private keys are none of its business: a file that holds one is wiped from memory before anything looks into it.
package certs

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
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
	keyed        []keyed // files that hold a key, or are closed to us, most likely since they hold one
	refused      int     // of those, the ones that we could have read
	wanted       bool    // ejabberd.yml names files
}

// keyed is a file whose date is all that is known of it.
type keyed struct {
	path    string
	written time.Time
}

// ReadDisk reads the files that match the patterns of ejabberd.yml.
func ReadDisk(patterns []string) *Disk {
	d := &Disk{wanted: len(patterns) > 0}
	for _, path := range matches(patterns) {
		info, err := os.Stat(path)
		if err != nil {
			continue
		}
		text, err := read(path, info.Size())
		if errors.Is(err, errKey) {
			d.refused++
		}
		if err != nil {
			d.keyed = append(d.keyed, keyed{path, info.ModTime()})
		}
		d.add(text)
	}
	return d
}

// Notes say what keeps certificates from being compared, and what helps.
func (d *Disk) Notes() []string {
	var notes []string
	if d.refused > 0 {
		notes = append(notes, fmt.Sprintf("certfiles names files with private keys that the exporter could read (%d): it makes no use of them, take them out of its reach", d.refused))
	}
	if d.wanted && len(d.certificates) == 0 {
		notes = append(notes, "no file of certfiles can be read that holds no private key: the exporter knows at most their dates. "+
			"Name such files there, readable for all, to have served certificates compared with them")
	}
	return notes
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

var errKey = errors.New("holds a private key")

// read gives the text of a file that holds no private key.
func read(path string, size int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text := make([]byte, min(size, maxFile)) // the only copy, so that clear leaves nothing of a key
	n, err := io.ReadFull(file, text)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	text = text[:n]
	if bytes.Contains(text, []byte("PRIVATE KEY-----")) {
		clear(text)
		return nil, errKey
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
