// SPDX-License-Identifier: Apache-2.0

package service

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Root is a directory that holds another Debian release, as scripts/make-root makes it; empty: this machine's own. Servers of
// such a release see the temporary directory, the accounts and the network of this machine.
type Root string

// glob finds files of the release; their names are those that are seen from inside.
func (r Root) glob(pattern string) []string {
	found, _ := filepath.Glob(string(r) + pattern) // the patterns are ours
	for i := range found {
		found[i] = strings.TrimPrefix(found[i], string(r))
	}
	return found
}

// enter is a shell script: its arguments are the root, what of this machine is seen inside, "--", and what to run there. The
// mounts are seen by nobody else and end with the process.
const enter = `root=$1; shift
while [ "$1" != -- ]; do mkdir -p "$root$1" 2>/dev/null; mount --rbind "$1" "$root$1" || exit; shift; done; shift
exec chroot "$root" "$@"`

// inside makes cmd run in the root.
func (r Root) inside(cmd *exec.Cmd) error {
	if os.Getuid() != 0 {
		return errors.New("only root may run servers of another Debian release")
	}
	args := []string{
		"unshare", "--mount", "/bin/sh", "-c", enter, "enter", string(r),
		"/dev", "/proc", "/etc/passwd", "/etc/group", "/etc/hosts", os.TempDir(), "--", "setpriv",
	}
	attributes := cmd.SysProcAttr
	if c := attributes.Credential; c != nil {
		args = append(args, fmt.Sprintf("--reuid=%d", c.Uid), fmt.Sprintf("--regid=%d", c.Gid), "--clear-groups")
	}
	if attributes.Pdeathsig != 0 { // the kernel forgets it when the user changes
		args = append(args, "--pdeathsig="+unix.SignalName(attributes.Pdeathsig))
	}
	cmd.Args = append(append(args, "--"), cmd.Args...)
	cmd.Path = "/usr/bin/unshare"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: attributes.Setpgid, Pdeathsig: attributes.Pdeathsig}
	return nil
}
