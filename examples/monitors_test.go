// SPDX-License-Identifier: Apache-2.0

package examples_test

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// scene is what the monitoring systems look at: one healthy domain and three broken ones, which a real ejabberd serves.
type scene struct {
	*service.Service
	plugins  string // directory
	names    []string
	password string // file of it
	options  []extra
	exporter string // address of its page
}

// extra is an option that a plugin needs only because this service is not on the usual ports. DOMAIN is the domain.
type extra struct {
	plugin, option string
	values         []string
}

const (
	healthy = "chapril.test"
	closed  = "closed.test"  // nobody listens where the DNS sends clients
	expired = "expired.test" // the certificate on the port for servers
	half    = "half.test"    // the DNS knows an IPv6 address for clients, but nobody listens there
)

// TestMonitors: the real Nagios, Icinga and NRPE run every plugin by our definitions and see what is there.
func TestMonitors(t *testing.T) {
	for _, program := range []string{nagiosProgram, icingaProgram, nrpeProgram, checkNRPE} {
		if _, err := os.Stat(program); err != nil && os.Getenv("REQUIRE_SERVERS") == "" {
			t.Skipf("no %s: scripts/install-servers installs it", program)
		}
	}
	s := openScene(t)
	t.Run("nagios", func(t *testing.T) { await(t, s, s.startNagios(t)) })
	t.Run("icinga", func(t *testing.T) { await(t, s, s.startIcinga(t)) })
	t.Run("nrpe", s.tryNRPE)
}

func openScene(t *testing.T) *scene {
	t.Helper()
	domains := []string{healthy, closed, expired, half}
	s := &scene{Service: service.ForTest(t, service.Options{NoSQL: true, Component: true, Domains: domains, TURNSecret: "turn-" + service.Canary})}
	s.plugins = filepath.Join(s.Dir, "plugins")
	s.names = buildPlugins(t, s.plugins)
	account := service.Account{User: "probe-" + service.Canary, Password: "secret-" + service.Canary}
	for _, account.Domain = range domains {
		if err := s.Ejabberd.Register(t.Context(), account); err != nil {
			t.Fatal(err)
		}
	}
	s.password = s.write(t, "password", account.Password+"\n")

	ports := s.Ejabberd.Config.Ports
	free, err := service.FreePorts(3)
	if err != nil {
		t.Fatal(err)
	}
	s.Resolver.SetSRV("_xmpp-client._tcp."+closed, "xmpp."+closed, free[0])
	s.Resolver.SetSRV("_xmpps-client._tcp."+closed, "xmpp."+closed, free[0])

	certificate, err := s.CA.Issue(service.CertOptions{Names: []string{expired}, NotBefore: time.Now().AddDate(0, 0, -91), NotAfter: time.Now().AddDate(0, 0, -1)})
	if err != nil {
		t.Fatal(err)
	}
	prosody, err := service.StartProsody(t.Context(), filepath.Join(s.Dir, "prosody"), expired, certificate, s.CAFile, s.Resolver.Port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(prosody.Stop)
	s.Resolver.SetSRV("_xmpp-server._tcp."+expired, "xmpp."+expired, prosody.S2S)

	s.Resolver.SetSRV("_xmpp-client._tcp."+half, "xmpp."+half, forward(t, ports.C2S))

	s.Resolver.SetSRV("_xmpp-server._tcp.probe.example.net", "localhost", free[2])
	var doors []string
	for _, address := range service.Loopback() {
		doors = append(doors, net.JoinHostPort(address, strconv.Itoa(free[2])))
	}

	s.startExporter(t)
	site := "https://" + healthy + ":" + strconv.Itoa(ports.HTTPS) // the captcha's pictures are there, for all domains
	s.options = []extra{
		{"web", "url", []string{site}},
		{"exposed", "ports", []string{strconv.Itoa(free[1])}},
		{"exposed", "url", []string{site}},
		{"exposed", "expect-open", []string{"/api", "/register"}},
		{"federation", "listen", doors},
		{"echo", "peer", []string{"echo." + healthy}},
	}
	return s
}

// forward listens on 127.0.0.1 alone and passes connections on to port.
func forward(t *testing.T, port int) int {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer in.Close()
				out, err := net.Dial("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
				if err != nil {
					return
				}
				defer out.Close()
				go func() { _, _ = io.Copy(out, in); _ = out.(*net.TCPConn).CloseWrite() }()
				_, _ = io.Copy(in, out)
			}()
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

// write writes a file that the monitoring systems' account may read, below the service's directory.
func (s *scene) write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(s.Dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.give(t, path)
	return path
}

// ownDir makes a directory that belongs to the monitoring systems' account.
func (s *scene) ownDir(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(s.Dir, name)
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	s.give(t, path)
	return path
}

func (s *scene) give(t *testing.T, path string) {
	t.Helper()
	if c := account(t); c != nil {
		if err := os.Chown(path, int(c.Uid), int(c.Gid)); err != nil {
			t.Fatal(err)
		}
	}
}

// account is Debian's for monitoring systems; nil, ourselves, where we are not root.
func account(t *testing.T) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("nagios")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// launch runs a monitoring system, without privileges, until the test ends.
func launch(t *testing.T, args ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env = "/", []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"}
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: account(t)}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it ends by our signal
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	})
}

// example reads one of our files, with what is there for its own domain put in instead of example.org. What pattern finds, the
// host, is there once for each domain.
func (s *scene) example(t *testing.T, path, host string, of func(domain, text string) string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile(host)
	if !block.Match(text) {
		t.Fatalf("%s defines no host", path)
	}
	return block.ReplaceAllStringFunc(string(text), func(host string) string {
		var all strings.Builder
		for _, domain := range s.Domains {
			all.WriteString(of(domain, strings.NewReplacer(
				"probe@example.org", "probe-"+service.Canary+"@"+domain,
				"http://xmpp.example.org:9334/metrics", s.exporter, "example.org", domain,
			).Replace(host)))
		}
		return all.String()
	})
}

// has says whether a plugin has an option.
func (s *scene) has(t *testing.T, plugin, option string) bool {
	t.Helper()
	out, _ := exec.Command(filepath.Join(s.plugins, plugin), "--help").Output() // it exits with 3
	p := readHelp(plugin, string(out))
	return p.has(option)
}

// line writes the extra options of a plugin as for a shell.
func (s *scene) line(plugin, domain string) string {
	var b strings.Builder
	for _, o := range s.options {
		if "check_xmpp_"+o.plugin != plugin {
			continue
		}
		for _, value := range o.values {
			b.WriteString(" --" + o.option + " " + strings.ReplaceAll(value, "DOMAIN", domain))
		}
	}
	return b.String()
}

func (s *scene) each(do func(domain, plugin string)) {
	for _, domain := range s.Domains {
		for _, name := range s.checks() {
			do(domain, name)
		}
	}
}

// checks are all plugins, and what the examples judge beside with one of them.
func (s *scene) checks() []string {
	return slices.Sorted(slices.Values(append(slices.Clone(s.names), "check_ejabberd_sessions")))
}

// startExporter starts what check_ejabberd asks.
func (s *scene) startExporter(t *testing.T) {
	t.Helper()
	for _, domain := range s.Domains { // ejabberd makes them with the first upload; until then the exporter complains
		docroot := filepath.Join(s.Ejabberd.Config.UploadDir, domain)
		if err := os.MkdirAll(docroot, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(docroot, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(s.Dir, "ejabberd_exporter")
	run(t, "go", "build", "-o", program, "../cmd/ejabberd_exporter")
	ports, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[0]))
	cmd := exec.CommandContext(t.Context(), program, "--ejabberd.config="+s.Ejabberd.ConfigPath, "--web.listen-address="+address)
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it ends by our signal
	})
	awaitPort(t, address)
	s.exporter = "http://" + address + "/metrics"
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
