// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// actAsProgram makes the test's binary the program itself, for tests of other users.
const actAsProgram = "TEST_BINARY_IS_EJABBERD_EXPORTER"

func TestMain(m *testing.M) {
	if os.Getenv(actAsProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// nobody runs the program as the user nobody, who may read nothing of ejabberd's.
type nobody struct {
	binary string
	id     syscall.Credential
}

// newNobody puts the program into a directory that everybody may enter.
func newNobody(t *testing.T, dir string) nobody {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can run a program as somebody else")
	}
	account, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, uidErr := strconv.ParseUint(account.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(account.Gid, 10, 32)
	if uidErr != nil || gidErr != nil {
		t.Fatal(uidErr, gidErr)
	}
	n := nobody{filepath.Join(dir, "ejabberd_exporter"), syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	copied, err := os.OpenFile(n.binary, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(copied, self); err != nil {
		t.Fatal(err)
	}
	if err := copied.Close(); err != nil {
		t.Fatal(err)
	}
	return n
}

// run runs the program to its end.
func (n nobody) run(t *testing.T, args ...string) (exit int, stdout, stderr string) {
	t.Helper()
	program := exec.CommandContext(t.Context(), n.binary, args...)
	program.Env = []string{actAsProgram + "=1", "PGPASSWORD=" + rolePassword}
	program.Dir = "/"
	program.SysProcAttr = &syscall.SysProcAttr{Credential: &n.id}
	var out, complaints strings.Builder
	program.Stdout, program.Stderr = &out, &complaints
	if err := program.Run(); err != nil && program.ProcessState == nil {
		t.Fatal(err)
	}
	return program.ProcessState.ExitCode(), out.String(), complaints.String()
}

// lasting are the numbers of a page that do not change from one minute to the next.
func lasting(page string) string {
	passing := regexp.MustCompile(`(?m)^(#|ejabberd_(exporter_|uptime_|erlang_processes|database_connections|database_size|database_table|upload_filesystem|upload_file_age_seconds_sum|process_|host_|listener_connections|connection_rtt_|s2s_|config_finding|oldest_data)).*\n`)
	return passing.ReplaceAllString(page, "")
}

// TestFactsGiveTheSamePage: an exporter that may not read ejabberd.yml sees with root's facts what root sees, and neither shows
// a secret of it, however talkative.
func TestFactsGiveTheSamePage(t *testing.T) {
	t.Parallel()
	p := newPatient(t, service.Options{NamesByAPI: true})
	if err := os.Chmod(p.Ejabberd.Config.UploadDir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := p.LayFile(service.File{Account: p.Admin, Size: 12345}); err != nil {
		t.Fatal(err)
	}
	somebody := newNobody(t, p.Dir)

	exit, facts, discoverLog := program(t, append(p.flags, "--discover", "--log.level=debug")...)
	if exit != 0 {
		t.Fatalf("--discover: exit %d:\n%s", exit, discoverLog)
	}
	path := filepath.Join(p.Dir, "facts.json")
	if err := os.WriteFile(path, []byte(facts), 0o644); err != nil {
		t.Fatal(err)
	}
	rootExit, rootPage, rootLog := once(t, append(p.flags, "--log.level=debug")...)
	theirExit, theirPage, theirLog := somebody.run(t, "--once", "--log.level=debug", "--ejabberd.facts="+path)
	if rootExit != 0 || theirExit != 0 {
		t.Errorf("exit %d as root, %d as nobody:\n%s%s", rootExit, theirExit, rootLog, theirLog)
	}
	if lasting(rootPage) != lasting(theirPage) {
		t.Errorf("with facts the page is\n%s\nwithout\n%s", lasting(theirPage), lasting(rootPage))
	}
	// Some traps and the log only root can look at: what is told without is the same, the rest is absent.
	for line := range strings.Lines(theirPage) {
		if strings.HasPrefix(line, "ejabberd_config_finding{") && !strings.Contains(rootPage, line) {
			t.Errorf("with facts the page says %s, root's does not", line)
		}
	}
	want(t, theirPage, map[string]float64{`ejabberd_upload_bytes{vhost="chapril.test"}`: 12345, `ejabberd_accounts{vhost="chapril.test"}`: 2})
	noSecrets(t, discoverLog, rootPage, rootLog, theirPage, theirLog)

	t.Run("memory", func(t *testing.T) { somebody.remembersNothing(t, p, path) })

	// Without facts everything is missing, and says how to get it.
	exit, page, log := somebody.run(t, "--once", "--ejabberd.config="+p.Ejabberd.ConfigPath)
	if exit != 2 {
		t.Errorf("exit %d, want 2: nothing can be collected", exit)
	}
	absent(t, page, "ejabberd_up", "ejabberd_accounts", "ejabberd_upload_files")
	if !strings.Contains(log, "--discover, as root, writes them without secrets, and --ejabberd.facts reads them") {
		t.Errorf("the log must name the remedy:\n%s", log)
	}
	checkExit, checked, _ := somebody.run(t, "--check", "--ejabberd.config="+p.Ejabberd.ConfigPath)
	if checkExit != 1 || !strings.Contains(checked, "--ejabberd.facts reads them") {
		t.Errorf("--check: exit %d:\n%s", checkExit, checked)
	}
	_, checkedByRoot, _ := program(t, append(p.flags, "--check", "--log.level=debug")...)
	d := p.serve(t, "--log.level=debug")
	_, landing := d.get(t, "/", scrapeTimeout)
	everything := []string{facts, discoverLog, rootPage, rootLog, theirPage, theirLog, log, checked, checkedByRoot, d.scrape(t, scrapeTimeout), landing, d.log.String()}
	for _, text := range everything {
		for _, secret := range []string{p.Database.Password, rolePassword, p.Admin.Password, service.Canary} {
			if strings.Contains(text, secret) {
				t.Errorf("a secret is shown in:\n%s", text)
			}
		}
	}
}

// TestDirectoriesThatAreNoneOfOurs: an upload directory that is closed to us is a failure that names its remedy.
func TestDirectoriesThatAreNoneOfOurs(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "uploads-")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	somebody := newNobody(t, dir)
	docroot := filepath.Join(dir, "up")
	for _, sub := range []string{"open/secret", "closed/secret"} {
		if err := os.MkdirAll(filepath.Join(docroot, sub), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(docroot, sub, service.Canary), []byte("1234567890"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config := filepath.Join(dir, "ejabberd.yml")
	if err := os.WriteFile(config, []byte(uploadsIn(docroot)), 0o644); err != nil {
		t.Fatal(err)
	}
	look := func(mode, docrootMode os.FileMode) (exit int, page, log string) {
		for path, mode := range map[string]os.FileMode{filepath.Join(docroot, "closed"): mode, docroot: docrootMode} {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
		}
		exit, page, log = somebody.run(t, "--once", "--ejabberd.config="+config)
		noSecrets(t, page, log)
		return exit, page, log
	}

	exit, page, log := look(0o755, 0o755)
	if exit != 0 {
		t.Errorf("exit %d:\n%s", exit, log)
	}
	want(t, page, map[string]float64{`ejabberd_upload_files{vhost="chapril.test"}`: 2, `ejabberd_upload_scan_errors{vhost="chapril.test"}`: 0})

	exit, page, log = look(0o700, 0o755)
	if exit != 0 {
		t.Errorf("one closed account: exit %d:\n%s", exit, log)
	}
	want(t, page, map[string]float64{`ejabberd_upload_files{vhost="chapril.test"}`: 1, `ejabberd_upload_scan_errors{vhost="chapril.test"}`: 1})

	exit, page, log = look(0o755, 0o700)
	if exit != 1 || strings.Count(log, "`ejabberd_exporter --check` prints the lines for systemd") != 1 {
		t.Errorf("closed docroot: exit %d:\n%s", exit, log)
	}
	success(t, page, "uploads")
	absent(t, page, numbersOf([]string{"uploads"})...)
	_, text, _ := somebody.run(t, "--check", "--ejabberd.config="+config)
	if !strings.Contains(text, "BindReadOnlyPaths=-"+docroot+"\n") {
		t.Errorf("--check does not print the line for systemd:\n%s", text)
	}
}
