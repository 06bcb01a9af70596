// SPDX-License-Identifier: Apache-2.0

package examples_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

const (
	nrpeProgram = "/usr/sbin/nrpe"
	checkNRPE   = "/usr/lib/nagios/plugins/check_nrpe"
)

// tryNRPE calls every command over the network, on the healthy domain.
func (s *scene) tryNRPE(t *testing.T) {
	ports, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("nrpe/xmpp.cfg")
	if err != nil {
		t.Fatal(err)
	}
	var commands strings.Builder
	for line := range strings.Lines(string(text)) {
		if name, _, ok := strings.Cut(strings.TrimPrefix(line, "command["), "]="); ok {
			line = strings.TrimSpace(line) + s.line(name, healthy)
			if strings.HasPrefix(name, "check_ejabberd") {
				line += " --url " + s.exporter
			} else {
				line += " --resolver " + s.Resolver.Addr()
				if s.has(t, name, "ca-file") {
					line += " --ca-file " + s.CAFile
				}
			}
			line += "\n"
		}
		commands.WriteString(line)
	}
	dir := s.ownDir(t, "nrpe")
	s.write(t, "nrpe/xmpp.cfg", strings.NewReplacer(
		"/usr/lib/nagios/plugins", s.plugins, "/etc/nagios/xmpp-probe.password", s.password,
		"probe@example.org", "probe-"+service.Canary+"@"+healthy, "example.org", healthy,
	).Replace(commands.String()))
	port := strconv.Itoa(ports[0])
	main := s.write(t, "nrpe/nrpe.cfg", strings.NewReplacer("DIR", dir, "PORT", port).Replace(`server_address=127.0.0.1
server_port=PORT
allowed_hosts=127.0.0.1
nrpe_user=nagios
nrpe_group=nagios
pid_file=DIR/pid
log_file=DIR/log
dont_blame_nrpe=0
include=DIR/xmpp.cfg
`))
	launch(t, nrpeProgram, "-c", main, "-f", "-n")
	awaitPort(t, net.JoinHostPort("127.0.0.1", port))
	for _, name := range s.checks() {
		t.Run(name, func(t *testing.T) {
			out, err := exec.Command(checkNRPE, "-H", "127.0.0.1", "-p", port, "-n", "-t", "20", "-c", name).Output()
			state := 0
			if exit, ok := errors.AsType[*exec.ExitError](err); ok {
				state = exit.ExitCode()
			} else if err != nil {
				t.Fatal(err)
			}
			first, more, _ := strings.Cut(string(out), "\n")
			words, data, _ := strings.Cut(first, " | ")
			if how := (seen{state, words, more, data}).differs(healthy, name); how != "" {
				t.Errorf("%s\n%s", how, out)
			}
		})
	}
	t.Run("arguments", func(t *testing.T) {
		out, _ := exec.Command(checkNRPE, "-H", "127.0.0.1", "-p", port, "-n", "-c", s.names[0], "-a", "--help").Output()
		if strings.Contains(string(out), filepath.Base(s.names[0])) {
			t.Errorf("NRPE passes arguments on:\n%s", out)
		}
	})
}

func awaitPort(t *testing.T, address string) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range 200 {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			return
		}
		<-tick.C
	}
	t.Fatalf("nobody listens on %s", address)
}
