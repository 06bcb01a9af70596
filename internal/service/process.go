// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// command is a program of a Debian package and how it is run.
type command struct {
	root    Root           // the Debian release that it is of
	account string         // the package's own account, taken when we are root
	env     []string       // added to a minimal environment
	log     string         // file that takes stdout and stderr
	death   syscall.Signal // what it gets when this process dies without stopping it
	files   []*os.File     // it has them open from descriptor 3 on
	args    []string
}

// process is a running server in a process group of its own.
type process struct {
	name string
	pid  int
	log  string
	done chan struct{} // closed when it has ended
}

// start runs the server until stop.
func (c command) start() (*process, error) {
	log, err := os.OpenFile(c.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", c.args[0], err)
	}
	defer log.Close()
	cmd := exec.Command(c.args[0], c.args[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = log, log, c.files
	if err := c.prepare(cmd); err != nil {
		return nil, err
	}
	p := &process{name: c.args[0], log: c.log, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel sends Pdeathsig when the thread that forked ends: this one stays until its child has ended.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		if err == nil {
			p.pid = cmd.Process.Pid
		}
		started <- err
		if err == nil {
			_ = cmd.Wait() // a server that we stop ends with whatever code it likes
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", c.args[0], err)
	}
	return p, nil
}

// run waits for the program to end and gives its output.
func (c command) run(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	c.death = 0 // it ends by itself, and no thread waits for it as in start
	if err := c.prepare(cmd); err != nil {
		return "", err
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("run %s: %w: %s", c.args[0], err, strings.TrimSpace(string(out)))
	}
	return string(out), nil
}

func (c command) prepare(cmd *exec.Cmd) error {
	credential, err := credentialOf(c.account)
	if err != nil {
		return err
	}
	cmd.Dir = "/"
	cmd.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"}, c.env...)
	// A group of its own: Ctrl-C in a terminal reaches us alone, and we stop the servers in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: c.death, Credential: credential}
	if c.root != "" {
		return c.root.inside(cmd)
	}
	return nil
}

// credentialOf is the Debian account that a server runs under; nil, ourselves, when we are not root. Not through su: PAM
// would put the limit of open files back to 1024.
func credentialOf(account string) (*syscall.Credential, error) {
	if os.Getuid() != 0 || account == "" {
		return nil, nil
	}
	uid, gid, err := idsOf(account)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

func idsOf(account string) (uid, gid int, err error) {
	u, err := user.Lookup(account)
	if err != nil {
		return 0, 0, fmt.Errorf("no account %s, install its Debian package: %w", account, err)
	}
	uid, uidErr := strconv.Atoi(u.Uid)
	gid, gidErr := strconv.Atoi(u.Gid)
	return uid, gid, errors.Join(uidErr, gidErr)
}

// makeDir makes a directory that belongs to account when we are root.
func makeDir(path, account string) error {
	if err := os.MkdirAll(path, 0o750); err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	return giveTo(path, account)
}

func giveTo(path, account string) error {
	if os.Getuid() != 0 || account == "" {
		return nil
	}
	uid, gid, err := idsOf(account)
	if err != nil {
		return err
	}
	return os.Chown(path, uid, gid)
}

// alive says whether the process has not ended yet.
func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// stop asks by signal, kills after grace, and waits until the process is gone.
func (p *process) stop(signal syscall.Signal, grace time.Duration) {
	if p == nil || !p.alive() {
		return
	}
	_ = syscall.Kill(p.pid, signal)
	_ = syscall.Kill(p.pid, syscall.SIGCONT) // it may have been stopped by a test
	select {
	case <-p.done:
	case <-time.After(grace):
	}
	_ = syscall.Kill(-p.pid, syscall.SIGKILL) // and what is left of its group
	<-p.done
}

// died is the error for a server that ended by itself, with the end of its log.
func (p *process) died() error {
	return fmt.Errorf("%s ended by itself; its log ends with:\n%s", p.name, tail(p.log))
}

func tail(path string) string {
	text, _ := os.ReadFile(path)
	return string(text[max(0, len(text)-2000):])
}

// until polls ready until it answers nil, the process has ended or the context is over.
func (p *process) until(ctx context.Context, ready func(context.Context) error) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return p.died()
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w; last answer: %w", p.name, ctx.Err(), err)
		case <-tick.C:
		}
	}
}
