// SPDX-License-Identifier: Apache-2.0

package probes_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/service"
	"github.com/chapril/ejabberd_exporter/internal/xmpp/sasl"
	"github.com/chapril/ejabberd_exporter/probes"
)

// TestRealOutside: what browsers and calls need, on a real ejabberd.
func TestRealOutside(t *testing.T) {
	t.Parallel()
	const secret = "turn-" + service.Canary
	s := service.ForTest(t, service.Options{NoSQL: true, TURNSecret: secret})
	ports := s.Ejabberd.Config.Ports
	site := "https://" + s.Domains[0] + ":" + strconv.Itoa(ports.HTTPS)
	secretFile, wrongFile := filepath.Join(t.TempDir(), "secret"), filepath.Join(t.TempDir(), "wrong")
	passwordFile := filepath.Join(t.TempDir(), "password")
	for name, text := range map[string]string{passwordFile: s.Admin.Password + "\n", secretFile: secret + "\n", wrongFile: "another"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stun := []string{"hostname=127.0.0.1", "port=" + strconv.Itoa(ports.STUN)}
	for _, c := range []struct {
		name     string
		probe    probes.Probe
		settings []string
		state    probes.State
		known    []string // figures that have a value
		texts    []string // in the Notes
	}{
		{
			"web", probes.Web(),
			[]string{"url=" + site, "register-web=captcha", "ca-file=" + s.CAFile},
			probes.OK,
			[]string{"time", "hostmeta", "bosh", "ws", "cert_days"},
			[]string{"host-meta and host-meta.json", "BOSH session opened and ended", "WebSocket stream opened", "registration with a captcha"},
		},
		{
			"registration that should not be", probes.Web(),
			[]string{"url=" + site, "register-web=absent", "ca-file=" + s.CAFile},
			probes.Critical,
			[]string{"hostmeta", "bosh", "ws"},
			[]string{"get: the web offers registration"},
		},
		{
			"BOSH of a domain that it does not serve", probes.Web(),
			[]string{"url=" + site, "bosh=https://www." + s.Domains[0] + ":" + strconv.Itoa(ports.HTTPS) + "/nothing", "ca-file=" + s.CAFile},
			probes.Critical,
			[]string{"hostmeta", "ws"},
			[]string{"stream: BOSH: the server answers 404"},
		},
		{"STUN", probes.TURN(sasl.Authenticate), stun, probes.OK, []string{"time", "stun"}, []string{"STUN over UDP", "STUN over TCP", "no allocation was tried"}},
		{
			"TURN", probes.TURN(sasl.Authenticate), append(stun, "secret-file="+secretFile), probes.OK,
			[]string{"time", "stun", "allocate"},
			[]string{"TURN allocation over UDP", "TURN allocation over TCP"},
		},
		{
			"TURN as the server tells its users", probes.TURN(sasl.Authenticate),
			[]string{"jid=" + s.Admin.JID(), "password-file=" + passwordFile, "ca-file=" + s.CAFile},
			probes.OK,
			[]string{"time", "stun", "allocate"},
			[]string{"STUN over UDP", "TURN allocation over UDP", "TURN allocation over TCP", "the server tells its users of 2 for STUN and 2 for TURN"},
		},
		{
			"TURN over TCP as the server tells its users", probes.TURN(sasl.Authenticate),
			[]string{"jid=" + s.Admin.JID(), "password-file=" + passwordFile, "ca-file=" + s.CAFile, "transport=tcp"},
			probes.OK,
			[]string{"time", "allocate"},
			[]string{"TURN allocation over TCP", "the server tells its users of 1 for STUN and 1 for TURN"},
		},
		{
			"TURN with a wrong secret", probes.TURN(sasl.Authenticate), append(stun, "secret-file="+wrongFile), probes.Critical,
			[]string{"stun"},
			[]string{"auth: error 401"},
		},
		{
			"names", probes.Zone(),
			[]string{"component=conference", "component=upload", "any-family=true"},
			probes.OK,
			[]string{"time", "min_ttl"},
			[]string{"SRV _xmpp-server._tcp.conference." + s.Domains[0]},
		},
		{
			"exposed", probes.Exposed(),
			[]string{
				"ports=" + strconv.Itoa(ports.API), "url=" + site,
				"expect-open=/register",
			},
			probes.Critical,
			[]string{"open"},
			[]string{strconv.Itoa(ports.API) + " is open", "/api answers 4", "/register answers 200, as it is meant to be", "closed: /admin", "this machine itself"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := runOn(t, c.probe, s.Domains[0], append(c.settings, "resolver="+s.Resolver.Addr())...)
			said := texts(r)
			if err != nil || r.Worst() != c.state {
				t.Errorf("%v, %s\n%s", err, r.Summary, said)
			}
			for _, text := range c.texts {
				if !strings.Contains(said, text) {
					t.Errorf("nothing says %q:\n%s", text, said)
				}
			}
			for _, f := range c.probe.Figures {
				_, ok := f.Value(r.Set)
				for _, label := range c.known {
					if label == f.Label && !ok {
						t.Errorf("figure %s is unknown", label)
					}
				}
			}
			if strings.Contains(said+r.Set.Text(), service.Canary) {
				t.Errorf("a secret is told:\n%s", said)
			}
		})
	}
}
