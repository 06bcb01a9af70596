// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// TestPasswordsOnTheCommandLine: everybody on a machine can read arguments, so a password among them is refused; the environment
// may hold one.
func TestPasswordsOnTheCommandLine(t *testing.T) {
	for _, url := range []string{
		"postgres://role:" + service.Canary + "@127.0.0.1/ejabberd", "postgresql://role:" + service.Canary + "@127.0.0.1/ejabberd",
		"host=127.0.0.1 user=role password=" + service.Canary, "host=127.0.0.1 password = '" + service.Canary + "'",
		"postgres://role@127.0.0.1/ejabberd?password=" + service.Canary, "postgres://127.0.0.1/ejabberd?sslpassword=" + service.Canary,
	} {
		for _, args := range [][]string{{"--database.url=" + url}, {"--database.url", url}, {"--check", "--database.url", url}} {
			exit, out, log := program(t, args...)
			if exit != exitNothing || !strings.Contains(log, "use --database.password-file or PGPASSWORD") {
				t.Errorf("%q: exit %d: %s", args, exit, log)
			}
			if strings.Contains(out+log, service.Canary) {
				t.Errorf("the complaint repeats the password: %s%s", out, log)
			}
		}
	}
	for _, url := range []string{"postgres://role@127.0.0.1:5432/ejabberd", "postgres://role@127.0.0.1/ejabberd?sslmode=require", "host=/run/postgresql user=role"} {
		if s := parsed(t, "--database.url="+url); s.discovery.DatabaseURL != url {
			t.Errorf("%s holds no password, but is not taken", url)
		}
	}
	t.Setenv("EJABBERD_EXPORTER_DATABASE_URL", "postgres://role:"+service.Canary+"@127.0.0.1/ejabberd")
	if s := parsed(t); !strings.Contains(s.discovery.DatabaseURL, service.Canary) {
		t.Error("the environment may hold a password")
	}
	exit, out, log := program(t, "--ejabberd.url=http://person:"+service.Canary+"@127.0.0.1:1/api")
	if exit == 0 || strings.Contains(out+log, service.Canary) {
		t.Errorf("a password in --ejabberd.url: exit %d: %s%s", exit, out, log)
	}
}

// TestSecretsThatOthersMayRead: whichever file a password is in, it is refused while others may read it, and used when they may not.
func TestSecretsThatOthersMayRead(t *testing.T) {
	t.Parallel()
	nowhere := "postgres://role@127.0.0.1:1/ejabberd"
	for name, c := range map[string]struct {
		text string
		args func(path string) []string
		env  string
	}{
		"role": {"role-" + service.Canary, func(path string) []string {
			return []string{"--database.url=" + nowhere, "--database.password-file=" + path}
		}, ""},
		"API account": {"api-" + service.Canary, func(path string) []string {
			return []string{"--ejabberd.url=http://127.0.0.1:1/api", "--ejabberd.user=exporter@chapril.test", "--ejabberd.password-file=" + path}
		}, ""},
		"PGPASSFILE": {"127.0.0.1:1:*:role:pass-" + service.Canary, func(string) []string { return []string{"--database.url=" + nowhere} }, "PGPASSFILE="},
		"probes": {"modules: {login: {jid: probe@chapril.test, password: probe-" + service.Canary + "}}", func(path string) []string {
			return []string{"--probe.config=" + path, "--web.listen-address=127.0.0.1:0"}
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := file(t, service.Canary, c.text)
			for _, open := range []bool{true, false} {
				if err := os.Chmod(path, map[bool]os.FileMode{true: 0o604, false: 0o640}[open]); err != nil {
					t.Fatal(err)
				}
				args := c.args(path)
				if name == "probes" && !open {
					continue // it would serve
				} else if name != "probes" {
					args = append(args, "--once", "--once.timeout=5s", "--log.level=debug")
				}
				child := exec.CommandContext(t.Context(), "/proc/self/exe", args...)
				child.Env = []string{actAsProgram + "=1", "EJABBERD_EXPORTER_EJABBERD_FACTS=" + file(t, "facts.json", `{"facts": 2}`)}
				if c.env != "" {
					child.Env = append(child.Env, c.env+path)
				}
				said, err := child.CombinedOutput()
				if err == nil {
					t.Errorf("open %v: nobody is there to answer, but it succeeds", open)
				}
				if strings.Contains(string(said), "others may read it: chmod o-rwx") != open {
					t.Errorf("open %v: it says\n%s", open, said)
				}
				if strings.Contains(strings.ReplaceAll(string(said), path, ""), service.Canary) {
					t.Errorf("a password is shown:\n%s", said)
				}
			}
		})
	}
}

// TestProcessShowsNoSecret: what everybody on the machine can see of the running exporter holds none of its passwords, and what
// it would leave behind in a crash is not written.
func TestProcessShowsNoSecret(t *testing.T) {
	t.Parallel()
	passwords := []string{"--database.url=postgres://role@127.0.0.1:1/ejabberd", "--database.password-file=" + file(t, "role", "role-"+service.Canary)}
	running, address := child(t, append(passwords, "--ejabberd.facts="+file(t, "facts.json", `{"facts": 2}`))...)
	d := &daemon{URL: "http://" + address}
	eventually(t, scrapeTimeout, "answer", func() bool { status, _ := d.get(t, "/-/ready", scrapeTimeout); return status == 200 })
	proc := fmt.Sprintf("/proc/%d", running.Process.Pid)
	limits, err := os.ReadFile(filepath.Join(proc, "limits"))
	if err != nil {
		t.Fatal(err)
	}
	core := ""
	for line := range strings.Lines(string(limits)) {
		if rest, found := strings.CutPrefix(line, "Max core file size"); found {
			core = strings.Join(strings.Fields(rest)[:2], " ")
		}
	}
	if core != "1 1" && core != "0 0" {
		t.Errorf("a core dump of %s bytes may be written", core)
	}
	for _, name := range []string{"cmdline", "comm", "status", "stat"} {
		text, err := os.ReadFile(filepath.Join(proc, name))
		if err != nil || strings.Contains(string(text), service.Canary) {
			t.Errorf("/proc/…/%s: %q (%v)", name, text, err)
		}
	}
}

// remembersNothing: the exporter that serves from facts holds neither ejabberd's password for its database nor a private key, not
// even where it could read one.
func (n nobody) remembersNothing(t *testing.T, p *patient, facts string) {
	if err := os.Chmod(p.Ejabberd.Config.XMPPCert, 0o644); err != nil {
		t.Fatal(err)
	}
	certificate, err := os.ReadFile(p.Ejabberd.Config.XMPPCert)
	if err != nil {
		t.Fatal(err)
	}
	_, key, found := strings.Cut(string(certificate), "PRIVATE KEY-----\n")
	if !found {
		t.Fatal("the certificate has no key: this test looks for the wrong thing")
	}
	key, _, _ = strings.Cut(key, "\n")
	ports, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", ports[0])
	running := exec.CommandContext(t.Context(), n.binary, "--ejabberd.facts="+facts, "--web.listen-address="+address)
	running.Env = []string{actAsProgram + "=1", "PGPASSWORD=" + rolePassword}
	running.Dir, running.Stderr = "/", t.Output()
	running.SysProcAttr = &syscall.SysProcAttr{Credential: &n.id, Pdeathsig: syscall.SIGKILL}
	if err := running.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = running.Process.Kill(); _ = running.Wait() }()
	d := &daemon{URL: "http://" + address, log: new(lockedLog)}
	eventually(t, 10*time.Second, "answer", func() bool { status, _ := d.get(t, "/-/ready", scrapeTimeout); return status == 200 })
	want(t, d.scrape(t, time.Minute), map[string]float64{"ejabberd_up": 1, `ejabberd_database_up{database="ejabberd"}`: 1})
	memory := memoryOf(t, running.Process.Pid)
	for what, secret := range map[string]string{"ejabberd's password for its database": p.Database.Password, "a private key": key} {
		if bytes.Contains(memory, []byte(secret)) {
			t.Errorf("%s is in the memory of the exporter", what)
		}
	}
	if !bytes.Contains(memory, []byte(rolePassword)) {
		t.Error("not even the exporter's own password was found: this test looks in the wrong place")
	}
}

// memoryOf reads what a process can write to: heap, stacks, buffers.
func memoryOf(t *testing.T, pid int) (memory []byte) {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		var mode string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); err != nil || !strings.HasPrefix(mode, "rw") || to-from > 1<<28 {
			continue
		}
		piece := make([]byte, to-from)
		got, _ := file.ReadAt(piece, from) // what was never touched cannot be read, and holds nothing
		memory = append(memory, piece[:got]...)
	}
	return memory
}
