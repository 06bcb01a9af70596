// SPDX-License-Identifier: Apache-2.0

package nagios_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// binaries is where TestMain builds check_literal and the real plugins, as they are shipped.
var binaries string

// shipped are the plugins whose calls are tried here.
var shipped = []string{
	"check_xmpp_c2s", "check_xmpp_s2s", "check_xmpp_cert", "check_xmpp_dns", "check_xmpp_web", "check_xmpp_turn", "check_xmpp_exposed",
	"check_xmpp_federation",
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "nagios-test-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binaries = dir
	args := []string{"build", "-trimpath", "-ldflags", "-s -w -buildid=", "-o", dir + "/", "./testdata/check_literal"}
	for _, name := range shipped {
		args = append(args, "../../cmd/"+name)
	}
	build := exec.Command("go", args...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("go build: %v\n%s", err, out))
	}
	m.Run()
}

// run runs a plugin as Nagios might, without any environment, and expects silence on stderr.
func run(t *testing.T, name string, args ...string) (code int, stdout string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(binaries, name), args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env, cmd.Dir = &out, &errs, []string{}, "/"
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	if errs.Len() > 0 {
		t.Errorf("%s %q: stderr %q", name, args, errs.String())
	}
	return cmd.ProcessState.ExitCode(), out.String()
}

func TestProcess(t *testing.T) {
	for _, c := range []struct {
		args   string
		code   int
		stdout string // how it begins
	}{
		{"--domain a.org", 0, "XMPP_LITERAL OK - did ok | time=2.125s;;;0\n"},
		{"--domain a.org -w 1", 1, "XMPP_LITERAL WARNING - time 2.125 s is above 1 s; did ok | time=2.125s;1;;0\n"},
		{"--domain a.org -w -5:5", 0, "XMPP_LITERAL OK - did ok | time=2.125s;-5:5;;0\n"},
		{"--domain a.org -w @1:3", 1, "XMPP_LITERAL WARNING - time 2.125 s is between 1 s and 3 s; did ok | time=2.125s;@1:3;;0\n"},
		{"--domain a.org --do fail", 2, "XMPP_LITERAL CRITICAL - connect: connection refused; did fail | time=2.125s;;;0\n"},
		{"--domain a.org --do panic", 3, "XMPP_LITERAL UNKNOWN - panic: this is a bug of the plugin, please report what -vvv shows; did panic | time=2.125s;;;0\n"},
		{"--domain a.org --do read --file /no/such/file", 3, "XMPP_LITERAL UNKNOWN - open /no/such/file: no such file or directory; did read | "},
		{"--domain a.org --do hang -t 1", 2, "XMPP_LITERAL CRITICAL - no result within 1s: the probe did not stop in time and was abandoned | time=U;;;0\n"},
		{"--domain a.org --do hang -t 1s --timeout-state unknown", 3, "XMPP_LITERAL UNKNOWN - no result within 1s: "},
		{"--domain a.org --do talk", 0, "XMPP_LITERAL OK - did talk | time=2.125s;;;0\n[OK] server: all is well all is well "},
		{"", 3, "XMPP_LITERAL UNKNOWN - --domain is missing"},
		{"-w abc", 3, `XMPP_LITERAL UNKNOWN - range "abc"`},
		{"-w 20:10", 3, `XMPP_LITERAL UNKNOWN - range "20:10"`},
		{"-w @/etc/passwd", 3, `XMPP_LITERAL UNKNOWN - range "@/etc/passwd"`},
		{"--bogus", 3, "XMPP_LITERAL UNKNOWN - unknown long flag '--bogus'"},
		{"-h", 3, "Usage: check_xmpp_literal "},
		{"--help", 3, "Usage: check_xmpp_literal "},
		{"-V", 3, "check_xmpp_literal "},
		{"--help-man", 0, ".TH CHECK_XMPP_LITERAL 1"},
		{"--completion-script-bash", 0, "complete -o default -W '--help --version --domain --do --file --warning "},
		{"--completion-script-zsh", 0, "#compdef check_xmpp_literal\n"},
	} {
		began := time.Now()
		code, stdout := run(t, "check_literal", strings.Fields(c.args)...)
		if code != c.code || !strings.HasPrefix(stdout, c.stdout) {
			t.Errorf("%s: got %d %s, want %d %s", c.args, code, stdout, c.code, c.stdout)
		}
		if took := time.Since(began); took > 8*time.Second {
			t.Errorf("%s: took %s", c.args, took)
		}
	}
}

func TestShippedPlugins(t *testing.T) {
	for _, name := range shipped {
		prefix := strings.ToUpper(strings.TrimPrefix(name, "check_"))
		for _, c := range []struct {
			args  string
			first string
		}{
			{"", prefix + " UNKNOWN - --domain is missing"},
			{"--domain a.org -t never", prefix + ` UNKNOWN - timeout "never"`},
			{"--domain a.org --bogus", prefix + " UNKNOWN - unknown long flag '--bogus'"},
			{"--domain a.org argument", prefix + " UNKNOWN - unexpected argument"},
			{"--domain a.org -4 -6", prefix + " UNKNOWN - -4 and -6 exclude each other"},
			{"-h", "Usage: " + name},
			{"-V", name + " "},
		} {
			if code, stdout := run(t, name, strings.Fields(c.args)...); code != 3 || !strings.HasPrefix(stdout, c.first) {
				t.Errorf("%s %s: got %d %s, want 3 %s", name, c.args, code, stdout, c.first)
			}
		}
	}
}

// Calls that not every plugin knows.
func TestWrongSettings(t *testing.T) {
	for _, c := range []struct{ plugins, args, text string }{
		{"c2s s2s cert dns web turn", "-w abc", `range "abc"`},
		{"c2s s2s cert dns web turn", "-w 20:10", `range "20:10"`},
		{"c2s s2s cert dns web turn", "-w @20:10", `range "@20:10"`},
		{"c2s s2s cert web", "-H 127.0.0.1 --ca-file /no/such/file", "--ca-file: no such file or directory"},
		{"c2s s2s cert turn", "-H 127.0.0.1 -p 99999", "a port is a number from 1 to 65535"},
		{"dns", "--expect /no/such/file", "--expect: no such file or directory"},
		{"dns", "--expect /dev/null", "--expect: it names no record"},
		{"web", "--bosh http://a.org/bosh", "a URL starts with https:// or wss://"},
		{"turn", "--turn-username me --turn-password-file /no/such/file", "--turn-password-file: no such file or directory"},
		{"turn", "--secret-file /dev/null", "--secret-file: it is empty, or its first line is"},
		{"turn", "--secret-file /etc/passwd", "--secret-file: it holds a secret and others may read it: chmod o-rwx"},
		{"federation", "--listen :5269", "--probe-domain is missing"},
		{"federation", "--probe-domain a.org", "--probe-domain must not be a domain that the probed server serves"},
		{"turn", "--turn-username me", "--turn-password-file is missing"},
		{"turn", "--jid me@a.org", "--password-file is missing"},
		{"turn", "--jid me@b.org", "the account is of another domain"},
		{"exposed", "--expect-open 80", "--expect-open names nothing that is looked at"},
	} {
		for plugin := range strings.FieldsSeq(c.plugins) {
			code, stdout := run(t, "check_xmpp_"+plugin, strings.Fields("--domain a.org "+c.args)...)
			if code != 3 || !strings.Contains(stdout, " UNKNOWN - ") || !strings.Contains(stdout, c.text) {
				t.Errorf("%s %s: got %d %s, want 3 %s", plugin, c.args, code, stdout, c.text)
			}
		}
	}
}

// A port that accepts connections and never says a word.
func TestBlackHole(t *testing.T) {
	hole, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer hole.Close()
	port := strconv.Itoa(hole.Addr().(*net.TCPAddr).Port)
	for _, c := range []struct {
		args string
		code int
	}{{"-t 1", 2}, {"-t 1 --timeout-state unknown", 3}, {"-t 1 --timeout-state warning", 1}} {
		began := time.Now()
		code, stdout := run(t, "check_xmpp_c2s", strings.Fields("--domain a.org -H 127.0.0.1 -p "+port+" "+c.args)...)
		if code != c.code || !strings.Contains(stdout, " - 127.0.0.1:"+port+" ip4: stream: ") {
			t.Errorf("%s: got %d %s, want %d and the phase", c.args, code, stdout, c.code)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: took %s", c.args, took)
		}
	}
}
