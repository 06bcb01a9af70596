// SPDX-License-Identifier: Apache-2.0

package process

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"
)

// Usage is what the process uses now. NaN is unknown.
type Usage struct {
	CPU       float64 // seconds since its start
	Resident  float64 // bytes
	OpenFDs   float64 // NaN where the kernel hides it: before Linux 6.2, for other users
	MaxFDs    float64
	StartTime float64 // seconds since 1970; NaN where /proc/stat is hidden
}

// Usage reads it. An error is a process that has ended meanwhile, or whose /proc is closed to us.
func (p *Process) Usage() (Usage, error) {
	stat, err := p.proc.Stat()
	if err != nil {
		return Usage{}, fmt.Errorf("read /proc of ejabberd: %w", cause(err))
	}
	u := Usage{
		CPU:       stat.CPUTime(),
		Resident:  float64(stat.ResidentMemory()),
		OpenFDs:   math.NaN(),
		MaxFDs:    math.NaN(),
		StartTime: math.NaN(),
	}
	if n, err := p.proc.FileDescriptorsLen(); err == nil {
		u.OpenFDs = float64(n)
	}
	if limits, err := p.proc.Limits(); err == nil {
		u.MaxFDs = float64(limits.OpenFiles)
	}
	if start, err := stat.StartTime(); err == nil {
		u.StartTime = start
	}
	return u, nil
}

// Sockets are the inodes of the process's sockets. Only root and its own user may know them.
func (p *Process) Sockets() (map[uint32]bool, error) {
	targets, err := p.proc.FileDescriptorTargets()
	if err != nil {
		return nil, fmt.Errorf("read /proc of ejabberd: %w", cause(err))
	}
	inodes := map[uint32]bool{}
	for _, target := range targets {
		number, ok := strings.CutPrefix(target, "socket:[")
		if n, err := strconv.ParseUint(strings.TrimSuffix(number, "]"), 10, 32); ok && err == nil {
			inodes[uint32(n)] = true
		}
	}
	return inodes, nil
}

// ListenOverflows is how many TCP connections this host (its network namespace) has dropped since it started because a program
// did not take them in time.
func ListenOverflows() (float64, error) {
	self, err := procfs.Self()
	if err != nil {
		return 0, fmt.Errorf("read /proc/self/net/netstat: %w", cause(err))
	}
	stat, err := self.Netstat()
	if err != nil {
		return 0, fmt.Errorf("read /proc/self/net/netstat: %w", cause(err))
	}
	if stat.ListenOverflows == nil {
		return 0, errors.New("/proc/self/net/netstat does not count ListenOverflows")
	}
	return *stat.ListenOverflows, nil
}

// cause is an error without the path that it happened to.
func cause(err error) error {
	if bad := (*os.PathError)(nil); errors.As(err, &bad) {
		return bad.Err
	}
	return err
}
