// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

const day = 24 * time.Hour

// issue makes a certificate that is as old as told and good for 90 days.
func issue(t *testing.T, age time.Duration, names ...string) *service.Certificate {
	t.Helper()
	ca, err := service.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now().Add(-age)
	c, err := ca.Issue(service.CertOptions{Names: names, NotBefore: began, NotAfter: began.Add(90 * day)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func leaf(c *service.Certificate) *x509.Certificate { return c.TLS.Leaf }

// write writes a file as it would lie there for some time.
func write(t *testing.T, dir, name string, text []byte, age time.Duration) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, time.Now().Add(-age)); err != nil {
		t.Fatal(err)
	}
}

// public is a certificate with its chain, without its key.
func public(c *service.Certificate) []byte {
	at := bytes.Index(c.PEM, []byte("-----BEGIN PRIVATE KEY"))
	return c.PEM[:at]
}

func TestReadableFiles(t *testing.T) {
	dir := t.TempDir()
	old, renewed, other := issue(t, 60*day, "a.example", "*.a.example"), issue(t, time.Hour, "a.example", "*.a.example"), issue(t, time.Hour, "b.example")
	write(t, dir, "new.pem", public(renewed), 0)
	write(t, dir, "other.pem", public(other), 0)
	write(t, dir, "privkey.pem", other.PEM, 0)
	write(t, dir, "README", []byte("no certificate"), 0)
	disk := ReadDisk([]string{filepath.Join(dir, "*.pem"), filepath.Join(dir, "README"), filepath.Join(dir, "missing.pem")})
	if notes := disk.Notes(); len(notes) != 1 || !strings.Contains(notes[0], "files with private keys that the exporter could read (1)") {
		t.Errorf("the file with a key must be spoken of: %q", notes)
	}
	if got := disk.Newest("chat.a.example"); !got.Equal(leaf(renewed)) {
		t.Error("not the newest certificate of a wildcard")
	}
	if disk.Newest("c.example") != nil {
		t.Error("a certificate for a name that none has")
	}
	for name, c := range map[string]struct {
		host           string
		served         *service.Certificate
		matches, known bool
	}{
		"reloaded":              {"a.example", renewed, true, true},
		"never reloaded":        {"a.example", old, false, true},
		"another one is served": {"a.example", other, false, true},
		"covered by a wildcard": {"chat.a.example", renewed, true, true},
	} {
		if matches, known := disk.Matches(c.host, leaf(c.served)); matches != c.matches || known != c.known {
			t.Errorf("%s: %v, %v", name, matches, known)
		}
	}
}

func TestFilesWithKeys(t *testing.T) {
	served := issue(t, 60*day, "a.example")
	for name, c := range map[string]struct {
		files          map[string]time.Duration // age of each file
		host           string
		matches, known bool
	}{
		"as issued":         {map[string]time.Duration{"all.pem": 60 * day}, "a.example", true, true},
		"copied soon after": {map[string]time.Duration{"all.pem": 50 * day}, "a.example", true, true},
		"renewed":           {map[string]time.Duration{"all.pem": time.Hour}, "a.example", false, true},
		"which of the two":  {map[string]time.Duration{"1.pem": 60 * day, "2.pem": time.Hour}, "a.example", false, false},
		"the one by name":   {map[string]time.Duration{"a.example.pem": 60 * day, "2.pem": time.Hour}, "a.example", true, true},
		"for another name":  {map[string]time.Duration{"all.pem": time.Hour}, "c.example", false, false},
		"nothing":           {nil, "a.example", false, false},
	} {
		dir := t.TempDir()
		for file, age := range c.files {
			write(t, dir, file, served.PEM, age)
		}
		disk := ReadDisk([]string{filepath.Join(dir, "*.pem")})
		if disk.Newest("a.example") != nil {
			t.Errorf("%s: a file with a key was read", name)
		}
		if notes := disk.Notes(); !strings.Contains(strings.Join(notes, ""), "no file of certfiles can be read") {
			t.Errorf("%s: nothing is said of what is missing: %q", name, notes)
		}
		if matches, known := disk.Matches(c.host, leaf(served)); matches != c.matches || known != c.known {
			t.Errorf("%s: matches %v, known %v", name, matches, known)
		}
	}
}
