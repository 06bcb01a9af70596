// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

const (
	// deadline is how long Prometheus waits for a page in these tests.
	deadline = 5 * time.Second
	// patience is for what has no limit but a test's: this machine may be busy with other things.
	patience = 90 * time.Second

	rolePassword = "role-" + service.Canary
)

// exporter is the program, as a process in a mount namespace of its own and under ejabberd's account.
type exporter struct {
	url     string
	program *exec.Cmd
	ended   chan struct{}
	log     *lockedLog
}

// built is the directory that binary made; empty before.
var built string

// binary is the program as it is shipped.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "faults-")
	if err != nil {
		return "", err
	}
	built = dir
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "ejabberd_exporter")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -buildid=", "-o", path, "../../cmd/ejabberd_exporter")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		_ = os.RemoveAll(built)
	}
	os.Exit(code) //nolint:forbidigo // this is main
}

// launch starts an exporter and stops it at the test's end.
func launch(t *testing.T, args ...string) *exporter {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	ports, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	address := "127.0.0.1:" + strconv.Itoa(ports[0])
	e := &exporter{url: "http://" + address, ended: make(chan struct{}), log: &lockedLog{}}
	e.program = exec.Command(path, append([]string{"--web.listen-address=" + address}, args...)...)
	e.program.Env = []string{"PGPASSWORD=" + rolePassword}
	e.program.Dir = "/"
	e.program.Stderr = e.log
	e.program.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Getuid() == 0 {
		e.program.SysProcAttr.Unshareflags = syscall.CLONE_NEWNS
		e.program.SysProcAttr.Credential = ejabberdAccount(t)
	}
	if err := e.program.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = e.program.Wait() // its log says why
		close(e.ended)
	}()
	t.Cleanup(e.kill)
	return e
}

// ejabberdAccount is who may read ejabberd.yml, the log and the uploads, and is not root, to whom no directory is closed.
func ejabberdAccount(t *testing.T) *syscall.Credential {
	t.Helper()
	account, err := user.Lookup("ejabberd")
	if err != nil {
		t.Fatal(err)
	}
	uid, uidErr := strconv.ParseUint(account.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(account.Gid, 10, 32)
	if uidErr != nil || gidErr != nil {
		t.Fatal(uidErr, gidErr)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// kill ends the exporter as the kernel's killer does, at once.
func (e *exporter) kill() {
	_ = e.program.Process.Kill()
	<-e.ended
}

func (e *exporter) pid() int { return e.program.Process.Pid }

// ready waits until the exporter serves.
func (e *exporter) ready(t *testing.T) {
	t.Helper()
	eventually(t, patience, "exporter", func() bool {
		select {
		case <-e.ended:
			t.Fatalf("the exporter ended:\n%s", e.log)
		default:
		}
		status, _, _ := e.get(t, "/-/ready")
		return status == http.StatusOK
	})
}

// get asks as Prometheus does, on a connection of its own, and measures the time to the end of the answer. Status 0 is none.
func (e *exporter) get(t *testing.T, path string) (status int, page string, took time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", fmt.Sprint(deadline.Seconds()))
	began := time.Now()
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return 0, "", time.Since(began)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, "", time.Since(began)
	}
	return answer.StatusCode, string(text), time.Since(began)
}

// lockedLog is a log that can be read while it is written.
type lockedLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// eventually polls until the condition holds.
func eventually(t *testing.T, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	end := time.After(limit)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-end:
			t.Fatalf("no %s within %v", what, limit)
		case <-tick.C:
		}
	}
}
