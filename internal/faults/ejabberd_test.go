// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// people are thrown out when ejabberd ends, and what is said of them changes truthfully.
var people = []string{"ejabberd_session", "ejabberd_accounts_online", "ejabberd_accounts_active", "ejabberd_muc_rooms_online", "ejabberd_cluster_node", "ejabberd_offline", "ejabberd_archive"}

// ofEjabberd is what happens to ejabberd.
var ofEjabberd = []fault{
	{
		name: "ejabberd hangs (SIGSTOP)", fails: "server s2s ejabberd_up", quick: true,
		begin: func(t *testing.T, s *stage) (end func()) {
			deliver(t, s.Ejabberd.Signal, syscall.SIGSTOP)
			return func() { deliver(t, s.Ejabberd.Signal, syscall.SIGCONT) }
		},
	},
	{
		name: "ejabberd reloads its configuration, again and again",
		begin: func(t *testing.T, s *stage) (end func()) {
			return repeatedly(t, func() error { return s.Ejabberd.Reload(t.Context()) })
		},
	},
	{
		name: "ejabberd is out of file descriptors", may: []string{"ejabberd_process_max_fds"},
		begin: func(t *testing.T, s *stage) (end func()) {
			open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.Ejabberd.PID()))
			if err != nil {
				t.Fatal(err)
			}
			before := limitDescriptors(t, s.Ejabberd.PID(), strconv.Itoa(len(open)))
			return func() { limitDescriptors(t, s.Ejabberd.PID(), before) }
		},
	},
	{
		name: "ejabberd is restarted", may: people,
		begin: func(t *testing.T, s *stage) (end func()) {
			done := make(chan error, 1)
			go func() {
				s.Ejabberd.Stop()
				done <- s.Ejabberd.Start(t.Context())
			}()
			return func() {
				if err := <-done; err != nil {
					t.Fatal(err)
				}
			}
		},
	},
	{
		name: "ejabberd is killed", fails: "server s2s ejabberd_up ejabberd_listener_up", may: people,
		begin: func(t *testing.T, s *stage) (end func()) {
			s.Ejabberd.Kill()
			return func() {
				if err := s.Ejabberd.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		},
	},
}

func deliver(t *testing.T, to func(syscall.Signal) error, signal syscall.Signal) {
	t.Helper()
	if err := to(signal); err != nil {
		t.Fatal(err)
	}
}

// limitDescriptors changes how many descriptors ejabberd may have, and gives how many it might. It is done under ejabberd's
// account: root without CAP_SYS_RESOURCE may not.
func limitDescriptors(t *testing.T, pid int, most string) (before string) {
	t.Helper()
	prlimit := func(args ...string) string {
		set := exec.CommandContext(t.Context(), "prlimit", append([]string{fmt.Sprintf("--pid=%d", pid)}, args...)...)
		if os.Getuid() == 0 {
			set.SysProcAttr = &syscall.SysProcAttr{Credential: ejabberdAccount(t)}
		}
		out, err := set.CombinedOutput()
		if err != nil {
			t.Fatalf("prlimit: %v: %s", err, out)
		}
		return strings.TrimSpace(string(out))
	}
	before = prlimit("--nofile", "--output=SOFT", "--noheadings")
	prlimit("--nofile=" + most + ":")
	return before
}

// repeatedly does something until the end, which waits for the last time.
func repeatedly(t *testing.T, do func() error) (end func()) {
	t.Helper()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				if err := do(); err != nil {
					t.Error(err)
					return
				}
			}
		}
	}()
	return func() { close(stop); <-stopped }
}
