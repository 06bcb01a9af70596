// SPDX-License-Identifier: Apache-2.0

// Package guard keeps a bug in one place from taking everything else down.
package guard

import (
	"fmt"
	"runtime"
	"strings"
)

// Run turns a panic into an error that says where, and nothing of what: the value could be anybody's data.
func Run(run func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("panic at %s: this is a bug, please report it", origin())
		}
	}()
	return run()
}

// origin finds the line that panicked: the first frame of ours below the runtime's.
func origin() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, "runtime.") {
			return fmt.Sprintf("%s:%d", frame.Function[strings.LastIndexByte(frame.Function, '/')+1:], frame.Line)
		}
		if !more {
			return "an unknown place"
		}
	}
}
