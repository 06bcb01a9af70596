// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/service"
)

// fromAPI are the collectors that ask ejabberd; activity asks it who is online, banned for its release.
var fromAPI = append(from(collector.API), "activity", "banned", "newcomers")

// fromEjabberd are those that want an answer of ejabberd's, be it only a certificate.
var fromEjabberd = append(slices.Clone(fromAPI), "certificates")

// TestEjabberdHasABadDay: whatever ejabberd does, the page comes, and says what is known from elsewhere.
func TestEjabberdHasABadDay(t *testing.T) {
	t.Parallel()
	p := newPatient(t, service.Options{NamesByAPI: true})
	accounts := map[string]float64{}
	for _, vhost := range p.Domains {
		accounts[fmt.Sprintf(`ejabberd_accounts{vhost="%s"}`, vhost)] = float64(p.Truth.Accounts(vhost))
	}
	veteran := p.serve(t) // has seen better days
	success(t, veteran.scrape(t, scrapeTimeout))
	p.Ejabberd.Kill()
	early := p.serve(t) // is there before ejabberd

	t.Run("down", func(t *testing.T) {
		page := early.failing(t, of("check that ejabberd runs", fromEjabberd...))
		want(t, page, accounts)
		want(t, page, map[string]float64{"ejabberd_up": 0})
	})
	t.Run("down while serving", func(t *testing.T) {
		eventually(t, 15*time.Second, "ejabberd_up 0, and no connections", func() bool {
			page := veteran.scrape(t, scrapeTimeout)
			up, ok := number(page, "ejabberd_up")
			_, known := number(page, `ejabberd_s2s_connections{direction="in"}`)
			return ok && up == 0 && !known // each collector has kept its last numbers for ten seconds of its own
		})
		page := veteran.scrape(t, scrapeTimeout)
		absent(t, page, numbersOf([]string{"server", "s2s"})...)
		want(t, page, accounts)
		noSecrets(t, page, veteran.log.String())
		for _, name := range []string{"server", "s2s"} {
			if lines := veteran.said("collector failed", name); len(lines) != 1 {
				t.Errorf("%s: %d lines in the log, want 1:\n%s", name, len(lines), veteran.log)
			}
		}
		if err := p.Ejabberd.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.well(t)
		veteran.recovers(t, 15*time.Second, "server", "s2s")
	})
	t.Run("hangs", func(t *testing.T) {
		p.signal(t, syscall.SIGSTOP)
		defer func() {
			p.signal(t, syscall.SIGCONT)
			p.well(t)
		}()
		d := p.serve(t)
		eventually(t, 20*time.Second, "complaint of each collector", func() bool { // they wait for each other's calls
			d.scrape(t, scrapeTimeout)
			return strings.Count(d.log.String(), "collector failed") == len(fromEjabberd)
		})
		page := d.failing(t, of("ejabberd hangs or is overloaded", fromEjabberd...))
		want(t, page, accounts)
		want(t, page, map[string]float64{"ejabberd_up": 0})
	})
	t.Run("forbids", func(t *testing.T) {
		config := p.edit(t, func(yml map[string]any) { delete(yml["api_permissions"].(map[string]any), "exporter") })
		page := p.serve(t).failing(t, of("allow it in api_permissions, `ejabberd_exporter --check` prints the lines", fromAPI...))
		want(t, page, accounts)
		want(t, page, map[string]float64{"ejabberd_up": 1})
		p.configure(t, config)
		p.well(t)
	})
	t.Run("forbids names", func(t *testing.T) {
		config := p.edit(t, func(yml map[string]any) {
			yml["api_permissions"].(map[string]any)["exporter"].(map[string]any)["what"] = []any{
				"status", "stats", "stats_host", "registered_vhosts", "connected_users_number", "incoming_s2s_number", "outgoing_s2s_number", "list_cluster",
			}
		})
		d := p.serve(t)
		page := d.failing(t, nil)
		off := []string{"online", "connections", "activity", "newcomers", "rooms"}
		absent(t, page, numbersOf(off)...)
		for _, name := range off {
			if lines := d.said("collector is off", name); len(lines) != 1 {
				t.Errorf("%s must say once that it is off:\n%s", name, d.log)
			}
			if _, there := number(page, `ejabberd_exporter_collector_success{collector="`+name+`"}`); there {
				t.Errorf("%s is off by choice: that is neither success nor failure", name)
			}
		}
		p.configure(t, config)
	})
	t.Run("does not know the account", func(t *testing.T) {
		page := p.serve(t, "--ejabberd.user="+p.Exporter.JID(), "--ejabberd.password-file="+file(t, "wrong", "wrong-"+service.Canary)).
			failing(t, of("account or password is wrong", fromAPI...))
		want(t, page, accounts)
		want(t, page, map[string]float64{"ejabberd_up": 1})
		p.well(t, "--ejabberd.user="+p.Exporter.JID(), "--ejabberd.password-file="+file(t, "right", p.Exporter.Password))
	})
	t.Run("has no API at this path", func(t *testing.T) {
		page := p.serve(t, "--ejabberd.url="+p.Ejabberd.APIURL()+"/../nothing").
			failing(t, of("add mod_http_api to request_handlers, `ejabberd_exporter --check` prints the lines", fromAPI...))
		want(t, page, accounts)
		want(t, page, map[string]float64{"ejabberd_up": 1})
	})
	for name, answer := range map[string]http.HandlerFunc{
		"is something else": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprint(w, `{"hello":"`+service.Canary+`@host"}`)
		},
		"is a web site": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprint(w, `<!doctype html><p>`+service.Canary)
		},
		"answers noise":          func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("\x00\xff" + service.Canary)) },
		"answers without end":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte("["), 2<<20)) },
		"answers negative sizes": func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, `{"stat":-1}`) },
	} {
		t.Run(name, func(t *testing.T) {
			peer := httptest.NewServer(answer)
			defer peer.Close()
			page := p.serve(t, "--ejabberd.url="+peer.URL+"/api").failing(t, of("check that --ejabberd.url leads to ejabberd", fromAPI...))
			want(t, page, accounts)
		})
	}
	early.recovers(t, 40*time.Second, slices.DeleteFunc(fromEjabberd, func(name string) bool { return name == "banned" })...) // of a newer release
}

// signal stops ejabberd in the middle of what it does, or lets it go on.
func (p *patient) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.Ejabberd.Signal(s); err != nil {
		t.Fatal(err)
	}
}
