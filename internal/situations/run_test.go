// SPDX-License-Identifier: Apache-2.0

package situations

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

const (
	grace  = 500 * time.Millisecond // that a plugin may take beyond its -t
	memory = 32 << 20               // bytes that it may have at its peak
	usual  = 16 << 20               // and where all is well
)

// seen is what a plugin did, as the witness tells it.
type seen struct {
	Code           int
	Stdout, Stderr string
	Took           time.Duration
	Peak           int64
}

// built is the directory that binaries made; empty before.
var built string

// binaries is a directory with the plugins as they are shipped, and the witness.
var binaries = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "situations-")
	if err != nil {
		return "", err
	}
	built = dir
	plugins, err := filepath.Glob("../../cmd/check_*")
	if err != nil {
		return dir, err
	}
	build := exec.Command("go", append([]string{"build", "-trimpath", "-ldflags", "-s -w -buildid=", "-o", dir + "/", "./testdata/witness"}, plugins...)...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "8") // most of the time, everybody waits
	code := m.Run()
	if built != "" {
		_ = os.RemoveAll(built)
	}
	os.Exit(code) //nolint:forbidigo // this is main
}

// witness runs a program of that name, without any environment but a PATH.
func witness(t testing.TB, name string, args ...string) seen {
	t.Helper()
	dir, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "witness"), append([]string{name}, args...)...)
	cmd.Env, cmd.Stderr = []string{"PATH=/usr/bin:/bin"}, t.Output()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var s seen
	if err := json.Unmarshal(out, &s); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return s
}

// TestWitness: it sees what there is to complain about.
func TestWitness(t *testing.T) {
	t.Parallel()
	got := witness(t, "/bin/sh", "-c", "sleep 0.2; echo out; echo err >&2; dd if=/dev/zero of=/dev/null bs=48M count=1 2>/dev/null; exit 3")
	if got.Code != 3 || got.Stdout != "out\n" || got.Stderr != "err\n" || got.Took < 200*time.Millisecond || got.Peak < memory {
		t.Errorf("%+v", got)
	}
	if got := witness(t, "/bin/true"); got.Code != 0 || got.Peak > memory/2 {
		t.Errorf("%+v: the witness's own memory counts", got)
	}
}

// alone is held by one plugin that is tried again by itself, and shared by all others.
var alone sync.RWMutex

// TestSituations plays each situation for each plugin.
func TestSituations(t *testing.T) {
	t.Parallel()
	ca, err := service.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	for _, theme := range all() {
		for _, s := range theme.situations {
			for _, v := range s.verdicts {
				for plugin := range strings.FieldsSeq(v.plugins) {
					t.Run(strings.Join([]string{theme.name, s.name, plugin, v.flags}, "/"), func(t *testing.T) {
						t.Parallel()
						alone.RLock()
						wrong, late := v.try(newStage(t, plugin, ca), s.play)
						alone.RUnlock()
						if late { // the machine may have been busy with the others
							alone.Lock()
							defer alone.Unlock()
							t.Logf("once more, alone: %s", strings.Join(wrong, "\n"))
							wrong, _ = v.try(newStage(t, plugin, ca), s.play)
						}
						for _, w := range wrong {
							t.Error(w)
						}
					})
				}
			}
		}
	}
}

var failureInfo = regexp.MustCompile(`(?m)^probe_xmpp_failure_info\{phase="(.*)",reason="(.*)"\} `)

// try plays a situation and gives what is wrong with what the plugin does. late: time has to do with it.
func (v verdict) try(s *stage, play func(*stage)) (wrong []string, late bool) {
	play(s)
	args, limit := s.args(v.flags)
	got := witness(s.T, "check_xmpp_"+s.plugin, args...)
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if got.Took > limit+grace {
		complain("took %s, with -t %s", got.Took, limit)
	}
	late = len(wrong) > 0
	if got.Peak > memory || v.state == "OK" && got.Peak > usual {
		complain("%d KiB of memory", got.Peak>>10)
	}
	if got.Stderr != "" {
		complain("stderr %q", got.Stderr)
	}
	first, _, _ := strings.Cut(got.Stdout, "\n")
	prefix := "XMPP_" + strings.ToUpper(s.plugin) + " " + v.state + " - "
	text, _, _ := strings.Cut(first, " | ")
	if got.Code < 0 || got.Code >= len(codes) || codes[got.Code] != v.state || !strings.HasPrefix(first, prefix) || !strings.Contains(text, v.says) {
		complain("exit code %d, %s\nwant %s … %s", got.Code, first, prefix, v.says)
	}
	if strings.Count(got.Stdout, "|") != 1 || strings.Contains(got.Stdout, service.Canary) {
		complain("more than one |, or an account, in\n%s", got.Stdout)
	}
	var failures []string
	for _, m := range failureInfo.FindAllStringSubmatch(got.Stdout, -1) {
		failures = append(failures, m[1]+"/"+m[2])
	}
	if said := strings.Join(failures, " "); said != v.failure {
		complain("failures %q, want %q\n%s", said, v.failure, got.Stdout)
	}
	late = late || len(wrong) > 0 && strings.Contains(v.failure, "/timeout")
	s.Logf("%s, %d KiB: %s", got.Took.Round(time.Millisecond), got.Peak>>10, first)
	return wrong, late
}
