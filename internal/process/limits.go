// SPDX-License-Identifier: Apache-2.0

package process

import (
	"math/bits"
	"slices"
	"strconv"
)

// limit is the number behind a flag of the emulator, which erl writes as -P what it was given as +P; 0 where there is none.
func limit(args []string, flag string) int {
	// The emulator's own flags end at the first "--".
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	i := slices.Index(args, flag)
	if i < 0 || i+1 >= len(args) {
		return 0
	}
	n, err := strconv.Atoi(args[i+1])
	if err != nil || n <= 0 {
		return 0
	}
	return Effective(n)
}

// Effective is the limit that Erlang makes of the one that it is told: the next power of two.
func Effective(limit int) int {
	if limit <= 0 {
		return 0
	}
	return 1 << bits.Len(uint(limit-1))
}
