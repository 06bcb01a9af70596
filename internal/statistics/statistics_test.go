// SPDX-License-Identifier: Apache-2.0

package statistics

import (
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var update = flag.Bool("update", false, "write docs/examples/statistics.json anew")

var (
	accounts = &metric.Metric{Name: "ejabberd_accounts", Labels: []metric.Label{metric.Vhost}}
	active   = &metric.Metric{Name: "ejabberd_accounts_active", Labels: []metric.Label{metric.Vhost, metric.OneOf("window", "7d", "30d", "90d")}}
	s2s      = &metric.Metric{Name: "ejabberd_s2s_connections", Labels: []metric.Label{metric.OneOf("direction", "in", "out")}}
	nodes    = &metric.Metric{Name: "ejabberd_cluster_nodes", Labels: []metric.Label{metric.OneOf("state", "running", "stopped")}}
	info     = &metric.Metric{Name: "ejabberd_info", Labels: []metric.Label{metric.Like("version", `[0-9.]+`), metric.OneOf("node", "localhost")}}
)

// service are the facts of a service with two hosts.
func service() (Facts, *metric.Set) {
	bounds := metric.Bounds{}
	bounds.Bind("vhost", 0, "chapril.test", "libre.test")
	set := metric.NewSet(bounds)
	set.Add(info, 1, "23.01", "localhost")
	set.Add(nodes, 1, "running")
	return Facts{Sets: []*metric.Set{metric.NewSet(nil), set}, Floor: DefaultFloor, AllAccounts: true, AllActivity: true, OpenRegistrations: new(true)}, set
}

// full adds numbers of every kind.
func full(set *metric.Set) {
	set.Add(accounts, 2345, "chapril.test")
	set.Add(accounts, 17, "libre.test")
	set.Add(active, 512, "chapril.test", "7d")
	set.Add(active, 867, "chapril.test", "30d")
	set.Add(active, 12, "libre.test", "30d")
	set.Add(active, 1234, "chapril.test", "90d")
	set.Add(s2s, 148, "in")
	set.Add(s2s, 163, "out")
}

// answer asks the handler.
func answer(t *testing.T, f Facts, method string) *httptest.ResponseRecorder {
	t.Helper()
	looked := false
	w := httptest.NewRecorder()
	Handler(func(ctx context.Context) Facts {
		looked = true
		if _, bounded := ctx.Deadline(); !bounded {
			t.Error("looking is not bounded")
		}
		return f
	}).ServeHTTP(w, httptest.NewRequest(method, "/statistics.json", nil))
	if w.Code != http.StatusOK || looked != (method == http.MethodGet) {
		t.Errorf("%s: status %d, looked is %v", method, w.Code, looked)
	}
	return w
}

// TestMadeFromCode keeps the example what the code says, and the page what the example says.
func TestMadeFromCode(t *testing.T) {
	f, set := service()
	full(set)
	got := answer(t, f, http.MethodGet).Body.String()
	path := filepath.Join("..", "..", "docs", "examples", "statistics.json")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(path); err != nil || string(want) != got {
		t.Errorf("%s is not what is served: run make docs (%v)\n%s", path, err, got)
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "statistics.md"))
	if err != nil || !strings.Contains(string(page), "```json\n"+got+"```\n") {
		t.Errorf("docs/statistics.md does not show %s (%v)", path, err)
	}
}

// TestFewAreNotTold: below the floor there is no number at all, and above it no more than tens.
func TestFewAreNotTold(t *testing.T) {
	for _, c := range []struct{ floor, here, there, want int }{ // want 0: absent
		{20, 0, 0, 0},
		{20, 19, 0, 0},
		{20, 9, 10, 0},
		{20, 20, 0, 20},
		{20, 10, 10, 20}, // the service is told of, not its hosts
		{20, 15, 14, 20},
		{20, 30, 0, 30},
		{10, 9, 0, 0},
		{10, 11, 0, 10},
		{25, 24, 0, 0},
		{25, 29, 0, 20},
		{20, 1_000_000, 9, 1_000_000},
	} {
		f, set := service()
		f.Floor = c.floor
		for host, n := range map[string]int{"chapril.test": c.here, "libre.test": c.there} {
			set.Add(accounts, float64(n), host)
			set.Add(active, float64(n), host, "30d")
		}
		set.Add(s2s, float64(c.here+c.there), "in")
		set.Add(s2s, float64(c.here+c.there), "out")
		d := f.document()
		for name, told := range map[string]*int{
			"total": d.Usage.Users.Total, "activeMonth": d.Usage.Users.ActiveMonth, "in": d.Metadata.S2SIn, "out": d.Metadata.S2SOut,
		} {
			switch {
			case told == nil && c.want != 0:
				t.Errorf("%+v: %s is absent", c, name)
			case told != nil && *told != c.want:
				t.Errorf("%+v: %s is %d", c, name, *told)
			}
		}
	}
}

// TestUnknownIsAbsent: not 0, not false, not an empty text.
func TestUnknownIsAbsent(t *testing.T) {
	for what, c := range map[string]struct {
		forget func(*Facts, *metric.Set)
		absent []string
	}{
		"accounts of a host":    {func(f *Facts, _ *metric.Set) { f.AllAccounts = false }, []string{"total"}},
		"activity of a host":    {func(f *Facts, _ *metric.Set) { f.AllActivity = false }, []string{"activeMonth"}},
		"registrations":         {func(f *Facts, _ *metric.Set) { f.OpenRegistrations = nil }, []string{"openRegistrations"}},
		"another node":          {func(_ *Facts, set *metric.Set) { set.Add(nodes, 1, "running") }, []string{"s2sConnectionsIn", "s2sConnectionsOut"}},
		"all that is collected": {func(f *Facts, _ *metric.Set) { f.Sets = nil }, []string{`"version": "23`, "total", "activeMonth", "s2sConnectionsIn", "s2sConnectionsOut"}},
	} {
		f, set := service()
		full(set)
		c.forget(&f, set)
		text := answer(t, f, http.MethodGet).Body.String()
		for _, name := range []string{`"version": "23`, "total", "activeMonth", "openRegistrations", "s2sConnectionsIn", "s2sConnectionsOut"} {
			if strings.Contains(text, name) == slices.Contains(c.absent, name) {
				t.Errorf("%s is unknown, absent must be %q:\n%s", what, c.absent, text)
			}
		}
		if !json.Valid([]byte(text)) || strings.Contains(text, "null") || strings.Contains(text, `""`) || strings.Contains(text, ": 0") {
			t.Errorf("%s is unknown:\n%s", what, text)
		}
	}
}

// TestHeadIsFree: who wants no document causes no load.
func TestHeadIsFree(t *testing.T) {
	f, _ := service()
	w := answer(t, f, http.MethodHead)
	if w.Body.Len() != 0 || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		t.Errorf("%v\n%s", w.Header(), w.Body)
	}
}
