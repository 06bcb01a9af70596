// SPDX-License-Identifier: Apache-2.0

// Command witness runs a program and tells how it ended, what it said, how long it took and how much memory it had at its peak.
// It is a program of its own because the kernel counts the memory of whoever starts a process as that process's, too: this one
// has little.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

func main() {
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Dir = &stdout, &stderr, "/"
	began := time.Now()
	_ = cmd.Run()
	took := time.Since(began)
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		fmt.Fprintln(os.Stderr, "witness: it did not start:", cmd.Err)
		os.Exit(1)
	}
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{
		"code": cmd.ProcessState.ExitCode(), "stdout": stdout.String(), "stderr": stderr.String(),
		"took": took, "peak": usage.Maxrss << 10,
	})
}
