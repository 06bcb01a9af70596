// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// views are how the page is looked at.
var views = map[string]service.View{
	"light": {Width: 1200, Height: 900}, "dark": {Width: 1200, Height: 900, Dark: true},
	"phone": {Width: 390, Height: 844, Scale: 2}, "small phone": {Width: 320, Height: 568, Dark: true},
}

// TestStatusPage: the page in a real browser, of a real service.
func TestStatusPage(t *testing.T) {
	s := realService(t, service.Everything())
	browser := service.BrowserForTest(t)
	modules := file(t, "probe.yml", fmt.Sprintf("modules:\n  c2s: {}\n  s2s: {}\n  login: {jid: %s, password: %s}\n", s.Admin.JID(), s.Admin.Password))
	start := func() *daemon {
		d := serve(t, "--web.statistics", "--ejabberd.config="+s.Ejabberd.ConfigPath, "--probe.config="+modules,
			"--probe.resolver="+s.Resolver.Addr(), "--probe.ca-file="+s.CAFile)
		d.scrape(t, time.Minute)
		eventually(t, 2*time.Minute, "page on which nothing is still running", func() bool {
			status, page := d.get(t, "/", 10*time.Second)
			return status == http.StatusOK && !strings.Contains(page, "still being looked at")
		})
		return d
	}
	accounts := s.Truth.Accounts(s.Domains[0]) + s.Truth.Accounts(s.Domains[1])

	d := start()
	d.shown(t, browser,
		"chapril.test and libre.test", "Everything that is watched works.", "3 uploaded files are kept longer than promised.",
		fmt.Sprintf("Accounts %d ", accounts), "certificate 89 days", "Clients, STARTTLS", "IPv4 works", "IPv6 works",
		"xmpp.libre.test:", "Quota: 200 MiB an account.", "2 accounts are over the quota", "of 97", "Working (", "all that it saw")
	d.closed(t, browser)
	d.published(t, accounts, s.Truth.Active(s.Domains[0], month)+s.Truth.Active(s.Domains[1], month), s.Domains...)

	s.Ejabberd.Kill()
	down := start()
	down.shown(t, browser, "things need you", "ejabberd is down: its admin API does not answer", "systemctl start ejabberd",
		"Probes c2s and s2s fail at chapril.test and libre.test (connect: refused).", "nobody listens", "collector s2s fails",
		fmt.Sprintf("Accounts %d ", accounts)) // the database knows
	down.published(t, accounts, 0, s.Domains...)
	if err := s.Database.Exec(t.Context(), "REVOKE SELECT ON users FROM ejabberd_exporter"); err != nil {
		t.Fatal(err)
	}
	if err := s.Ejabberd.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	start().shown(t, browser, "GRANT", "permission denied: grant what ejabberd_exporter --check prints", "For PostgreSQL: lines that give what is missing")
}

// shown wants a page that everybody can read, in each view, with the texts.
func (d *daemon) shown(t *testing.T, browser *service.Browser, texts ...string) {
	t.Helper()
	for name, view := range views {
		tab, err := browser.Open(t.Context(), d.URL+"/", view)
		if err != nil {
			t.Fatal(err)
		}
		var text string
		var wide, faint []string
		for script, into := range map[string]any{
			`for (const d of document.querySelectorAll("details")) d.open = true; document.body.innerText`: &text,
			fmt.Sprintf(tooWide, view.Width): &wide, tooFaint: &faint,
		} {
			if err := tab.Evaluate(t.Context(), script, into); err != nil {
				t.Fatal(err)
			}
		}
		said := strings.Join(strings.Fields(text), " ")
		for _, want := range texts {
			if !strings.Contains(said, want) {
				t.Errorf("%s: the page does not say %q:\n%s", name, want, said)
			}
		}
		if len(wide) > 0 {
			t.Errorf("%s: wider than the window: %s", name, wide)
		}
		if len(faint) > 0 {
			t.Errorf("%s: too little contrast: %s", name, faint)
		}
		if complaints := tab.Complaints(); len(complaints) > 0 {
			t.Errorf("%s: the browser complains: %s", name, complaints)
		}
		for _, request := range tab.Requests() {
			if request != d.URL+"/" && !strings.HasPrefix(request, "data:") {
				t.Errorf("%s: the page loads %s", name, request)
			}
		}
	}
	status, page := d.get(t, "/", 10*time.Second)
	if status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	for _, aside := range []string{`(?s)<style>.*?</style>`, `(?s)<pre.*?</pre>`} { // @media, and an account to be made
		page = regexp.MustCompile(aside).ReplaceAllString(page, "")
	}
	noSecrets(t, page, d.log.String())
}

// tooWide lists what reaches beyond the width of the window and cannot be scrolled by itself.
const tooWide = `[...document.querySelectorAll("html, body *")]
	.filter(e => !e.closest("pre") && Math.max(e.getBoundingClientRect().right, e.tagName === "HTML" ? e.scrollWidth : 0) > %d + 0.5)
	.map(e => e.tagName + "." + e.className + ": " + e.textContent.slice(0, 40))`

// tooFaint lists texts whose contrast with what is behind them is below 4.5, the AA of WCAG.
const tooFaint = `(() => {
	const channels = c => c.match(/[\d.]+/g).map(Number);
	const light = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const behind = e => {
		for (; e; e = e.parentElement) {
			const c = channels(getComputedStyle(e).backgroundColor);
			if (c.length < 4 || c[3] === 1) return c;
		}
		return [255, 255, 255];
	};
	return [...document.querySelectorAll("body *")]
		.filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
		.filter(e => {
			const [a, b] = [light(channels(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
			return (a + 0.05) / (b + 0.05) < 4.5;
		})
		.map(e => e.className + ": " + e.textContent.trim().slice(0, 40));
})()`

// closed tries to run a script and to style something in the page: the policy must not let it.
func (d *daemon) closed(t *testing.T, browser *service.Browser) {
	t.Helper()
	tab, err := browser.Open(t.Context(), d.URL+"/", views["light"])
	if err != nil {
		t.Fatal(err)
	}
	var ran bool
	if err := tab.Evaluate(t.Context(), `(() => {
		const script = document.createElement("script");
		script.textContent = "window.ran = true";
		const style = document.createElement("style");
		style.textContent = "h1 { color: rgb(1, 2, 3) }";
		document.body.append(script, style);
		return window.ran === true || getComputedStyle(document.querySelector("h1")).color === "rgb(1, 2, 3)";
	})()`, &ran); err != nil {
		t.Fatal(err)
	}
	if ran || len(tab.Complaints()) == 0 {
		t.Errorf("the policy does not hold: ran is %v, complaints are %s", ran, tab.Complaints())
	}
}
