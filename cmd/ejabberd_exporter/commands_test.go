// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// TestCommandsOnARealService: what the commands print for people is right, and nobody is in it. With -update it becomes the
// examples in docs/examples.
func TestCommandsOnARealService(t *testing.T) {
	t.Parallel()
	p := newPatient(t, service.Options{NamesByAPI: true, People: true, Uploads: true})
	vhost := p.Domains[0]
	if err := p.Database.Exec(t.Context(), "ANALYZE"); err != nil {
		t.Fatal(err)
	}
	p.flags = append(p.flags, "--ejabberd.log="+p.Ejabberd.LogPath())
	said := func(exit int, args ...string) string {
		t.Helper()
		var out, complaints strings.Builder
		if got := run(t.Context(), append(args, p.flags...), &out, &complaints); got != exit || complaints.String() != "" {
			t.Errorf("%v: exit %d, want %d: %s", args, got, exit, &complaints)
		}
		noSecrets(t, out.String())
		return out.String()
	}
	has := func(text string, parts ...string) {
		t.Helper()
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("it does not say %q:\n%s", part, text)
			}
		}
	}
	example := func(name, text string) {
		t.Helper()
		if !*update {
			return
		}
		text = strings.ReplaceAll(text, p.Dir, "/srv/xmpp")
		if err := os.WriteFile(filepath.Join("..", "..", "docs", "examples", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}

	expired := time.Now().Add(-999 * 24 * time.Hour).UTC().Format(time.DateOnly)
	files, _, _ := p.Truth.Uploads(vhost, 365)
	more, _, _ := p.Truth.Uploads(p.Domains[1], 365)
	english := said(exitAll, "privacy-report", "--promise=archive=365d", "--promise=log=14d")
	has(english, "# What this service keeps", "| "+expired+" | 365 days: **not kept** | 0 accounts |", "passwords: only values", "travel encrypted",
		fmt.Sprintf("| Uploaded files | %d, ", files+more), "14 days: kept", "| Message archive | about ")
	example("privacy-report.en.md", english)
	french := said(exitAll, "privacy-report", "--language=fr")
	has(french, "# Ce que ce service conserve", "| "+expired+" | 365 jours : **non tenue** | 0 comptes |", "voyagent chiffrés", "les mots de passe")
	example("privacy-report.fr.md", french)

	forecast := said(exitAll, "uploads", "--what-if=retention=180d,quota=100MiB")
	has(forecast, vhost+": ", "the next sweep deletes       2 files of 2 accounts", "With retention=180d,quota=100MiB (quota 100 MiB")
	example("uploads.txt", forecast)

	diagnosis := said(exitCritical, "doctor")
	has(diagnosis, "CRITICAL  api_open", "WARNING  sweep_late", "connected_users_info", "past their time")
	example("doctor.txt", diagnosis)

	// Without the database and the directory the page says what it does not know.
	p.Postgres.Stop()
	if err := os.RemoveAll(p.Ejabberd.Config.UploadDir); err != nil {
		t.Fatal(err)
	}
	has(said(exitAll, "privacy-report"), "| Message archive | not known | not known | no promise | not looked for |", "| Uploaded files | not known |")
}
