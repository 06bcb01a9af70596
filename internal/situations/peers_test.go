// SPDX-License-Identifier: Apache-2.0

package situations

import (
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// peer is a plugin of Debian that claims to check XMPP.
type peer struct {
	name, pkg string
	args      func(call) []string
}

// call is what a peer is called about.
type call struct {
	domain, address, port, caFile string
	servers, direct               bool
}

const (
	plugins  = "/usr/lib/nagios/plugins/"
	patience = "15"    // seconds that a peer gets; those that take a time limit are given 10
	appetite = 2 << 20 // KiB of address space
)

// peers are called as their documentation says, with everything switched on that sees more, and told what they need to know
// about a service that is not on the Internet.
var peers = []peer{
	{"check_jabber", "monitoring-plugins-basic", func(c call) []string {
		args := []string{"-H", c.address, "-p", c.port, "-t", "5"}
		if c.direct {
			args = append(args, "-S", "--sni", c.domain, "-D", "20,10")
		}
		return args
	}},
	{"check_xmppng", "nagios-check-xmppng", func(c call) []string {
		args := []string{"-H", c.address, "-p", c.port, "--servername", c.domain, "--starttls", "-r", c.caFile, "--warn-days", "20", "--crit-days", "10"}
		if c.servers {
			args = append(args, "--s2s")
		}
		return args
	}},
	{"check_ssl_cert", "monitoring-plugins-contrib", func(c call) []string {
		args := []string{"-p", c.port, "-r", c.caFile, "-w", "20", "-c", "10", "-t", "5", "--ignore-sct"}
		if c.address == "localhost" {
			args = append(args, "-H", c.address, "-m", c.domain, "--sni", c.domain, "--xmpphost", c.domain)
		} else {
			args = append(args, "-H", c.domain, "--resolve", c.address)
		}
		switch {
		case c.direct:
		case c.servers:
			args = append(args, "-P", "xmpp-server")
		default:
			args = append(args, "-P", "xmpp")
		}
		return args
	}},
}

// comparison is a situation for ours and theirs. A peer that does not claim to see such a thing is not asked.
type comparison struct{ situation, plugin, flags, claim string }

// comparisons are the situations that peers claim to cover: check_jabber that a stream opens, and how long the certificate on a
// port with direct TLS is good; check_xmppng streams, STARTTLS, certificates, servers, both families; check_ssl_cert certificates.
var comparisons = []comparison{
	{"a healthy service", "c2s", "", "check_jabber check_xmppng check_ssl_cert"},
	{"a healthy service", "s2s", "", "check_xmppng check_ssl_cert"},
	{"a domain that it does not serve", "c2s", "", "check_jabber check_xmppng check_ssl_cert"},
	{"it hangs", "c2s", "-t 1", "check_jabber check_xmppng check_ssl_cert"},
	{"a good one", "c2s", "", "check_jabber check_xmppng check_ssl_cert"},
	{"a good one", "s2s", "", "check_xmppng check_ssl_cert"},
	{"expired", "c2s", "", "check_xmppng check_ssl_cert"},
	{"not yet valid", "c2s", "", "check_xmppng check_ssl_cert"},
	{"self-signed", "c2s", "", "check_xmppng check_ssl_cert"},
	{"for another name", "c2s", "", "check_xmppng check_ssl_cert"},
	{"for the host instead of the domain", "c2s", "", "check_xmppng check_ssl_cert"},
	{"of an unknown authority", "c2s", "", "check_xmppng check_ssl_cert"},
	{"without its intermediate", "c2s", "", "check_xmppng check_ssl_cert"},
	{"5 of 90 days left", "c2s", "", "check_xmppng check_ssl_cert"},
	{"15 of 90 days left", "c2s", "", "check_xmppng check_ssl_cert"},
	{"no certificate", "c2s", "", "check_xmppng check_ssl_cert"},
	{"a good one, on a port with direct TLS", "c2s", "--direct-tls", "check_jabber check_ssl_cert"},
	{"expired, on a port with direct TLS", "c2s", "--direct-tls", "check_jabber check_ssl_cert"},
	{"5 of 90 days left, on a port with direct TLS", "c2s", "--direct-tls", "check_jabber check_ssl_cert"},
	{"nobody listens", "c2s", "", "check_jabber check_xmppng check_ssl_cert"},
	{"a black hole", "c2s", "-t 1", "check_jabber check_xmppng check_ssl_cert"},
	{"150 ms of latency", "c2s", "", "check_jabber check_xmppng check_ssl_cert"},
	{"one byte a second", "c2s", "-t 2", "check_jabber check_xmppng check_ssl_cert"},
	{"silence after the connection", "c2s", "-t 1", "check_jabber check_xmppng check_ssl_cert"},
	{"silence after the stream header", "c2s", "-t 1", "check_xmppng check_ssl_cert"},
	{"silence after proceed", "c2s", "-t 1", "check_xmppng check_ssl_cert"},
	{"silence after the handshake", "c2s", "-t 1", "check_xmppng"},
	{"closed after the connection", "c2s", "", "check_jabber check_xmppng check_ssl_cert"},
	{"closed after the features", "c2s", "", "check_xmppng check_ssl_cert"},
	{"closed after the handshake", "c2s", "", "check_xmppng"},
	{"host-unknown", "c2s", "", "check_jabber check_xmppng check_ssl_cert"},
	{"host-unknown in TLS", "c2s", "", "check_xmppng"},
	{"system-shutdown", "c2s", "", "check_jabber check_xmppng check_ssl_cert"},
	{"see-other-host", "c2s", "", "check_jabber check_xmppng check_ssl_cert"},
	{"STARTTLS is not offered", "c2s", "", "check_xmppng check_ssl_cert"},
	{"STARTTLS is refused", "c2s", "", "check_xmppng check_ssl_cert"},
	{"a feature of 100 MB", "c2s", "", "check_jabber check_xmppng"},
	{"invalid UTF-8", "c2s", "", "check_xmppng"},
	{"a mail server", "c2s", "", "check_jabber check_xmppng check_ssl_cert"},
	{"a web server", "c2s", "", "check_jabber check_xmppng check_ssl_cert"},
	{"a direct TLS port where STARTTLS is expected", "c2s", "", "check_jabber check_xmppng check_ssl_cert"},
	{"garbage instead of TLS", "c2s", "", "check_xmppng check_ssl_cert"},
	{"in fragments of one byte", "c2s", "", "check_jabber check_xmppng"},
	{"IPv6 is dead", "c2s", "", "check_jabber check_xmppng check_ssl_cert"},
}

// answer is what a plugin said.
type answer struct {
	state string // or what happened instead; empty where it was not asked
	first string // line
	wrong bool
}

// TestPeers runs ours and those of Debian in the same situations. With -update it writes docs/peers.md.
func TestPeers(t *testing.T) {
	t.Parallel()
	for _, p := range peers {
		service.RequirePackage(t, p.pkg, plugins+p.name)
	}
	ca, err := service.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	r := service.ForTest(t, service.Options{NoSQL: true, Component: true})
	results := make([][]answer, len(comparisons))
	t.Run("each", func(t *testing.T) {
		for i, c := range comparisons {
			t.Run(c.title(), func(t *testing.T) {
				where, v := c.find(t)
				if !where.real && !*update { // whoever writes the document runs one at a time: a peer needs answers within 0.1 s
					t.Parallel()
				}
				results[i] = c.ask(t, where, v, func(t *testing.T) *stage {
					if !where.real {
						return newStage(t, c.plugin, ca)
					}
					s := realStage(t, r)
					s.plugin = c.plugin
					return s
				})
			})
		}
	})
	if *update && !t.Failed() {
		writePeers(t, results)
	}
}

// ask plays the situation for ours, which must be right, and for each peer that claims to see it.
func (c comparison) ask(t *testing.T, where found, v verdict, set func(*testing.T) *stage) []answer {
	t.Helper()
	wrong, late := v.try(set(t), where.play)
	if late {
		alone.Lock()
		wrong, _ = v.try(set(t), where.play)
		alone.Unlock()
	}
	if len(wrong) > 0 {
		t.Errorf("ours: %s", strings.Join(wrong, "\n"))
	}
	answers := make([]answer, len(peers))
	for i, p := range peers {
		if !slices.Contains(strings.Fields(c.claim), p.name) {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			for range 3 { // what is healthy may take a peer several tries
				t.Run("try", func(t *testing.T) {
					s := set(t)
					where.play(s)
					answers[i] = p.ask(s, v.flags == "--direct-tls", v.state)
				})
				if v.state != ok || !answers[i].wrong {
					break
				}
			}
			t.Logf("%s: %s", answers[i].state, answers[i].first)
			// A busy machine may be too slow for a peer, which is no fault of the call; whoever writes the document has to try again.
			bad := answers[i].state == unknown || *update && answers[i].wrong
			if strings.HasPrefix(c.situation, "a good one") && bad {
				t.Errorf("%s of a good server: it is not called as it should be: %s", answers[i].state, answers[i].first)
			}
		})
	}
	return answers
}

// found is a situation and whether it is one of the real service.
type found struct {
	situation
	real bool
}

// find finds the situation, and what ours have to say about it.
func (c comparison) find(t *testing.T) (found, verdict) {
	t.Helper()
	for _, theme := range append(all(), theme{realTheme, onEjabberd()}) {
		for _, s := range theme.situations {
			if s.name != c.situation {
				continue
			}
			for _, v := range s.verdicts {
				if slices.Contains(strings.Fields(v.plugins), c.plugin) && v.flags == c.flags {
					v.plugins = c.plugin
					return found{s, theme.name == realTheme}, v
				}
			}
		}
	}
	t.Fatalf("there is no such situation: %+v", c)
	return found{}, verdict{}
}

// ask runs the peer. right is the state that it should see.
func (p peer) ask(s *stage, direct bool, right string) answer {
	c := call{domain: s.domain, address: "127.0.0.1", caFile: s.caFile, servers: s.plugin == "s2s", direct: direct}
	switch {
	case s.addr.IsValid():
		c.port = strconv.Itoa(int(s.addr.Port()))
	case s.real != nil && c.servers:
		c.port = strconv.Itoa(s.real.Ejabberd.Config.Ports.S2S)
	case s.real != nil:
		c.port = strconv.Itoa(s.real.Ejabberd.Config.Ports.C2S)
	default: // the system's resolver knows one name with both families
		c.address, c.port = "localhost", strconv.Itoa(s.listed)
	}
	bounded := []string{"-k", "1", patience, "/bin/sh", "-c", fmt.Sprintf(`ulimit -v %d; exec "$@"`, appetite), "sh", plugins + p.name}
	got := witness(s.T, "/usr/bin/timeout", append(bounded, p.args(c)...)...)
	a := answer{first: clean(got.Stdout, c)}
	switch {
	case got.Code >= 0 && got.Code < len(codes):
		a.state = codes[got.Code]
	case got.Code == 124 || got.Code == 137:
		a.state = "no answer"
	default:
		a.state = fmt.Sprintf("exit code %d", got.Code)
	}
	a.wrong = (a.state == ok) != (right == ok) || !slices.Contains(codes, a.state)
	return a
}

// clean is the first line of what a peer said, without what differs from run to run.
func clean(text string, c call) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	line, _, _ = strings.Cut(line, "|")
	return strings.TrimSpace(strings.NewReplacer(c.caFile, "ca.pem", ":"+c.port, ":5222", "port "+c.port, "port 5222").Replace(line))
}

// version is that of a Debian package.
func version(t testing.TB, pkg string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "dpkg-query", "-W", "-f", "${Version}", pkg).Output()
	if err != nil {
		t.Fatalf("version of %s: %v", pkg, err)
	}
	return string(out)
}
