// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// TestWhatCheckPrintsWorks pastes exactly what --check prints into a real service, until nothing is left to print.
func TestWhatCheckPrintsWorks(t *testing.T) {
	t.Parallel()
	service.Require(t)
	p := &patient{Service: service.ForTest(t, service.Options{})}
	makeDocroots(t, p.Service)
	p.flags = []string{"--ejabberd.config=" + p.Ejabberd.ConfigPath, "--ejabberd.ca-file=" + p.CAFile, "--database.password-file=" + file(t, "password", rolePassword)}
	check := func(more ...string) (exit int, text string) {
		exit, text, log := program(t, slices.Concat(p.flags, more, []string{"--check"})...)
		if strings.Contains(text+log, service.Canary) || strings.Contains(text+log, p.Database.Password) {
			t.Errorf("--check shows a secret:\n%s%s", text, log)
		}
		return exit, text
	}
	p.edit(t, func(yml map[string]any) { // an ejabberd that has never heard of us
		permissions := yml["api_permissions"].(map[string]any)
		delete(permissions, "exporter")
		delete(permissions, "exporter by account")
		delete(yml["acl"].(map[string]any), "exporter")
		yml["listen"] = slices.DeleteFunc(yml["listen"].([]any), func(l any) bool { return l.(map[string]any)["tag"] == "exporter" })
	})

	exit, text := check()
	wantLines(t, text, exit, 1, "  FAILED  server", "HTTP 403", "  FAILED  accounts", "login refused", "  ok      uploads")
	sql := section(t, text, "\nFor PostgreSQL\n\n")
	lines := section(t, text, "\nFor the admin API\n\n")

	execute(t, p.Database, sql)
	execute(t, p.Database, "ALTER ROLE ejabberd_exporter PASSWORD '"+rolePassword+"'")
	exit, text = check()
	wantLines(t, text, exit, 1, "  ok      accounts", "  FAILED  server")
	if strings.Contains(text, "For PostgreSQL") {
		t.Errorf("the role works, but --check prints the GRANTs:\n%s", text)
	}

	// The port that the lines propose may be taken on a machine where tests run side by side.
	ports, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	lines = strings.Replace(lines, fmt.Sprint("port: ", apiPort), fmt.Sprint("port: ", ports[0]), 1)
	p.edit(t, func(yml map[string]any) { merge(yml, yamlOf(t, lines)) })
	exit, text = check()
	wantLines(t, text, exit, 0, "  ok      server", "  ok      sessions", "  ok      s2s", "  off     online", "Everything that is enabled works.")
	section(t, text, "\nFor the admin API\n\n") // what is off by choice can be had
	success(t, p.serve(t).scrape(t, scrapeTimeout))

	// Names are a choice of its own: the lines for that are there, commented out.
	account := service.Account{User: "exporter", Domain: p.Domains[0], Password: service.Canary}
	if err := p.Ejabberd.Register(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	p.edit(t, func(yml map[string]any) { merge(yml, yamlOf(t, uncommented(t, lines))) })
	exit, text = check("--ejabberd.user="+account.JID(), "--ejabberd.password-file="+file(t, "account", account.Password))
	wantLines(t, text, exit, 0, "  ok      online", "  ok      connections", "  ok      activity", "Everything that is enabled works.")
	if strings.Contains(text, "For the admin API") {
		t.Errorf("all is allowed, but --check prints the lines:\n%s", text)
	}
	exit, text = check() // and still nobody else may ask for names
	wantLines(t, text, exit, 0, "  off     online", "  off     connections", "  off     activity")
}

func wantLines(t *testing.T, text string, exit, code int, lines ...string) {
	t.Helper()
	if exit != code {
		t.Errorf("exit %d, want %d:\n%s", exit, code, text)
	}
	for _, line := range lines {
		if !strings.Contains(text, line) {
			t.Errorf("no %q in\n%s", line, text)
		}
	}
}

// section is what follows a heading, up to the next.
func section(t *testing.T, text, heading string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, heading)
	if !found {
		t.Fatalf("--check does not print %q:\n%s", strings.TrimSpace(heading), text)
	}
	rest, _, _ = strings.Cut(rest, "\nFor ")
	return rest
}

// uncommented is the part of the lines that stands behind "#" in the first column, without prose, which has a space after it.
func uncommented(t *testing.T, lines string) string {
	t.Helper()
	_, part, found := strings.Cut(lines, "\n#acl:\n")
	if !found {
		t.Fatalf("no part for an account in\n%s", lines)
	}
	return "acl:\n" + strings.ReplaceAll("\n"+part, "\n#", "\n")
}

func yamlOf(t *testing.T, text string) map[string]any {
	t.Helper()
	var yml map[string]any
	if err := yaml.Unmarshal([]byte(text), &yml); err != nil {
		t.Fatalf("what is printed is no YAML: %v\n%s", err, text)
	}
	return yml
}

// merge does what a person does who merges lines into ejabberd.yml.
func merge(into, lines map[string]any) {
	for key, value := range lines {
		switch old := into[key].(type) {
		case map[string]any:
			merge(old, value.(map[string]any))
		case []any:
			into[key] = append(old, value.([]any)...)
		default:
			into[key] = value
		}
	}
}
