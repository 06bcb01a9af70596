// SPDX-License-Identifier: Apache-2.0

package discovery

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
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

// TestHostsThatTheAPIDidNotTellYet: where neither flags nor facts name the hosts, an API that is down at the start must not leave the
// exporter without any for ever.
func TestHostsThatTheAPIDidNotTellYet(t *testing.T) {
	facts := filepath.Join(t.TempDir(), "facts.json")
	var text strings.Builder
	if err := new(ejabberdconf.Config).Write(&text); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(facts, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	up := false
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !up {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, `["a.test"]`)
	}))
	defer api.Close()
	options := Options{Facts: facts, URL: api.URL + "/api"}
	found, err := Discover(t.Context(), options, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Sources.Vhosts) != 0 || !found.Changed(options) {
		t.Errorf("vhosts %v, nothing new to be found: %v", found.Sources.Vhosts, !found.Changed(options))
	}
	up = true
	again, err := Discover(t.Context(), options, found)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(again.Sources.Vhosts, []string{"a.test"}) {
		t.Errorf("vhosts %v", again.Sources.Vhosts)
	}
	found.Close(t.Context())
	again.Close(t.Context())
}
