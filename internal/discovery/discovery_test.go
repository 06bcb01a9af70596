// SPDX-License-Identifier: Apache-2.0

package discovery

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDocrootsKeepTheirOrder: file systems are numbered by it, and the numbers are labels.
func TestDocrootsKeepTheirOrder(t *testing.T) {
	options := Options{
		Default:  filepath.Join(t.TempDir(), "ejabberd.yml"),
		Docroots: map[string]string{"d.test": "/d", "b.test": "/b", "c.test": "/c", "a.test": "/a"},
	}
	for range 10 {
		found, err := Discover(t.Context(), options, nil)
		if err != nil {
			t.Fatal(err)
		}
		var order []string
		for _, u := range found.Sources.Uploads {
			order = append(order, u.Docroot)
		}
		if got := strings.Join(order, " "); got != "/a /b /c /d" {
			t.Fatalf("docroots in the order %s", got)
		}
	}
}

// TestChanged: a vhost that stays unknown must not have everything discovered anew, every minute.
func TestChanged(t *testing.T) {
	options := Options{Config: filepath.Join(t.TempDir(), "ejabberd.yml"), Docroots: map[string]string{"a.test": "/a"}}
	write := func(text string) {
		if err := os.WriteFile(options.Config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("hosts: [a.test]")
	found, err := Discover(t.Context(), options, nil)
	if err != nil {
		t.Fatal(err)
	}
	if found.Changed(options) {
		t.Error("the same file is something else")
	}
	write("hosts: [a.test, b.test]")
	if !found.Changed(options) {
		t.Error("a new vhost is nothing new")
	}
	if err := os.Remove(options.Config); err != nil {
		t.Fatal(err)
	}
	if !found.Changed(options) {
		t.Error("a file that is gone is nothing new")
	}
}
