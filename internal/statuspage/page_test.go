// SPDX-License-Identifier: Apache-2.0

package statuspage

import (
	"context"
	"flag"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/xmpp/sasl"
	"github.com/chapril/ejabberd_exporter/probes"
)

var update = flag.Bool("update", false, "write the golden files anew")

// show gives the answer to a request for a page of these facts.
func show(t *testing.T, f Facts, method, url string) *httptest.ResponseRecorder {
	t.Helper()
	looked := false
	handler, err := Handler(func(ctx context.Context) Facts {
		looked = true
		if _, bounded := ctx.Deadline(); !bounded {
			t.Error("looking is not bounded")
		}
		return f
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(method, url, nil))
	if looked != (method == http.MethodGet && w.Code == http.StatusOK) {
		t.Errorf("%s %s, status %d: looked is %v", method, url, w.Code, looked)
	}
	return w
}

var (
	sheet  = regexp.MustCompile(`(?s)<style>.*?</style>`)
	breaks = regexp.MustCompile(`<(?:/?(?:p|li|ul|ol|h\d|div|dl|section|article|details|summary|tr|table|thead|tbody|header|main|footer|pre)\b)[^>]*>`)
	tags   = regexp.MustCompile(`(?s)<[^>]+>`)
	spaces = regexp.MustCompile(`[ \t]+`)
)

// text is what somebody reads on a page, a line for each block.
func text(page string) string {
	page = breaks.ReplaceAllString(sheet.ReplaceAllString(page, ""), "\n")
	page = strings.NewReplacer("<td", " | <td", "<dd", " | <dd", `<span class="number"`, ` | <span`, `<svg class="sign bad"`, `✕ <svg`, `<svg class="sign good"`, `✓ <svg`, `<svg class="sign warn"`, `! <svg`).Replace(page)
	page = html.UnescapeString(tags.ReplaceAllString(page, " "))
	var lines []string
	for line := range strings.Lines(page) {
		if line = strings.TrimSpace(spaces.ReplaceAllString(line, " ")); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// TestPages: what each situation looks like, to be read in testdata.
func TestPages(t *testing.T) {
	for name, facts := range situations() {
		t.Run(name, func(t *testing.T) {
			page := show(t, facts, http.MethodGet, "/").Body.String()
			golden(t, name+".txt", text(page))
			if name == "healthy" {
				golden(t, name+".html", sheet.ReplaceAllString(page, "<style></style>"))
			}
			sound(t, page)
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s has changed; go test ./internal/statuspage -update writes it anew. It is now:\n%s", path, got)
	}
}

// sound looks for what must be true of every page.
func sound(t *testing.T, page string) {
	t.Helper()
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if ids[m[1]] {
			t.Errorf("id %s stands there twice", m[1])
		}
		ids[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if !ids[m[1]] {
			t.Errorf("a link leads to #%s, which is not there", m[1])
		}
	}
	for _, never := range []string{"ZgotmplZ", "<no value>", "text of a stranger", "<script", " style=", "%!", "NaN", "http://www.example"} {
		if strings.Contains(page, never) {
			t.Errorf("the page has %q", never)
		}
	}
	if strings.Count(page, "<h1>") != 1 || !strings.Contains(page, `<html lang="en">`) || !strings.Contains(page, "<title>") {
		t.Error("the page has no language, title or heading")
	}
}

// TestAnswers: methods, headers, refreshing.
func TestAnswers(t *testing.T) {
	facts := healthy("example.org")
	w := show(t, facts, http.MethodGet, "/")
	policy := w.Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %s", policy)
	}
	if strings.Contains(w.Body.String(), "http-equiv") {
		t.Error("nobody asked for a page that loads itself again")
	}
	if head := show(t, facts, http.MethodHead, "/"); head.Body.Len() > 0 || head.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("HEAD gives %d bytes and %v", head.Body.Len(), head.Header())
	}
	if again := show(t, facts, http.MethodGet, "/?refresh=60").Body.String(); !strings.Contains(again, `<meta http-equiv="refresh" content="60">`) {
		t.Error("refresh=60 is not done")
	}
	for _, wrong := range []string{"1", "0", "-5", "86400", "soon"} {
		if w := show(t, facts, http.MethodGet, "/?refresh="+wrong); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "from 10 to 3600") {
			t.Errorf("refresh=%s: status %d, %s", wrong, w.Code, w.Body)
		}
	}
}

// TestNamesAreDeclared: a metric that is renamed must not vanish from the page in silence.
func TestNamesAreDeclared(t *testing.T) {
	declared := map[string]bool{}
	for _, d := range collector.All {
		for _, m := range d.Metrics {
			declared[m.Name] = true
		}
	}
	for _, p := range probes.All(sasl.Authenticate) {
		for _, m := range p.Metrics {
			declared[m.Name] = true
		}
	}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, path := range slices.DeleteFunc(sources, func(p string) bool { return strings.HasSuffix(p, "_test.go") }) {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"((?:ejabberd|probe)_[a-z0-9_]+)"`).FindAllStringSubmatch(string(source), -1) {
			found++
			if !declared[m[1]] {
				t.Errorf("%s names %s, which nobody declares", path, m[1])
			}
		}
	}
	if found < 30 {
		t.Errorf("found %d names only: this test looks for the wrong thing", found)
	}
}

// TestWordsAreComplete: every service and every reason has words for people.
func TestWordsAreComplete(t *testing.T) {
	told := 0
	for _, p := range probes.All(sasl.Authenticate) {
		for _, m := range p.Metrics {
			for _, l := range m.Labels {
				words := map[string]map[string]string{"srv": services, "reason": causes, "family": familyNames}[l.Name]
				if words == nil {
					continue
				}
				for _, value := range l.Values() {
					if told++; words[value] == "" {
						t.Errorf("%s of %s: nobody says what %s is", l.Name, m.Name, value)
					}
				}
			}
		}
	}
	if told == 0 {
		t.Error("this test looks for the wrong thing")
	}
}
