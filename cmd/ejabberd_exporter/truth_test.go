// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// TestThePageIsTrue compares every number of the page with what was put into a real service.
func TestThePageIsTrue(t *testing.T) {
	s := realService(t, service.Everything())
	exit, page, log := once(t, "--ejabberd.config="+s.Ejabberd.ConfigPath, "--log.level=debug")
	if exit != 0 {
		t.Errorf("exit %d:\n%s", exit, log)
	}
	success(t, page)
	noSecrets(t, page, log)
	lint(t, page)

	want(t, page, pageTruth(s))
	for _, name := range []string{"ejabberd_uptime_seconds", "ejabberd_erlang_processes", `ejabberd_database_size_bytes{database="ejabberd"}`, `ejabberd_upload_filesystem_avail_bytes{filesystem="1"}`} {
		if n, ok := number(page, name); !ok || n <= 0 {
			t.Errorf("%s is %v", name, n)
		}
	}
	for _, direction := range []string{"in", "out"} { // one for each vhost that talks to the peer; out may count one still trying
		if n, ok := number(page, `ejabberd_s2s_connections{direction="`+direction+`"}`); !ok || n < 1 || n > 3 {
			t.Errorf("%v s2s connections %s", n, direction)
		}
	}
	if n, ok := number(page, `ejabberd_database_connections{database="ejabberd",role="exporter"}`); !ok || n < 1 || n > 2 {
		t.Errorf("the exporter holds %v connections", n)
	}
	if !strings.Contains(page, "\nejabberd_info{node=\"localhost\",version=\"2") {
		t.Error("ejabberd_info lacks node or version")
	}
}

// pageTruth is what the page must say of what internal/service put in.
func pageTruth(s *service.Service) map[string]float64 {
	truth := map[string]float64{
		"ejabberd_up": 1, `ejabberd_database_up{database="ejabberd"}`: 1,
		`ejabberd_database_connections{database="ejabberd",role="ejabberd"}`: float64(5 * len(s.Domains)),
		`ejabberd_database_connections{database="ejabberd",role="other"}`:    0,
		"ejabberd_exporter_config_stale":                                     0,
	}
	for _, vhost := range s.Domains {
		at := func(name string, labels ...string) string {
			return fmt.Sprintf(`%s{%s}`, name, strings.Join(append(labels, `vhost="`+vhost+`"`), ","))
		}
		truth[at("ejabberd_accounts")] = float64(s.Truth.Accounts(vhost))
		truth[at("ejabberd_accounts_never_logged_in")] = float64(s.Truth.NeverLoggedIn(vhost))
		truth[at("ejabberd_accounts_online")] = float64(s.Truth.AccountsOnline(vhost))
		truth[at("ejabberd_sessions")] = float64(s.Truth.Sessions(vhost, ""))
		for _, family := range []string{"ip4", "ip6"} {
			truth[at("ejabberd_session_connections", `connection="c2s_tls"`, `family="`+family+`"`)] = float64(s.Truth.Sessions(vhost, family))
		}
		const day = 24 * time.Hour
		for window, span := range map[string]time.Duration{"1h": time.Hour, "1d": day, "7d": 7 * day, "30d": 30 * day} {
			truth[strings.Replace(at("ejabberd_accounts_created"), "}", `,window="`+window+`"}`, 1)] = float64(s.Truth.Created(vhost, span))
		}
		for window, span := range map[string]time.Duration{"1d": day, "7d": 7 * day, "30d": 30 * day, "90d": 90 * day, "365d": 365 * day} {
			truth[strings.Replace(at("ejabberd_accounts_active"), "}", `,window="`+window+`"}`, 1)] = float64(s.Truth.Active(vhost, span))
		}
		storedUploads(s, vhost, at, truth)
	}
	return truth
}

func storedUploads(s *service.Service, vhost string, at func(string, ...string) string, truth map[string]float64) {
	files, bytes, expired := s.Truth.Uploads(vhost, 365)
	perAccount := s.Truth.UploadBytes(vhost)
	truth[at("ejabberd_upload_files")] = float64(files)
	truth[at("ejabberd_upload_bytes")] = float64(bytes)
	truth[at("ejabberd_upload_files_expired")] = float64(expired)
	truth[at("ejabberd_upload_accounts")] = float64(len(perAccount))
	truth[at("ejabberd_upload_scan_errors")] = 0
	truth[at("ejabberd_upload_retention_seconds")] = 365 * 24 * 60 * 60
	for name, count := range map[string]int{"ejabberd_upload_account_bytes": len(perAccount), "ejabberd_upload_file_size_bytes": files, "ejabberd_upload_file_age_seconds": files} {
		truth[at(name+"_count")] = float64(count)
	}
	truth[at("ejabberd_upload_account_bytes_sum")] = float64(bytes)
	truth[at("ejabberd_upload_file_size_bytes_sum")] = float64(bytes)
	for level, quota := range map[string]int64{"soft": 160 << 20, "hard": 200 << 20} {
		over, near := 0, 0
		for _, stored := range perAccount {
			switch {
			case stored > quota:
				over++
			case stored*10 >= quota*9:
				near++
			}
		}
		truth[at("ejabberd_upload_quota_bytes", `level="`+level+`"`)] = float64(quota)
		truth[at("ejabberd_upload_accounts_over_quota", `level="`+level+`"`)] = float64(over)
		truth[at("ejabberd_upload_accounts_near_quota", `level="`+level+`"`)] = float64(near)
	}
}

// lint asks promtool what it thinks of the page.
func lint(t *testing.T, page string) {
	t.Helper()
	promtool := exec.CommandContext(t.Context(), "promtool", "check", "metrics")
	promtool.Stdin = strings.NewReader(page)
	if complaints, err := promtool.CombinedOutput(); err != nil || len(complaints) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, complaints)
	}
}
