// SPDX-License-Identifier: Apache-2.0

package service

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ejabberdAccount is the account of Debian's package.
const ejabberdAccount = "ejabberd"

// Ejabberd is one node with its own epmd, cookie, Mnesia directory and logs.
type Ejabberd struct {
	Config     Config
	Dir        string // holds ejabberd.yml, ejabberdctl.cfg, inetrc, logs, spool
	ConfigPath string // ejabberd.yml
	Node       string // ejabberd@localhost

	epmdPort int
	epmd     *process
	beam     *process
	admin    *http.Client // over the admin socket
}

// StartEjabberd writes the configuration below dir and starts the node; names are resolved by the resolver at dns
// (127.0.0.1, by its port).
func StartEjabberd(ctx context.Context, dir string, config Config, dns int) (*Ejabberd, error) {
	ports, err := FreePorts(8)
	if err != nil {
		return nil, err
	}
	if config.Ports == (Ports{}) {
		config.Ports = Ports{ports[0], ports[1], ports[2], ports[3], ports[4], ports[5], ports[6]}
	}
	e := &Ejabberd{
		Config:     config,
		Dir:        dir,
		ConfigPath: filepath.Join(dir, "ejabberd.yml"),
		Node:       cmp.Or(config.Node, "ejabberd@localhost"),
		epmdPort:   ports[7],
	}
	if config.Joins != nil {
		e.epmdPort = config.Joins.epmdPort // the two find each other there
	}
	e.admin = adminClient("unix", e.adminSocket())
	if config.Text != "" {
		e.admin = adminClient("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(config.Ports.API)))
	}
	if err := e.write(dns); err != nil {
		return nil, err
	}
	if err := e.Start(ctx); err != nil {
		return nil, err
	}
	return e, nil
}

// adminSocket has a short name: ejabberd takes it down in another name, in which it is a third longer, and 107 bytes must do.
func (e *Ejabberd) adminSocket() string { return filepath.Join(e.Dir, "api") }

// LogPath is ejabberd.log.
func (e *Ejabberd) LogPath() string { return filepath.Join(e.Dir, "logs", "ejabberd.log") }

// EpmdPort is the port of the node's own epmd.
func (e *Ejabberd) EpmdPort() int { return e.epmdPort }

// PID is the process id of the Erlang VM.
func (e *Ejabberd) PID() int { return e.beam.pid }

// APIURL is the listener that needs no password, ending in /api.
func (e *Ejabberd) APIURL() string {
	return "http://127.0.0.1:" + strconv.Itoa(e.Config.Ports.API) + "/api"
}

// HTTPSURL is the public listener under the name of the first vhost, which needs the CA and the resolver of the service.
func (e *Ejabberd) HTTPSURL() string {
	return "https://" + e.Config.Domains[0] + ":" + strconv.Itoa(e.Config.Ports.HTTPS)
}

// Start starts the node, again after Stop or Kill, and waits until its API says that it has started.
func (e *Ejabberd) Start(ctx context.Context) error {
	if err := e.startEpmd(); err != nil {
		return err
	}
	// The Erlang VM wants many descriptors: at 1024 it spins as soon as those are used up.
	raise := `ulimit -n 20000 2>/dev/null || ulimit -n "$(ulimit -Hn)"; exec "$@"`
	beam := e.erl("-sname", e.Node, "+K", "true", "+P", "250000", "-noinput", "-mnesia", "dir", strconv.Quote(filepath.Join(e.Dir, "spool")), "-s", "ejabberd")
	beam.args = append([]string{"/bin/sh", "-c", raise, "erl"}, beam.args...)
	process, err := beam.start()
	if err != nil {
		e.epmd.stop(syscall.SIGKILL, 0)
		return err
	}
	process.name = "ejabberd"
	e.beam = process
	err = e.ready(ctx)
	if err != nil {
		e.Kill()
		return fmt.Errorf("%w; ejabberd.log ends with:\n%s", err, tail(e.LogPath()))
	}
	return nil
}

// ready waits until the API says that the node has started, and all listeners are there.
func (e *Ejabberd) ready(ctx context.Context) error {
	return e.beam.until(ctx, func(ctx context.Context) error {
		var status string
		if err := e.Call(ctx, "status", nil, &status); err != nil {
			return err
		}
		if !strings.Contains(status, "is running in that node") {
			return errors.New("ejabberd has not started yet")
		}
		// The admin socket may come before the other listeners.
		ports := e.Config.Ports
		return listen(ports.C2S, ports.C2STLS, ports.S2S, ports.HTTPS, ports.API, ports.Component)(ctx)
	})
}

// startEpmd starts the port mapper of this node in the foreground, so that erl does not start one that outlives us.
func (e *Ejabberd) startEpmd() error {
	if e.Config.Joins != nil || e.epmd != nil && e.epmd.alive() {
		return nil
	}
	epmd, err := command{
		root:    e.Config.Root,
		account: ejabberdAccount,
		env:     e.environment(),
		log:     filepath.Join(e.Dir, "logs", "epmd.log"),
		death:   syscall.SIGKILL,
		args:    []string{"/usr/bin/epmd"},
	}.start()
	e.epmd = epmd
	return err
}

// erl runs Erlang as ejabberdctl does. Not ejabberdctl itself: it insists on root or the account ejabberd, and puts a shell
// and su between us and the node.
func (e *Ejabberd) erl(args ...string) command {
	return command{
		root:    e.Config.Root,
		account: ejabberdAccount,
		env:     e.environment(),
		log:     filepath.Join(e.Dir, "logs", "erlang.log"),
		death:   syscall.SIGKILL,
		args:    append([]string{"/usr/bin/erl", "-start_epmd", "false", "-kernel", "inet_dist_use_interface", "{127,0,0,1}"}, args...),
	}
}

// Stop ends the node in order.
func (e *Ejabberd) Stop() {
	// SIGTERM makes the Erlang VM stop its applications.
	e.beam.stop(syscall.SIGTERM, 15*time.Second)
	e.epmd.stop(syscall.SIGTERM, time.Second)
	e.admin.CloseIdleConnections()
}

// Kill ends the node as a power cut would.
func (e *Ejabberd) Kill() {
	e.beam.stop(syscall.SIGKILL, 0)
	e.epmd.stop(syscall.SIGKILL, 0)
	e.admin.CloseIdleConnections()
}

// Signal sends a signal to the Erlang VM: SIGSTOP and SIGCONT make a server that hangs.
func (e *Ejabberd) Signal(signal syscall.Signal) error { return deliver(e.beam.pid, signal) }

// Ctl runs a command as ejabberdctl would and gives its output.
func (e *Ejabberd) Ctl(ctx context.Context, args ...string) (string, error) {
	erl := e.erl("-sname", "ctl-"+rand.Text()[:8]+"@localhost", "-hidden", "-noinput", "-s", "ejabberd_ctl", "-extra", e.Node, "--no-timeout")
	erl.args = append(erl.args, args...)
	return erl.run(ctx)
}

// Reload makes ejabberd read its configuration and certificates again. It fails where ejabberd refuses the file.
func (e *Ejabberd) Reload(ctx context.Context) error {
	if _, err := e.Ctl(ctx, "reload_config"); err != nil {
		return fmt.Errorf("reload ejabberd's configuration: %w", err)
	}
	return nil
}

// CaptchaAnswer is the text of the last captcha that ejabberd had painted.
func (e *Ejabberd) CaptchaAnswer() (string, error) {
	answer, err := os.ReadFile(filepath.Join(e.Dir, "home", "captcha.answer"))
	if err != nil {
		return "", fmt.Errorf("no captcha was made yet: %w", err)
	}
	return string(answer), nil
}
