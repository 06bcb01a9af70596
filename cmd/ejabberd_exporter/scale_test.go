// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/service"
)

// budget is how many series a page with every collector, opt-in ones included, may have for so many vhosts; what Go says of the
// exporter's own process is not counted.
func budget(vhosts int) int { return 387 + 168*vhosts }

// TestTwoHundredVhosts: the page names 20 of them and adds up the rest.
func TestTwoHundredVhosts(t *testing.T) {
	domains := make([]string, 200)
	for i := range domains {
		domains[i] = fmt.Sprintf("vhost-%03d.test", i)
	}
	s := realService(t, service.Options{Domains: domains, NamesByAPI: true, NoSQL: true})
	for _, domain := range []string{domains[0], domains[198], domains[199]} {
		account := service.Account{User: "person-" + service.Canary, Domain: domain, Password: s.Admin.Password}
		if err := s.Ejabberd.Register(t.Context(), account); err != nil {
			t.Fatal(err)
		}
		session := service.Session{Account: account, Resource: "phone-" + service.Canary, Family: "ip4", Show: "available"}
		if _, err := s.LogIn(t.Context(), session); err != nil {
			t.Fatal(err)
		}
		if err := s.LayFile(service.File{Account: account, Size: 1, ModTime: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	d := serve(t, allCollectors(s)...)
	page := d.scrape(t, time.Minute)
	success(t, page)
	noSecrets(t, page, d.log.String())
	vhosts := map[string]bool{}
	for line := range strings.Lines(page) {
		if _, rest, ok := strings.Cut(line, `vhost="`); ok {
			name, _, _ := strings.Cut(rest, `"`)
			vhosts[name] = true
		}
	}
	if len(vhosts) != 21 || !vhosts["other"] {
		t.Errorf("%d vhosts on the page, want 20 and other", len(vhosts))
	}
	want(t, page, map[string]float64{
		`ejabberd_sessions{vhost="vhost-000.test"}`: 1,
		`ejabberd_sessions{vhost="vhost-001.test"}`: 0,
		`ejabberd_sessions{vhost="other"}`:          2,
		`ejabberd_upload_files{vhost="other"}`:      2,
	})
	if n := len(seriesOf(page)); n > budget(21) {
		t.Errorf("%d series for 200 vhosts, want %d at most", n, budget(21))
	}
}

// TestSeriesDoNotGrow: a hundred thousand accounts, with rooms and files, have the series of a few.
func TestSeriesDoNotGrow(t *testing.T) {
	s := realService(t, service.Options{NamesByAPI: true, People: true, Uploads: true})
	if err := s.Database.Exec(t.Context(), "ANALYZE"); err != nil { // ejabberd's tables have estimates from then on
		t.Fatal(err)
	}
	small := scrapeOnce(t, s)
	if n := len(seriesOf(small)); n > budget(len(s.Domains)) {
		t.Errorf("%d series, want %d at most", n, budget(len(s.Domains)))
	}
	grow(t, s)
	large := scrapeOnce(t, s)
	of := `{vhost="` + s.Domains[0] + `"}`
	files, _, _ := s.Truth.Uploads(s.Domains[0], 365)
	want(t, large, map[string]float64{
		"ejabberd_accounts" + of:         float64(100_000 + s.Truth.Accounts(s.Domains[0])),
		"ejabberd_muc_rooms_stored" + of: 10_000,
		"ejabberd_upload_files" + of:     float64(50_000 + files),
	})
	before, after := seriesOf(small), seriesOf(large)
	for series := range after {
		// Of fewer than 20 names nothing is said.
		if !before[series] && !strings.HasPrefix(series, "ejabberd_accounts_created_name_entropy_ratio{") {
			t.Errorf("new when there is more: %s", series)
		}
	}
	for series := range before {
		if !after[series] {
			t.Errorf("gone when there is more: %s", series)
		}
	}
}

// grow adds accounts and rooms by SQL, as copies of what ejabberd wrote, and empty files.
func grow(t *testing.T, s *service.Service) {
	t.Helper()
	for _, sql := range []string{
		`INSERT INTO users SELECT (jsonb_populate_record(u, jsonb_build_object('username', 'many-` + service.Canary + `-' || i))).*
			FROM users AS u, generate_series(1, 100000) AS i WHERE u.username = '` + s.Admin.User + `'`,
		`INSERT INTO last SELECT (jsonb_populate_record(l, jsonb_build_object('username', 'many-` + service.Canary + `-' || i))).*
			FROM last AS l, generate_series(1, 100000) AS i WHERE l.username = '` + s.Admin.User + `'`,
		`INSERT INTO muc_room (name, host, server_host, opts) SELECT 'many-` + service.Canary + `-' || i, 'conference.` + s.Domains[0] + `', '` + s.Domains[0] + `', ''
			FROM generate_series(1, 10000) AS i`,
		`ANALYZE`,
	} {
		if err := s.Database.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 500 { // accounts with 100 files each
		account := filepath.Join(s.Ejabberd.Config.UploadDir, s.Domains[0], fmt.Sprintf("%040x", i+1))
		for j := range 100 {
			dir := filepath.Join(account, fmt.Sprintf("%040d", j))
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "file-"+service.Canary+".jpg"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// scrapeOnce starts an exporter with all collectors and gives its page.
func scrapeOnce(t *testing.T, s *service.Service) string {
	t.Helper()
	d := serve(t, allCollectors(s)...)
	page := d.scrape(t, time.Minute)
	success(t, page)
	noSecrets(t, page, d.log.String())
	d.stopped(t)
	return page
}

// allCollectors are the flags that watch a service with every collector, and say all that can be said.
func allCollectors(s *service.Service) []string {
	args := []string{"--ejabberd.config=" + s.Ejabberd.ConfigPath, "--log.level=debug"}
	for _, definition := range collector.All {
		args = append(args, "--collector."+definition.Name)
	}
	return args
}

// seriesOf are the series of a page, without what Go says of the exporter's own process.
func seriesOf(page string) map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(page) {
		if !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "go_") && !strings.HasPrefix(line, "process_") {
			all[line[:strings.LastIndex(line, " ")]] = true
		}
	}
	return all
}
