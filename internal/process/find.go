// SPDX-License-Identifier: Apache-2.0

// Package process finds ejabberd's Erlang machine (beam.smp) among the processes of this host and reads what the kernel says of
// it in /proc, as any user may. Of its command line, which may carry more than numbers, only the two limits get out.
package process

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/prometheus/procfs"
)

// Reasons why there is no process.
var (
	ErrNone      = errors.New("no process of ejabberd is seen")
	ErrAmbiguous = errors.New("several ejabberd run on this host, and none of them in the directory that ejabberdctl.cfg names: set SPOOL_DIR there")
)

// nobody is the user as whom the kernel shows all those that our user namespace does not know (PrivateUsers of systemd).
const nobody = 65534

// Process is ejabberd's Erlang machine.
type Process struct {
	UID uint32
	// Alone: no other ejabberd runs as UID, so what belongs to UID belongs to this process.
	Alone bool
	// ProcessLimit and PortLimit are what the command line sets with +P and +Q; 0 where it says nothing.
	ProcessLimit, PortLimit int

	proc procfs.Proc
}

// candidate is an ejabberd among the processes.
type candidate struct {
	proc procfs.Proc
	uid  uint32
	args []string
}

// Find looks for the ejabberd whose Mnesia directory is spool: two cannot share one. Where none says so, it is the only one
// there is, provided that its user owns sockets where ejabberd should listen.
func Find(spool string, owns func(uid uint32) bool) (*Process, error) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return nil, fmt.Errorf("find ejabberd's process: %w", err)
	}
	all, err := candidates(fs)
	if err != nil {
		return nil, err
	}
	found, err := choose(all, spool, owns)
	if err != nil {
		return nil, err
	}
	return &Process{
		UID:          found.uid,
		Alone:        found.uid != nobody && !slices.ContainsFunc(all, func(c candidate) bool { return c.uid == found.uid && c.proc.PID != found.proc.PID }),
		ProcessLimit: limit(found.args, "-P"),
		PortLimit:    limit(found.args, "-Q"),
		proc:         found.proc,
	}, nil
}

// candidates are all ejabberd that may be seen. A process that ends meanwhile is none.
func candidates(fs procfs.FS) ([]candidate, error) {
	procs, err := fs.AllProcs()
	if err != nil {
		return nil, fmt.Errorf("find ejabberd's process: %w", err)
	}
	var all []candidate
	for _, proc := range procs {
		if comm, err := proc.Comm(); err != nil || comm != "beam.smp" && comm != "beam" {
			continue
		}
		args, err := proc.CmdLine()
		if err != nil || !runsEjabberd(args) {
			continue
		}
		if status, err := proc.NewStatus(); err == nil {
			all = append(all, candidate{proc, uint32(status.UIDs[1]), args})
		}
	}
	return all, nil
}

func choose(all []candidate, spool string, owns func(uid uint32) bool) (candidate, error) {
	for _, c := range all {
		if spool != "" && c.spool() == filepath.Clean(spool) {
			return c, nil
		}
	}
	owners := slices.DeleteFunc(slices.Clone(all), func(c candidate) bool { return !owns(c.uid) })
	switch len(owners) {
	case 0:
		return candidate{}, ErrNone
	case 1:
		return owners[0], nil
	}
	return candidate{}, ErrAmbiguous
}

// runsEjabberd: ejabberdctl starts it with -s ejabberd, or through Elixir with --app ejabberd. Its own short runs are -s ejabberd_ctl.
func runsEjabberd(args []string) bool {
	return after(args, "-s", "ejabberd") || after(args, "--app", "ejabberd")
}

func after(args []string, flag, value string) bool {
	for i := 1; i < len(args); i++ {
		if args[i-1] == flag && args[i] == value {
			return true
		}
	}
	return false
}

// spool is the Mnesia directory: an Erlang string, in quotes of its own.
func (c candidate) spool() string {
	for i := 2; i < len(c.args); i++ {
		if c.args[i-2] == "-mnesia" && c.args[i-1] == "dir" {
			return filepath.Clean(strings.Trim(c.args[i], `"`))
		}
	}
	return ""
}
