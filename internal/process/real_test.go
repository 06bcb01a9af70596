// SPDX-License-Identifier: Apache-2.0

package process

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestMain is also a program that calls itself beam.smp and holds a socket until its standard input ends.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != "beam.smp" {
		m.Run()
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	_, _ = os.Stdout.WriteString("ready\n")
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = l.Close()
}

// spool is where a beam.smp of this test says that it works.
const spool = "/srv/spool of the process test"

// beam starts one and gives its process id.
func beam(t *testing.T) int {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "beam.smp")
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-P", "250000", "-Q", "32000", "--", "-mnesia", "dir", `"`+spool+`"`, "-s", "ejabberd")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait()
	})
	if _, err := stdout.Read(make([]byte, 16)); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid
}

func nobodyOwns(uint32) bool { return false }

func TestRealProcess(t *testing.T) {
	if _, err := Find(spool, nobodyOwns); !errors.Is(err, ErrNone) {
		t.Errorf("found before it starts: %v", err)
	}
	began := time.Now()
	pid := beam(t)
	p, err := Find(spool, nobodyOwns)
	if err != nil {
		t.Fatal(err)
	}
	if p.proc.PID != pid || int(p.UID) != os.Getuid() || p.ProcessLimit != 262144 || p.PortLimit != 32768 {
		t.Errorf("found %+v, want process %d", p, pid)
	}
	u, err := p.Usage()
	if err != nil {
		t.Fatal(err)
	}
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	// The kernel counts in hundredths of a second, and rounds when it booted to seconds.
	if off := u.StartTime - float64(began.Unix()); math.Abs(off) > 5 || u.Resident < 1<<20 || u.CPU < 0 || u.CPU > 60 || u.OpenFDs != float64(len(open)) || u.MaxFDs < float64(limit.Cur) {
		t.Errorf("%+v, want %d descriptors of at least %d, started %v", u, len(open), limit.Cur, began)
	}
	if inodes, err := p.Sockets(); err != nil || len(inodes) != 1 {
		t.Errorf("%d sockets, %v, want 1", len(inodes), err)
	}
}

func TestRealListenOverflows(t *testing.T) {
	if n, err := ListenOverflows(); err != nil || n < 0 {
		t.Error(n, err)
	}
}

// TestUnprivileged: a user who owns nothing learns as much, but for the sockets.
func TestUnprivileged(t *testing.T) {
	const role = "LOOKS_AT_ANOTHER_USER"
	if os.Getenv(role) != "" {
		p, err := Find(spool, nobodyOwns)
		if err != nil {
			t.Fatal(err)
		}
		u, err := p.Usage()
		if err != nil || u.Resident < 1<<20 || math.IsNaN(u.StartTime) || math.IsNaN(u.MaxFDs) || p.PortLimit != 32768 {
			t.Errorf("%+v, %v", u, err)
		}
		if _, err := p.Sockets(); !errors.Is(err, os.ErrPermission) {
			t.Errorf("sockets of another user: %v", err)
		}
		return
	}
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	beam(t)
	program, err := os.Open("/proc/self/exe") // the test's directory is closed to others
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	cmd := exec.CommandContext(t.Context(), "/proc/self/fd/3", "-test.run=^TestUnprivileged$")
	cmd.ExtraFiles = []*os.File{program}
	cmd.Dir = "/"
	cmd.Env = []string{role + "=1"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
