// SPDX-License-Identifier: Apache-2.0

package service

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// parentVariable makes this test's program one that starts a service and waits to be killed.
const parentVariable = "SERVICE_TEST_PARENT"

func startAndWait() {
	s, err := Start(context.Background(), Options{Peer: true})
	if err != nil {
		panic(err)
	}
	if _, err := fmt.Fprintln(os.Stdout, s.Dir); err != nil {
		panic(err)
	}
	select {}
}

// Whoever starts a service and is killed takes it along.
func TestOrphans(t *testing.T) {
	Require(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.Command(program)
	parent.Env = append(os.Environ(), parentVariable+"=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	dir, err := bufio.NewReader(out).ReadString('\n')
	servers := descendants(t)[1:]
	_ = parent.Process.Kill()
	_ = parent.Wait()
	if err != nil || !strings.HasPrefix(dir, "/") {
		t.Fatalf("the parent says %q, %v", dir, err)
	}
	if len(servers) < 4 {
		t.Errorf("only processes %v were running", servers)
	}
	soon(t, func(context.Context) error {
		for _, pid := range servers {
			if !gone(pid) {
				return fmt.Errorf("process %d lives on", pid)
			}
		}
		return nil
	})
	if err := os.RemoveAll(strings.TrimSpace(dir)); err != nil {
		t.Error(err)
	}
}
