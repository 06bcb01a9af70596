// SPDX-License-Identifier: Apache-2.0

package service

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// deliver sends a signal. A SIGSTOP has been sent when every thread of the process stands still: until then a server that was
// told to hang may answer one more question.
func deliver(pid int, signal syscall.Signal) error {
	if err := syscall.Kill(pid, signal); err != nil || signal != syscall.SIGSTOP {
		return err
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range 5000 {
		if frozen(pid) {
			return nil
		}
		<-tick.C
	}
	return errors.New("a process that was sent SIGSTOP goes on")
}

// frozen tells whether no thread runs: all are stopped, or have ended meanwhile.
func frozen(pid int) bool {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		return false
	}
	for _, thread := range threads {
		stat, err := os.ReadFile(thread)
		if err != nil {
			continue // the thread has ended
		}
		// The state follows the name, which is in parentheses and may contain every character.
		_, after, _ := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')'):]), " ")
		if !strings.ContainsRune("TZX", rune(after[0])) {
			return false
		}
	}
	return true
}
