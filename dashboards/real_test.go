// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// nothingHere are the queries that find nothing on the demo service, by board, panel and legend. Their panels say when.
var nothingHere = map[string]string{
	"accounts, Banned, ": "ejabberd of Debian 12 leaves no trace of a ban",
	"probes, What fails, and why, {{instance}} {{module}}: {{phase}}, {{reason}}": "nothing fails",
	"probes, What does not match, {{source}}: on disk":                            "the files here hold keys too: their dates tell nothing wrong, and nothing right",
	"probes, What does not match, {{name}} {{source}}: not on disk":               "nothing is wrong",
	"probes, What does not match, {{instance}}: {{check}}":                        "nothing is wrong",
	"probes, Versions of TLS, {{instance}} {{version}}: accepted":                 "obsolete versions are refused",
	"uploads, How old files were that the quota deleted, median age":              "the quota deletes nothing here",
	"abuse, Banned accounts, ":                                                    "ejabberd of Debian 12 leaves no trace of a ban",
	"abuse, How unlike names are, {{window}}":                                     "too few accounts are new",
	"usage, BOSH, ":  "nobody comes by BOSH here",
	"usage, PLAIN, ": "nobody uses it here",
	"storage, What accounts keep, invitations":             "invitations came with ejabberd 26.01",
	"exporter, Nodes of the cluster, sessions on {{node}}": "ejabberd of Debian 12 does not tell",
}

// TestPanelsOnARealService runs every query of every board against a Prometheus that scraped the exporter and its probes.
func TestPanelsOnARealService(t *testing.T) {
	t.Parallel()
	s := startScene(t)
	live(t, s)
	lately := func() span {
		return span{from: time.Now().Add(-5 * time.Minute), to: time.Now(), step: 15 * time.Second}
	}
	type wanted struct {
		name string
		query
	}
	var missing, excused []wanted
	eachQuery(func(b board, p panel, q query) {
		w := wanted{strings.Join([]string{b.name, p.title, q.legend}, ", "), q}
		if _, ok := nothingHere[w.name]; ok {
			excused = append(excused, w)
		} else {
			missing = append(missing, w)
		}
	})
	all := len(missing)
	t.Cleanup(func() {
		for _, w := range missing {
			t.Errorf("%s finds nothing:\n\t%s", w.name, s.fill(w.expr, 0))
		}
	})
	until(t, "every query finds something", func() bool {
		missing = slices.DeleteFunc(missing, func(w wanted) bool { return len(s.run(t, w.query, lately())) > 0 })
		return len(missing) == 0 || t.Failed()
	})
	for _, w := range excused {
		if lines := s.run(t, w.query, lately()); len(lines) > 0 {
			t.Errorf("%s finds something after all, take it off nothingHere: %v", w.name, lines)
		}
	}
	t.Logf("%d queries found something", all)

	t.Run("docs/switch-off.md", func(t *testing.T) {
		text, err := os.ReadFile("../docs/switch-off.md")
		if err != nil {
			t.Fatal(err)
		}
		queries := regexp.MustCompile("(?s)```promql\n(.*?)```").FindAllStringSubmatch(string(text), -1)
		if len(queries) != 3 {
			t.Errorf("%d queries, want 3", len(queries))
		}
		for _, q := range queries {
			// Steps of a minute are for a month: here, that would be a minute's wait.
			quick := strings.ReplaceAll(q[1], ":1m]", ":5s]")
			until(t, quick+"finds something", func() bool { return len(s.ask(t, "query", url.Values{"query": {quick}})) > 0 })
		}
		for _, l := range s.ask(t, "query", url.Values{"query": {queries[0][1]}}) {
			if line := "`{mechanism=\"" + l.labels["mechanism"] + "\"}`"; !strings.Contains(string(text), line) {
				t.Errorf("the first query answers %s, which the page does not say", line)
			}
		}
	})
	t.Run("variables", func(t *testing.T) { variablesOffer(t, s, lately()) })
	t.Run("a choice", func(t *testing.T) { onlyWhatWasChosen(t, s, lately()) })
	t.Run("no line twice", func(t *testing.T) {
		for _, b := range boards() {
			for _, p := range b.panels() {
				s.panelLines(t, p, lately())
			}
		}
	})
	t.Run("annotations", func(t *testing.T) {
		for _, a := range annotations() {
			expr, _ := a.Target["expr"].(string)
			lines := s.run(t, query{expr: expr, format: history}, lately())
			if a.Name == "Restarts" && len(lines) == 0 {
				t.Error("restarts would never be seen")
			}
		}
	})
}

// TestExcusesAreTold: what finds nothing on the demo service is of a panel that says when it is empty.
func TestExcusesAreTold(t *testing.T) {
	left := maps.Clone(nothingHere)
	eachQuery(func(b board, p panel, q query) {
		name := strings.Join([]string{b.name, p.title, q.legend}, ", ")
		if _, ok := left[name]; ok && p.empty == "" && len(p.show) == 1 {
			t.Errorf("%s does not say that it may be empty", name)
		}
		delete(left, name)
	})
	for name := range left {
		t.Errorf("nothingHere has %q, which no board has", name)
	}
}

// live lets people do on the service what people do.
func live(t *testing.T, s *scene) {
	t.Helper()
	ctx := t.Context()
	person := service.Account{User: "board-" + service.Canary, Domain: s.Domains[0], Password: password}
	if err := s.Ejabberd.Register(ctx, person); err != nil {
		t.Fatal(err)
	}
	client, err := s.LogIn(ctx, service.Session{Account: person, Resource: "board", Family: "ip4", Show: "available"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if err := client.Ping(ctx, s.Prosody.Domain); err != nil {
		t.Fatal(err)
	}
	if err := s.Upload(ctx, client, 4321); err != nil {
		t.Fatal(err)
	}
	wrong := person
	wrong.Password = "wrong-" + service.Canary
	if _, err := s.LogIn(ctx, service.Session{Account: wrong, Resource: "wrong", Family: "ip6", Show: "available"}); err == nil {
		t.Fatal("a wrong password is good enough")
	}
}

// variablesOffer: what the boards offer to choose from is what runs here.
func variablesOffer(t *testing.T, s *scene, over span) {
	want := map[string][]string{"job": {"ejabberd", "xmpp"}, "instance": {s.address}, "vhost": s.Domains}
	for _, b := range boards() {
		for _, v := range variables(b.hosts) {
			if v.Name == "datasource" {
				continue
			}
			if got := s.labelValues(t, *v.Query.String, over); !slices.Equal(got, want[v.Name]) {
				t.Errorf("%s: $%s offers %v, want %v", b.name, v.Name, got, want[v.Name])
			}
		}
	}
}

// onlyWhatWasChosen fills in a choice as Grafana does, and looks that nothing else is shown.
func onlyWhatWasChosen(t *testing.T, s *scene, over span) {
	chosen, other := s.Domains[1], s.Domains[0]
	only := server{url: s.url, variables: map[string]string{
		"job": "(ejabberd|xmpp)", "instance": escaped(s.address), "vhost": escaped(chosen),
	}}
	eachQuery(func(b board, p panel, q query) {
		for _, l := range only.run(t, q, over) {
			if l.labels["vhost"] == other || l.labels["instance"] == other {
				t.Errorf("%s, %s shows %v, though %s was chosen", b.name, p.title, l.labels, chosen)
			}
		}
	})
	sessions := only.ask(t, "query", url.Values{"query": {only.fill(boards()[0].panels()[2].show[0].expr, 0)}})
	if len(sessions) != 1 || !slices.Contains(slices.Collect(maps.Values(sessions[0].values)), float64(s.Truth.Sessions(chosen, ""))) {
		t.Errorf("%v sessions of %s, want %d", sessions, chosen, s.Truth.Sessions(chosen, ""))
	}
}

// escaped is a value of a variable that allows several, as Grafana puts it into a string of PromQL.
func escaped(value string) string { return strings.ReplaceAll(regexp.QuoteMeta(value), `\`, `\\`) }

func eachQuery(do func(board, panel, query)) {
	for _, b := range boards() {
		for _, p := range b.panels() {
			for _, q := range p.show {
				do(b, p, q)
			}
		}
	}
}
