// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
	"github.com/chapril/ejabberd_exporter/internal/uploads"
)

// forecasts runs the program with the command uploads.
func forecasts(t *testing.T, args ...string) (all []forecast) {
	t.Helper()
	var out, complaints strings.Builder
	exit := run(t.Context(), append([]string{"uploads", "--output=json"}, args...), &out, &complaints)
	if err := json.Unmarshal([]byte(out.String()), &all); exit != 0 || err != nil {
		t.Fatalf("exit %d, %v\n%s%s", exit, err, &out, &complaints)
	}
	noSecrets(t, out.String())
	return all
}

// wantForecast compares what the next sweep and the quota are said to delete with what the caller knows that they will.
func wantForecast(t *testing.T, s *service.Service, expired, evicted uploads.Amount) {
	t.Helper()
	for _, f := range forecasts(t, "--ejabberd.config="+s.Ejabberd.ConfigPath) {
		if f.Vhost != s.Domains[0] {
			continue
		}
		if f.Now.Expired != expired || f.Now.Evicted != evicted || f.Then != nil {
			t.Errorf("the sweep will delete %+v, the quota %+v; it says %+v and %+v", expired, evicted, f.Now.Expired, f.Now.Evicted)
		}
		return
	}
	t.Errorf("nothing about %s", s.Domains[0])
}

// lay makes a file of an account, so many days old.
func lay(t *testing.T, docroot, account string, size int64, days int) {
	t.Helper()
	path := filepath.Join(docroot, strings.Repeat(account, 40), fmt.Sprintf("%040d", days), "canary.jpg")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	at := time.Now().AddDate(0, 0, -days)
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIf(t *testing.T) {
	docroot := t.TempDir()
	const mebi = 1 << 20
	lay(t, docroot, "a", 90*mebi, 1)
	lay(t, docroot, "a", 100*mebi, 200)
	lay(t, docroot, "b", 30*mebi, 380)
	lay(t, docroot, "b", 30*mebi, 10)
	s := parsed(t, "uploads", "--what-if=retention=180d,soft=80MiB,hard=100MiB", "--upload.docroot=a.test="+docroot, "--upload.hard-quota=200MiB", "--upload.retention=365d")
	s.discovery.Default = filepath.Join(docroot, "no.yml")
	var text strings.Builder
	if exit, err := s.do(t.Context(), &text, slog.New(slog.DiscardHandler)); exit != 0 || err != nil {
		t.Fatalf("exit %d, %v", exit, err)
	}
	const want = `a.test: 4 files of 2 accounts, 250 MiB
  Today (quota 200 MiB, then down to 200 MiB; kept 365 days)
    the next sweep deletes       1 file of 1 account, 30 MiB
    the quota then deletes       nothing, at the accounts' next uploads
    near the quota               2 files of 1 account, 190 MiB
    uploads of the last 30 days  4 MiB a day; at most 400 MiB in the end, if the same accounts go on like this
    how long files really live   accounts near the quota by the age of the file that goes next: up to 270 days: 1
  With retention=180d,soft=80MiB,hard=100MiB (quota 100 MiB, then down to 80 MiB; kept 180 days)
    the next sweep deletes       2 files of 2 accounts, 130 MiB
    the quota then deletes       nothing, at the accounts' next uploads
    near the quota               2 files of 1 account, 190 MiB
    uploads of the last 30 days  4 MiB a day; at most 200 MiB in the end, if the same accounts go on like this
    how long files really live   accounts near the quota by the age of the file that goes next: up to 270 days: 1
`
	if text.String() != want {
		t.Errorf("it says\n%s\nwant\n%s", &text, want)
	}
	for text, word := range map[string]string{"quota=many": "200MiB", "retention=0d": "365d", "quotum=1MiB": "soft= and hard=", "": "soft= and hard="} {
		var out, complaints strings.Builder
		if s, exit := parse([]string{"uploads", "--what-if=" + text}, &out, &complaints); s != nil || exit == 0 || !strings.Contains(complaints.String(), word) {
			t.Errorf("%q: exit %d, %s, want it to say %s", text, exit, &complaints, word)
		}
	}
}
