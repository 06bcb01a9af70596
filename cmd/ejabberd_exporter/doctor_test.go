// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"log/slog"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/service"
)

// diagnoses are what the doctor says, by check.
type diagnoses map[string]diagnosis

// examine runs the doctor on a service.
func (p *patient) examine(t *testing.T) diagnoses {
	t.Helper()
	var out, complaints strings.Builder
	exit := run(t.Context(), append([]string{"doctor", "--output=json"}, p.flags...), &out, &complaints)
	return read(t, exit, out.String(), complaints.String())
}

// read understands what the doctor printed as JSON.
func read(t *testing.T, exit int, out, complaints string) diagnoses {
	t.Helper()
	var all []diagnosis
	if err := json.Unmarshal([]byte(out), &all); err != nil || len(all) != len(collector.Traps) || complaints != "" {
		t.Fatalf("exit %d, %d diagnoses of %d: %v\n%s\n%s", exit, len(all), len(collector.Traps), err, out, complaints)
	}
	if exit != verdict(all) {
		t.Errorf("exit %d, but it says %v", exit, tally(all))
	}
	noSecrets(t, out)
	said := diagnoses{}
	for _, d := range all {
		said[d.Check] = d
	}
	return said
}

// want compares a state, and wants a word in what was found.
func (d diagnoses) want(t *testing.T, check, state, word string) {
	t.Helper()
	got := d[check]
	if got.State != state || !strings.Contains(strings.Join(got.Found, "\n"), word) {
		t.Errorf("%s is %s: %q %s, want %s with %q", check, got.State, got.Found, got.Reason, state, word)
	}
	if sick := state == "warning" || state == "critical"; sick != (got.Why != "" && got.Fix != "") {
		t.Errorf("%s: why %q, fix %q", check, got.Why, got.Fix)
	}
}

// wantWell wants a trap to be looked for and not found.
func (p *patient) wantWell(t *testing.T, check string) {
	t.Helper()
	p.examine(t).want(t, check, "ok", "")
}

// TestDoctor: on a server without any trap nothing is found; then it falls into one after the other, and gets out again.
func TestDoctor(t *testing.T) {
	t.Parallel()
	p := newPatient(t, service.Options{})
	for _, vhost := range p.Domains {
		chmod(t, filepath.Join(p.Ejabberd.Config.UploadDir, vhost), 0o750)
	}
	p.examine(t).want(t, "backlog_small", "warning", "lets 5 connections wait") // ejabberd's default before 23.10
	p.edit(t, wellConfigured)
	p.Ejabberd.Stop() // a listener keeps its backlog until then
	if err := p.Ejabberd.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	well := p.examine(t)
	for check := range well {
		well.want(t, check, "ok", "")
	}
	fallen := map[string]bool{}
	for _, f := range falls {
		fallen[f.check] = true
		t.Run(f.check, func(t *testing.T) {
			t.Run("in", func(t *testing.T) {
				if f.yml != nil {
					p.rewrite(t, f.yml)
				} else {
					f.do(t, p)
				}
				p.examine(t).want(t, f.check, f.state, f.found)
			})
			p.wantWell(t, f.check)
		})
	}
	for _, trap := range collector.Traps {
		if !fallen[trap.Name] && !slices.Contains([]string{"backlog_small", "postgresql_driver_missing", "oauth_library_missing"}, trap.Name) {
			t.Errorf("no server falls into %s", trap.Name)
		}
	}
}

// TestDoctorMissesPackages hides directories of Debian's packages from the doctor, in a mount namespace of its own.
func TestDoctorMissesPackages(t *testing.T) {
	t.Parallel()
	p := newPatient(t, service.Options{})
	p.rewrite(t, func(yml map[string]any) {
		yml["oauth_expire"] = 3600
		yml["captcha_cmd"] = "/usr/share/ejabberd/captcha.sh"
	})
	bin := filepath.Join(t.TempDir(), name)
	if said, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	behind := func(mounts string) diagnoses {
		t.Helper()
		doctor := exec.CommandContext(t.Context(), "unshare", slices.Concat([]string{"--mount", "sh", "-ec", mounts + `; exec "$@"`, "sh", bin, "doctor", "--output=json"}, p.flags)...)
		var complaints strings.Builder
		doctor.Stderr = &complaints
		out, _ := doctor.Output()
		return read(t, doctor.ProcessState.ExitCode(), string(out), complaints.String())
	}
	const libraries = "/usr/lib/erlang/lib"
	without := behind("mount -t tmpfs none " + libraries + "; mount -t tmpfs none /usr/local/bin; mount -t tmpfs none /usr/bin")
	without.want(t, "postgresql_driver_missing", "critical", "PostgreSQL")
	without.want(t, "oauth_library_missing", "critical", "OAuth")
	without.want(t, "captcha_program_missing", "critical", "ImageMagick")
	with := behind("mount -t tmpfs none " + libraries + "; mkdir -p " + libraries + "/p1_pgsql-1/ebin " + libraries + "/p1_oauth2-1/ebin")
	for _, check := range []string{"postgresql_driver_missing", "oauth_library_missing", "captcha_program_missing"} {
		with.want(t, check, "ok", "")
	}
}

// TestDoctorSaysItInWords: what hurts comes first, and each with its remedy.
func TestDoctorSaysItInWords(t *testing.T) {
	var text strings.Builder
	p := &paper{w: &text}
	all := []diagnosis{
		{Check: "log_wiped", State: "warning", Found: []string{"emptied at 10 MiB"}, Why: "gone", Fix: "log_rotate_count: 3"},
		{Check: "api_open", State: "critical", Found: []string{"kick_user", "ban_account"}, Why: "anybody", Fix: "less"},
		{Check: "s2s_in_clear", State: "ok"},
		{Check: "sweep_late", State: "unknown", Reason: "not counted yet"},
	}
	p.diagnoses(all)
	const want = `2 of 4 traps found; 1 could not be looked for.

CRITICAL  api_open
  found  kick_user
  found  ban_account
  why    anybody
  fix    less

WARNING  log_wiped
  found  emptied at 10 MiB
  why    gone
  fix    log_rotate_count: 3

Could not be looked for
  sweep_late                 not counted yet

Not found: s2s_in_clear
`
	if text.String() != want {
		t.Errorf("it says\n%s\nwant\n%s", &text, want)
	}
	for state, exit := range map[string]int{"critical": 2, "warning": 1, "ok": 0, "unknown": 3} {
		if got := verdict([]diagnosis{{State: state}}); got != exit {
			t.Errorf("%s exits %d, want %d", state, got, exit)
		}
	}
}

func TestDoctorWithoutAnEjabberd(t *testing.T) {
	s := parsed(t, "doctor")
	s.discovery.Default = filepath.Join(t.TempDir(), "ejabberd.yml")
	var out strings.Builder
	if exit, err := s.do(t.Context(), &out, slog.New(slog.DiscardHandler)); exit != exitUnknown || err == nil || !strings.Contains(err.Error(), "--ejabberd.config") {
		t.Errorf("exit %d, %v: %s", exit, err, &out)
	}
}
