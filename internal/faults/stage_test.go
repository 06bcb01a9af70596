// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// stage is a real service with people, their files and their messages, and an exporter that has watched it for a while.
type stage struct {
	*service.Service
	relay   *relay
	door    *door
	veteran *exporter
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{Service: service.ForTest(t, service.Options{NamesByAPI: true, People: true, Uploads: true})}
	s.grant(t)
	must(t, s.Ejabberd.Reload(t.Context())) // later ones shall teach the exporter nothing new
	s.relay = newRelay(t, s.Ejabberd.APIURL())
	s.door = newDoor(t, s.Resolver.Addr())
	s.veteran = s.launch(t, "--ejabberd.url="+s.relay.url)
	eventually(t, patience, "word of every collector", func() bool {
		p := s.well(t, s.veteran, "/metrics")
		return !slices.ContainsFunc(s.veteran.collectors(t), func(name string) bool {
			_, spoke := p[`ejabberd_exporter_collector_success{collector="`+name+`"}`]
			return !spoke && !strings.Contains(s.veteran.log.String(), `"collector is off" collector=`+name+" ")
		})
	})
	return s
}

// collectors are the names of all, as the exporter says to who asks for one that it does not have.
func (e *exporter) collectors(t *testing.T) []string {
	t.Helper()
	_, text, _ := e.get(t, "/metrics?collect[]=none")
	_, names, listed := strings.Cut(strings.TrimSpace(text), "there are: ")
	if !listed {
		t.Fatalf("the exporter does not say which collectors there are: %q", text)
	}
	return strings.Split(names, ", ")
}

// launch starts an exporter with what it needs to know of this service.
func (s *stage) launch(t *testing.T, more ...string) *exporter {
	t.Helper()
	e := launch(t, append([]string{
		"--ejabberd.config=" + s.Ejabberd.ConfigPath, "--ejabberd.log=" + s.Ejabberd.LogPath(),
		"--probe.resolver=" + s.door.address, "--probe.ca-file=" + s.CAFile,
	}, more...)...)
	e.ready(t)
	return e
}

// grant makes the exporter's role, by the lines that it prints itself.
func (s *stage) grant(t *testing.T) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Database.Grant(t.Context(), path, rolePassword); err != nil {
		t.Fatal(err)
	}
}

// execute runs statements as PostgreSQL's superuser.
func (s *stage) execute(t *testing.T, statements ...string) {
	t.Helper()
	for _, sql := range statements {
		if err := s.Database.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
}

// inhabit lets somebody log in where the last fault threw everybody out: a 0 of nobody would prove nothing.
func (s *stage) inhabit(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.Clients[0].Ping(ctx, s.Domains[0]); err == nil {
		return
	}
	client, err := s.LogIn(ctx, service.Session{Account: s.Admin, Resource: service.Canary, Family: "ip4"})
	if err != nil {
		t.Fatal(err)
	}
	s.Clients[0] = client
}

// scrape wants an answer in time.
func (s *stage) scrape(t *testing.T, e *exporter, path string) (p page, seconds float64) {
	t.Helper()
	status, text, took := e.get(t, path)
	if status != http.StatusOK {
		t.Errorf("%s: status %d after %v:\n%s", path, status, took, e.log)
	}
	return read(t, text), took.Seconds()
}

// well waits until a page is without failure.
func (s *stage) well(t *testing.T, e *exporter, path string) (p page) {
	t.Helper()
	eventually(t, patience, "page without failure", func() bool {
		p, _ = s.scrape(t, e, path)
		return len(p.failed()) == 0 && len(p) > 0
	})
	return p
}

// lay puts an empty file, or a link where to is not empty, among the uploads of the first vhost.
func (s *stage) lay(t *testing.T, name, to string) {
	t.Helper()
	path := filepath.Join(s.docroot(), "odd", name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if to != "" {
		must(t, os.Symlink(to, path))
	} else {
		must(t, os.WriteFile(path, nil, 0o644))
	}
}

func (s *stage) docroot() string {
	return filepath.Join(s.Ejabberd.Config.UploadDir, s.Domains[0])
}
