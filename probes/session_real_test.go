// SPDX-License-Identifier: Apache-2.0

package probes_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/service"
	"github.com/chapril/ejabberd_exporter/internal/xmpp/sasl"
	"github.com/chapril/ejabberd_exporter/probes"
)

// secretFile writes a file with a password.
func secretFile(t *testing.T, password string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(path, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// publish puts a domain on a block list.
func publish(t *testing.T, s *service.Service, who service.Account, port int, to, node, domain string) {
	t.Helper()
	c, err := service.Connect(t.Context(), service.Login{Account: who, Resource: "lists", Address: "127.0.0.1:" + strconv.Itoa(port)}, s.CA.Pool())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	item := fmt.Sprintf("<item id='%x'><listed xmlns='example:listed'/></item>", sha256.Sum256([]byte(domain)))
	if _, err := c.Ask(t.Context(), "set", to, "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='"+node+"'>"+item+"</publish></pubsub>"); err != nil {
		t.Fatal(err)
	}
}

// TestRealSessions: what users do, on a real ejabberd with a component and a peer.
func TestRealSessions(t *testing.T) {
	t.Parallel()
	s := service.ForTest(t, service.Options{NoSQL: true, Component: true, Peer: true})
	domain, foreign := s.Domains[0], s.Domains[1]
	as := []string{"jid=" + s.Admin.JID(), "password-file=" + secretFile(t, s.Admin.Password)}
	second := []string{"second-jid=" + s.Exporter.JID(), "second-password-file=" + as[1][len("password-file="):]}
	peer := []string{"jid=" + s.Prosody.Account.JID(), "password-file=" + secretFile(t, s.Prosody.Account.Password)}
	lists, ours := "pubsub."+s.Prosody.Domain, "pubsub."+domain
	publish(t, s, s.Prosody.Account, s.Prosody.C2S, lists, "ours", domain)
	publish(t, s, s.Prosody.Account, s.Prosody.C2S, lists, "component", "conference."+domain)
	publish(t, s, s.Prosody.Account, s.Prosody.C2S, lists, "others", "spam.example")
	publish(t, s, s.Admin, s.Ejabberd.Config.Ports.C2S, ours, "ours", domain)
	publish(t, s, s.Admin, s.Ejabberd.Config.Ports.C2S, ours, "others", "spam.example")
	for _, c := range []struct {
		name     string
		probe    probes.Probe
		domain   string
		settings []string
		state    probes.State
		figures  map[string]string
		says     string // summary, Notes, error
	}{
		{
			"login", probes.Login(sasl.Authenticate), domain, as, probes.OK,
			map[string]string{"ping_failed": "0", "components_failed": "U"},
			"logged in by SCRAM-SHA-",
		},
		{
			"pings and components", probes.Login(sasl.Authenticate), domain,
			append([]string{
				"ping=" + s.Prosody.Domain, "ping=" + foreign, "component=echo",
				"component=conference=conference/text", "component=upload=store/file", "component=pubsub." + domain + "=pubsub/service",
			}, as...),
			probes.Critical,
			map[string]string{"ping_failed": "0", "components_failed": "1"},
			"CRITICAL echo." + domain + ": ping: the server answered service-unavailable",
		},
		{
			"wrong sort of component", probes.Login(sasl.Authenticate), domain,
			append([]string{"component=conference=pubsub/service"}, as...),
			probes.Critical,
			map[string]string{"components_failed": "1"},
			"it is not pubsub/service but conference/text",
		},
		{
			"a peer that does not exist", probes.Login(sasl.Authenticate), domain,
			append([]string{"ping=nosuch.test"}, as...),
			probes.Critical,
			map[string]string{"ping_failed": "1"},
			"CRITICAL nosuch.test: ping: the server answered remote-server-not-found",
		},
		{
			"wrong password", probes.Login(sasl.Authenticate), domain,
			[]string{as[0], "password-file=" + secretFile(t, "wrong")},
			probes.Critical,
			map[string]string{"auth": "U", "ping": "U"},
			"auth: login refused: not-authorized",
		},
		{
			"an abuse contact", probes.Login(sasl.Authenticate), domain,
			append([]string{"abuse-contact=true"}, as...),
			probes.OK,
			map[string]string{"abuse_contact": "1", "block_listed": "U"},
			"OK " + domain + ": has an abuse contact",
		},
		{
			"no abuse contact", probes.Login(sasl.Authenticate), s.Prosody.Domain,
			append([]string{"abuse-contact=true"}, peer...),
			probes.Warning,
			map[string]string{"abuse_contact": "0"},
			"WARNING " + s.Prosody.Domain + ": nobody can tell whom to write to about abuse",
		},
		{
			"on a block list", probes.Login(sasl.Authenticate), domain,
			append([]string{"block-list=" + lists + "/others", "block-list=" + lists + "/ours", "block-list=" + lists + "/none"}, as...),
			probes.Warning,
			map[string]string{"abuse_contact": "U", "block_listed": "1"},
			"WARNING " + lists + ": " + domain + " is on its block list ours",
		},
		{
			"a component on a block list", probes.Login(sasl.Authenticate), domain,
			append([]string{"component=conference", "block-list=" + lists + "/component"}, as...),
			probes.Warning,
			map[string]string{"components_failed": "0", "block_listed": "1"},
			"WARNING " + lists + ": conference." + domain + " is on its block list component",
		},
		{
			"on a block list of ejabberd", probes.Login(sasl.Authenticate), domain,
			append([]string{"block-list=" + ours + "/ours"}, as...),
			probes.Warning,
			map[string]string{"block_listed": "1"},
			"WARNING " + ours + ": " + domain + " is on its block list ours",
		},
		{
			"on no block list", probes.Login(sasl.Authenticate), domain,
			append([]string{"block-list=" + lists + "/others", "block-list=" + ours + "/others"}, as...),
			probes.OK,
			map[string]string{"block_listed": "0"},
			"OK " + lists + ": its block list others does not have us",
		},
		{
			"no such block list", probes.Login(sasl.Authenticate), domain,
			append([]string{"block-list=" + lists + "/others", "block-list=" + lists + "/none"}, as...),
			probes.Warning,
			map[string]string{"block_listed": "U"},
			"WARNING " + lists + ": whether its block list none has us is unknown: the server answered item-not-found",
		},
		{
			"no service of block lists", probes.Login(sasl.Authenticate), domain,
			append([]string{"block-list=" + s.Prosody.Domain + "/none"}, as...),
			probes.Warning,
			map[string]string{"block_listed": "U"},
			"is unknown: the server answered ",
		},
		{
			"echo component", probes.Echo(sasl.Authenticate), domain, as, probes.OK,
			map[string]string{"lost": "0"},
			"3 of 3 messages came back from echo." + domain,
		},
		{
			"two accounts", probes.Echo(sasl.Authenticate), domain,
			append(append([]string{"count=2"}, as...), second...),
			probes.OK,
			map[string]string{"lost": "0"},
			"2 of 2 messages came back from the second account",
		},
		{
			"no such peer", probes.Echo(sasl.Authenticate), domain,
			append([]string{"peer=nobody." + domain}, as...),
			probes.Critical,
			map[string]string{"lost": "3", "rtt": "U"},
			"message: 3 of 3 messages did not come back from nobody." + domain,
		},
		{
			"upload", probes.Upload(sasl.Authenticate), domain, as, probes.OK,
			map[string]string{"max_file_size": "1.048576e+08"},
			"1024 bytes uploaded in ",
		},
		{
			"captcha", probes.Register(), domain, nil, probes.OK,
			map[string]string{"register": "1", "captcha": "1"},
			"registration is open with a captcha",
		},
		{
			"captcha where it should be closed", probes.Register(), domain,
			[]string{"expect=closed"},
			probes.Critical,
			map[string]string{"register": "1", "captcha": "1"},
			"get: registration is open with a captcha instead of closed",
		},
		{
			"closed", probes.Register(), s.Prosody.Domain,
			[]string{"expect=closed"},
			probes.OK,
			map[string]string{"register": "0", "captcha": "U"},
			"registration is closed",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			settings := append([]string{"resolver=" + s.Resolver.Addr(), "ca-file=" + s.CAFile}, c.settings...)
			r, err := runOn(t, c.probe, c.domain, settings...)
			state := r.Worst()
			said := r.Summary + "\n" + texts(r)
			if err != nil {
				state, said = probes.Critical, said+err.Error()
			}
			if state != c.state || !strings.Contains(said, c.says) {
				t.Errorf("%v: %s\nwant %v: %s", state, said, c.state, c.says)
			}
			wantFigures(t, c.probe, r, c.figures)
			if total, ok := figure(t, c.probe, r, "time"); !ok || total <= 0 || total > 5 {
				t.Errorf("time %v, %v", total, ok)
			}
			for _, secret := range []string{s.Admin.User, s.Admin.Password, service.Canary} {
				if text := said + r.Set.Text(); strings.Contains(text, secret) {
					t.Errorf("%q stands in\n%s", secret, text)
				}
			}
		})
	}
	var found struct{ Stat int }
	if err := s.Ejabberd.Call(t.Context(), "stats_host", map[string]any{"name": "registeredusers", "host": domain}, &found); err != nil || found.Stat != s.Truth.Accounts(domain) {
		t.Errorf("%d accounts after all that, want %d: %v", found.Stat, s.Truth.Accounts(domain), err)
	}
}
