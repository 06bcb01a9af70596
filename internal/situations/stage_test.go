// SPDX-License-Identifier: Apache-2.0

package situations

import (
	"crypto/tls"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
	. "github.com/chapril/ejabberd_exporter/internal/xmpp/xmpptest"
)

const (
	domain   = "example.org"
	host     = "xmpp.example.org"
	user     = "probe-" + service.Canary
	password = "correct horse"
)

// stage is where a situation is played.
type stage struct {
	*testing.T
	plugin   string // that it is played for
	ca       *service.CA
	real     *service.Service // nil where scripted peers play
	names    *service.Resolver
	resolver string         // where names, or nothing, can be asked
	addr     netip.AddrPort // where the service is; without one, the names lead there
	listed   int            // the port where the names lead
	doors    []string       // ports that should be closed; one that is, without any
	domain   string
	caFile   string
	jid      string
	secret   string // its password
}

func newStage(t *testing.T, plugin string, ca *service.CA) *stage {
	s := &stage{T: t, plugin: plugin, ca: ca, domain: domain, jid: user + "@" + domain, secret: password}
	s.caFile = s.file("ca.pem", string(ca.PEM))
	return s
}

// file writes a file.
func (s *stage) file(name, text string) string {
	s.Helper()
	path := filepath.Join(s.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
	return path
}

// zone is a resolver that knows the addresses of host.
func (s *stage) zone(addresses ...string) *service.Resolver {
	s.Helper()
	r, err := service.StartResolver()
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(r.Stop)
	r.SetHost(host, addresses...)
	s.names, s.resolver = r, r.Addr()
	return r
}

// serve lets a scripted peer do this to the first connection, and so on; the last script is for all further ones.
func (s *stage) serve(scripts ...Script) {
	s.Helper()
	s.addr = Serve(s, "127.0.0.1:0", scripts...).Addr
}

// healthy is a server with which the plugin finds nothing wrong.
func (s *stage) healthy() []Script {
	config := s.good()
	back := func(then ...Script) []Script {
		return []Script{Server(s.domain, config), Join(
			Answering(s.domain, Features(StartTLSRequired)), Upgrade(config), Answering(s.domain, Features(Mechanisms("SCRAM-SHA-256"))),
			Join(then...), Goodbye())}
	}
	switch s.plugin {
	case "login":
		return back(LogIn(s.domain, user, password), Answer(2, ""))
	case "register":
		return back(Answer(1, Form(CID, Bits(GIF))))
	}
	return []Script{Server(s.domain, config)}
}

// args are the arguments that lead a plugin to the stage, and its time limit.
func (s *stage) args(flags string) (args []string, limit time.Duration) {
	plugin := s.plugin
	args = []string{"--domain", s.domain, "-vv"}
	if plugin != "dns" && plugin != "turn" && plugin != "exposed" {
		args = append(args, "--ca-file", s.caFile)
	}
	if s.resolver != "" {
		args = append(args, "--resolver", s.resolver)
	}
	switch plugin {
	case "login", "echo", "upload":
		args = append(args, "--jid", s.jid, "--password-file", s.file("password", s.secret))
	case "federation":
		args = append(args, s.home()...)
	}
	if s.addr.IsValid() {
		port := strconv.Itoa(int(s.addr.Port()))
		args = append(args, "-H", s.addr.Addr().String())
		switch plugin {
		case "cert":
			args = append(args, "-p", port+"/xmpp-client")
		case "web":
			args = append(args, "--url", "https://"+s.domain+":"+port)
		case "exposed":
			if s.doors == nil {
				s.doors = []string{strconv.Itoa(int(Unused(s, "127.0.0.1").Port()))}
			}
			args = append(args, "--ports", strings.Join(s.doors, ","), "--url", "https://"+s.domain+":"+port)
		default:
			args = append(args, "-p", port)
		}
	}
	if s.real != nil && !s.addr.IsValid() {
		args = append(args, s.signposts()...)
	}
	limit = 10 * time.Second
	fields := strings.Fields(flags)
	for i, flag := range fields {
		if flag == "-t" {
			seconds, err := strconv.Atoi(fields[i+1])
			if err != nil {
				s.Fatal(err)
			}
			limit = time.Duration(seconds) * time.Second
		}
	}
	return append(args, fields...), limit
}

// lead leads the plugin to one port of the real service, instead of having it follow the SRV records.
func (s *stage) lead(port int) {
	s.addr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port))
}

// signposts lead to what of the real service has no SRV record.
func (s *stage) signposts() []string {
	switch ports := s.real.Ejabberd.Config.Ports; s.plugin {
	case "web":
		return []string{"--url", "https://" + s.domain + ":" + strconv.Itoa(ports.HTTPS)}
	case "turn":
		return []string{"-H", "127.0.0.1", "-p", strconv.Itoa(ports.STUN)}
	}
	return nil
}

// config is the TLS configuration of a server with a certificate of the stage's authority.
func (s *stage) config(options service.CertOptions) *tls.Config { return s.issued(s.ca, options) }

func (s *stage) issued(ca *service.CA, options service.CertOptions) *tls.Config {
	s.Helper()
	if options.Names == nil {
		options.Names = []string{s.domain}
	}
	cert, err := ca.Issue(options)
	if err != nil {
		s.Fatal(err)
	}
	return With(cert.TLS)
}

// good is the configuration of a healthy server.
func (s *stage) good() *tls.Config { return s.config(lasting(60)) }

// lasting is a certificate that has so many days left of its 90.
func lasting(days int) service.CertOptions {
	end := time.Now().Add(time.Duration(days)*24*time.Hour + time.Hour)
	return service.CertOptions{NotBefore: end.AddDate(0, 0, -90), NotAfter: end}
}
