// SPDX-License-Identifier: Apache-2.0

//go:build unix

package secret_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/secret"
)

// crash makes the test's binary a program that crashes.
const crash = "TEST_BINARY_CRASHES"

func TestMain(m *testing.M) {
	switch os.Getenv(crash) {
	case "guarded":
		secret.NoCore()
		var limit syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &limit); err != nil || limit.Cur > 1 || limit.Max > 1 {
			os.Exit(0) //nolint:forbidigo // which is no crash
		}
		panic("as a defect would")
	case "bare":
		panic("as a defect would")
	}
	os.Exit(m.Run()) //nolint:forbidigo // this is the main of the tests
}

// TestNoCore: a crash leaves no image behind, where it would leave one otherwise.
func TestNoCore(t *testing.T) {
	dumped := func(how string) bool {
		cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", `ulimit -S -c "$(ulimit -H -c)" && exec "$0"`, "/proc/self/exe")
		if self, err := os.Executable(); err == nil {
			cmd.Args[3] = self
		}
		cmd.Env = []string{crash + "=" + how, "GOTRACEBACK=crash"}
		cmd.Dir = t.TempDir()
		if err := cmd.Run(); err == nil {
			t.Fatal("it does not crash")
		}
		status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
		files, _ := filepath.Glob(filepath.Join(cmd.Dir, "*"))
		return ok && status.CoreDump() || len(files) > 0
	}
	if dumped("guarded") {
		t.Error("an image of the process was written")
	}
	if !dumped("bare") {
		t.Log("this machine writes no images anyway: only the limit was looked at")
	}
}
