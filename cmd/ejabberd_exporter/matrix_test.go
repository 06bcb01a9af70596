// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/service"
)

// rootsVariable lists, in the environment, directories of other Debian releases to run the matrix on, as scripts/make-root
// prints them.
const rootsVariable = "EJABBERD_ROOTS"

// kinds are the ways to set ejabberd up that change where the truth is.
var kinds = []struct {
	name    string
	options service.Options
}{
	{"new schema", service.Everything()},
	{"old schema", service.Options{NamesByAPI: true, People: true, Uploads: true, OldSchema: true}},
	{"sessions in SQL", service.Options{NamesByAPI: true, People: true, Uploads: true, ExtraConfig: "sm_db_type: sql"}},
	{"rooms in SQL", service.Options{NamesByAPI: true, People: true, Uploads: true, RoomsInSQL: true}},
	{"no SQL", service.Options{NamesByAPI: true, People: true, Uploads: true, NoSQL: true}},
}

// TestMatrix runs all collectors on all releases and kinds, compares every number with the truth, and with -update writes
// docs/compatibility.md. No collector may fail anywhere; what a server cannot know must be absent.
func TestMatrix(t *testing.T) {
	roots := append([]string{""}, strings.Fields(os.Getenv(rootsVariable))...)
	var columns []column
	for _, root := range roots {
		name := "here"
		if root != "" {
			name = filepath.Base(root)
		}
		t.Run(name, func(t *testing.T) {
			for _, kind := range kinds {
				t.Run(kind.name, func(t *testing.T) {
					options := kind.options
					options.Root = service.Root(root)
					columns = append(columns, matrixColumn(t, kind.name, options))
				})
			}
		})
	}
	if *update && !t.Failed() {
		writeCompatibility(t, columns)
	}
}

// column is what one server was found to be good for.
type column struct {
	kind                 string
	ejabberd, postgresql string
	cells                map[string]cell // by collector
}

// cell is what became of a collector. It works where off is empty.
type cell struct {
	off    string   // the reason why it is off
	absent []string // metrics that are not there though it works
}

func matrixColumn(t *testing.T, kind string, options service.Options) column {
	ports, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	options.ExtraModules = "  mod_metrics:\n    port: " + strconv.Itoa(ports[0])
	s := realService(t, options)
	truth := pageTruth(s)
	if s.Database != nil {
		for i, vhost := range s.Domains {
			store(t, s, vhost, len(s.Domains)-i)
			maps.Copy(truth, storedTruth(s, vhost, len(s.Domains)-i))
		}
		ghost(t, s)
		execute(t, s.Database, "ANALYZE") // estimates come with it
		sayWhichScram(t, s, truth)
	} else {
		for _, vhost := range s.Domains {
			maps.Copy(truth, onlineTruth(s, vhost))
		}
	}
	args := allCollectors(s)
	delete(truth, `ejabberd_database_connections{database="ejabberd",role="other"}`) // our own may not have ended yet
	d := serve(t, args...)
	page := d.scrape(t, time.Minute)
	exit, checked, log := checkPage(t, args...)
	if exit != 0 {
		t.Errorf("--check: exit %d:\n%s\n%s", exit, checked, log)
	}
	success(t, page)
	noSecrets(t, page, log, d.log.String())
	lint(t, page)
	c := column{kind: kind, cells: map[string]cell{}}
	c.ejabberd, c.postgresql = versions(t, s, page)
	for _, definition := range collector.All {
		c.cells[definition.Name] = cellOf(t, definition, page, checked, truth)
	}
	want(t, page, truth)
	return c
}

// sayWhichScram turns the truth into what is told from 25.03 on, when the table of accounts tells one SCRAM from the other.
func sayWhichScram(t *testing.T, s *service.Service, truth map[string]float64) {
	typed, err := s.Database.Count(t.Context(), "SELECT count(*) FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'type'")
	if err != nil {
		t.Fatal(err)
	}
	for _, vhost := range s.Domains {
		const series = `ejabberd_account_credentials{format="%s",vhost="%s"}`
		if scram := fmt.Sprintf(series, "scram", vhost); typed > 0 {
			truth[fmt.Sprintf(series, "scram-sha-1", vhost)] = truth[scram]
			delete(truth, scram)
		}
	}
}

// cellOf looks for a collector on the page, and takes from truth what it cannot know on this server.
func cellOf(t *testing.T, definition collector.Definition, page, checked string, truth map[string]float64) (c cell) {
	if _, ok := number(page, `ejabberd_exporter_collector_success{collector="`+definition.Name+`"}`); !ok {
		c.off = offReason(checked, definition.Name)
		if c.off == "" {
			t.Errorf("collector %s is neither on the page nor off:\n%s", definition.Name, checked)
		}
	}
	for _, m := range definition.Metrics {
		emitted := strings.Contains(page, "\n# TYPE "+m.Name+" ")
		switch {
		case emitted && c.off != "":
			t.Errorf("collector %s is off, but there is %s", definition.Name, m.Name)
		case !emitted:
			c.absent = append(c.absent, m.Name)
			maps.DeleteFunc(truth, func(series string, _ float64) bool {
				return strings.HasPrefix(series, m.Name+"{") || series == m.Name || strings.HasPrefix(series, m.Name+"_")
			})
		}
	}
	return c
}

// offReason finds in what --check printed why a collector is off.
func offReason(checked, name string) string {
	for line := range strings.Lines(checked) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[0] == "off" && fields[1] == name {
			return strings.Join(fields[2:], " ")
		}
	}
	return ""
}

func checkPage(t *testing.T, args ...string) (exit int, out, log string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var text, complaints strings.Builder
	exit = run(ctx, append([]string{"--check"}, args...), &text, &complaints)
	return exit, text.String(), complaints.String()
}

// versions are those of ejabberd and PostgreSQL.
func versions(t *testing.T, s *service.Service, page string) (ejabberd, postgresql string) {
	_, rest, _ := strings.Cut(page, "\nejabberd_info{")
	_, rest, _ = strings.Cut(rest, `version="`)
	ejabberd, _, _ = strings.Cut(rest, `"`)
	if s.Database != nil {
		n, err := s.Database.Count(t.Context(), "SELECT current_setting('server_version_num')::bigint")
		if err != nil {
			t.Fatal(err)
		}
		postgresql = strconv.FormatInt(n/10000, 10) + "." + strconv.FormatInt(n%10000, 10)
	}
	return ejabberd, postgresql
}
