// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/discovery"
	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/service"
	"github.com/chapril/ejabberd_exporter/internal/uploads"
)

// TestUploadsComeAndGo lets ejabberd itself add and delete files between walks, in every way that it has.
func TestUploadsComeAndGo(t *testing.T) {
	s := realService(t, service.Options{NamesByAPI: true, People: true, Uploads: true})
	vhost := s.Domains[0]
	_, page, _ := once(t, "--collector.upload_orphans", "--ejabberd.config="+s.Ejabberd.ConfigPath)
	want(t, page, map[string]float64{
		`ejabberd_upload_added_files_total{vhost="` + vhost + `"}`:                    0,
		`ejabberd_upload_removed_bytes_total{reason="expired",vhost="` + vhost + `"}`: 0,
		`ejabberd_upload_evicted_age_seconds_count{vhost="` + vhost + `"}`:            0,
		`ejabberd_upload_orphan_accounts{vhost="` + vhost + `"}`:                      0,
		`ejabberd_upload_orphan_bytes{vhost="` + vhost + `"}`:                         0,
	})

	found, err := discovery.Discover(t.Context(), discovery.Options{Config: s.Ejabberd.ConfigPath, Timeout: 5 * time.Second}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close(t.Context())
	walk := func(d collector.Definition) string {
		t.Helper()
		out := metric.NewSet(found.Sources.Bounds)
		if err := collector.Try(t.Context(), d, found.Sources, out); err != nil {
			t.Fatal(err)
		}
		noSecrets(t, out.Text())
		return out.Text()
	}
	added := counter{t: t, vhost: vhost, name: "added"}
	removed := map[string]*counter{}
	for _, reason := range []string{"expired", "quota", "account", "unknown"} {
		removed[reason] = &counter{t: t, vhost: vhost, name: "removed", label: `,reason="` + reason + `"`}
	}
	expect := func(what string) {
		t.Helper()
		page := walk(collector.UploadTree)
		for _, c := range removed {
			c.expect(what, page)
		}
		added.expect(what, page)
	}
	expect("nothing happened yet")

	expired, evicted := uploads.Amount{Accounts: 2, Files: 2, Bytes: 99_999 + 1<<20}, uploads.Amount{Accounts: 1, Files: 2, Bytes: 160 << 20}
	wantForecast(t, s, expired, evicted)

	// The hoarder stores 90, 90 and 70 MiB, and is allowed 160 of 200: any slot evicts all but the newest.
	hoarder, err := s.LogIn(t.Context(), service.Session{Account: person(s, "hoarder", vhost), Resource: "up-" + service.Canary, Family: "ip4", Show: "chat"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Upload(t.Context(), hoarder, 1000); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(s.Ejabberd.Config.UploadDir, vhost)
	waitForOne(t, dir, 90<<20)
	wantForecast(t, s, expired, uploads.Amount{})
	added.grow(1, 1000)
	removed["quota"].grow(2, 160<<20)
	expect("the quota evicted")
	page = walk(collector.UploadTree)
	want(t, page, map[string]float64{
		`ejabberd_upload_evicted_age_seconds_count{vhost="` + vhost + `"}`:                  2, // 50 and 100 days old
		`ejabberd_upload_evicted_age_seconds_bucket{vhost="` + vhost + `",le="2.592e+06"}`:  0,
		`ejabberd_upload_evicted_age_seconds_bucket{vhost="` + vhost + `",le="7.776e+06"}`:  1,
		`ejabberd_upload_evicted_age_seconds_bucket{vhost="` + vhost + `",le="1.5552e+07"}`: 2,
	})

	// Two files are older than 365 days; one of them is all that its account had.
	if err := s.Ejabberd.Sweep(t.Context(), vhost); err != nil {
		t.Fatal(err)
	}
	wantForecast(t, s, uploads.Amount{}, uploads.Amount{})
	removed["expired"].grow(2, 99_999+1<<20)
	expect("the sweep")

	// What the uploader still has goes with the account.
	uploader := person(s, "uploader", vhost)
	if err := s.Ejabberd.Call(t.Context(), "unregister", map[string]any{"user": uploader.User, "host": uploader.Domain}, nil); err != nil {
		t.Fatal(err)
	}
	removed["account"].grow(4, 12_345+3<<20+17+54_321)
	expect("an account was unregistered")

	// The older of two files, of an account that is far from its quota: ejabberd would not do that.
	lay := func(user service.Account, size int64, age time.Duration) {
		t.Helper()
		if err := s.LayFile(service.File{Account: user, Size: size, ModTime: time.Now().Add(-age)}); err != nil {
			t.Fatal(err)
		}
	}
	lay(person(s, "absent", vhost), 5, 0)
	lay(person(s, "absent", vhost), 7, time.Hour)
	added.grow(2, 12)
	expect("two small files")
	for _, path := range files(t, dir) {
		if info, err := os.Stat(path); err == nil && info.Size() == 7 && os.RemoveAll(filepath.Dir(path)) != nil {
			t.Fatal("can't remove a file")
		}
	}
	removed["unknown"].grow(1, 7)
	expect("one by hand")

	// A directory that outlived its account.
	lay(service.Account{User: "nobody-" + service.Canary, Domain: vhost}, 4321, 0)
	orphans := walk(collector.UploadOrphans)
	want(t, orphans, map[string]float64{
		`ejabberd_upload_orphan_accounts{vhost="` + vhost + `"}`:        1,
		`ejabberd_upload_orphan_bytes{vhost="` + vhost + `"}`:           4321,
		`ejabberd_upload_orphan_accounts{vhost="` + s.Domains[1] + `"}`: 0,
		`ejabberd_upload_orphan_bytes{vhost="` + s.Domains[1] + `"}`:    0,
	})
	added.grow(1, 4321) // whichever collector saw it
	expect("an orphan")
}

// TestUploadOrphansOfTheOldSchema: its rows do not say of which vhost an account is.
func TestUploadOrphansOfTheOldSchema(t *testing.T) {
	s := realService(t, service.Options{OldSchema: true, People: true, NamesByAPI: true, Uploads: true})
	vhost := s.Domains[0]
	for i, user := range []string{"nobody-", "nobody-else-"} {
		file := service.File{Account: service.Account{User: user + service.Canary, Domain: vhost}, Size: int64(100 + i), ModTime: time.Now()}
		if err := s.LayFile(file); err != nil {
			t.Fatal(err)
		}
	}
	_, page, log := once(t, "--collector.upload_orphans", "--ejabberd.config="+s.Ejabberd.ConfigPath)
	noSecrets(t, page, log)
	lint(t, page)
	want(t, page, map[string]float64{
		`ejabberd_upload_orphan_accounts{vhost="` + vhost + `"}`: 2,
		`ejabberd_upload_orphan_bytes{vhost="` + vhost + `"}`:    201,
	})
	s.Ejabberd.Stop() // sources are PostgreSQL and the directory
	if err := s.Database.Exec(t.Context(), "REVOKE ALL ON users FROM ejabberd_exporter"); err != nil {
		t.Fatal(err)
	}
	_, page, log = once(t, "--collector.upload_orphans", "--ejabberd.config="+s.Ejabberd.ConfigPath)
	noSecrets(t, page, log)
	absent(t, page, "ejabberd_upload_orphan_accounts", "ejabberd_upload_orphan_bytes")
	want(t, page, map[string]float64{`ejabberd_exporter_collector_success{collector="upload_orphans"}`: 0})
}

// counter is what a pair of counters of files and bytes must have reached.
type counter struct {
	t                  *testing.T
	vhost, name, label string
	files, bytes       float64
}

func (c *counter) grow(files, bytes float64) {
	c.files += files
	c.bytes += bytes
}

func (c *counter) expect(what, page string) {
	c.t.Helper()
	for unit, value := range map[string]float64{"files": c.files, "bytes": c.bytes} {
		series := fmt.Sprintf(`ejabberd_upload_%s_%s_total{vhost="%s"%s}`, c.name, unit, c.vhost, c.label)
		if got, ok := number(page, series); !ok || got != value {
			c.t.Errorf("%s: %s is %v (there: %v), want %v", what, series, got, ok, value)
		}
	}
}

func person(s *service.Service, user, vhost string) service.Account {
	i := slices.IndexFunc(s.Truth.People, func(p service.Person) bool { return p.User == user+"-"+service.Canary && p.Domain == vhost })
	return s.Truth.People[i].Account
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// waitForOne waits until one file of a size is left.
func waitForOne(t *testing.T, dir string, size int64) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); ; <-tick.C {
		left := 0
		for _, path := range files(t, dir) {
			if info, err := os.Stat(path); err == nil && info.Size() == size {
				left++
			}
		}
		if left == 1 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d files of %d bytes are still there", left, size)
		}
	}
}
