// SPDX-License-Identifier: Apache-2.0

//go:build unix

package secret

import "syscall"

// NoCore has the kernel write no image of this process when it crashes: passwords would stand in it. A limit of one byte, not of
// none, because Linux hands an image to a program such as systemd-coredump whatever the limit is, unless it is one.
func NoCore() {
	// Where this is refused, the limit is lower already.
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{Cur: 1, Max: 1})
}
