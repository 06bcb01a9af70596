// SPDX-License-Identifier: Apache-2.0

package probes_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
	"github.com/chapril/ejabberd_exporter/internal/xmpp/sasl"
	"github.com/chapril/ejabberd_exporter/probes"
)

// TestInternationalHost: a vhost with a name in Unicode. ejabberd answers host-unknown to its ASCII form, which the DNS and
// certificates have.
func TestInternationalHost(t *testing.T) {
	t.Parallel()
	s := service.ForTest(t, service.Options{NoSQL: true, Domains: []string{"bücher.test"}})
	settings := home(t, s)
	const ascii = "xn--bcher-kva.test"
	shared := []string{"resolver=" + s.Resolver.Addr(), "ca-file=" + s.CAFile}
	login := append(shared, "jid="+s.Admin.JID(), "password="+s.Admin.Password)
	for _, c := range []struct {
		probe    probes.Probe
		settings []string
		text     string
	}{
		{probes.C2S(), shared, "SCRAM-SHA-1"},
		{probes.S2S(), shared, "dialback"},
		{probes.Cert(), append(shared, "component=conference"), "for conference." + ascii + ": TLS 1.3"},
		{probes.Federation(), settings, "OK ping: answered"},
		{probes.Register(), append(shared, "expect=captcha"), ascii},
		{probes.Login(sasl.Authenticate), append(login, "component=conference=conference/text"), "OK " + ascii + ": answered a ping"},
	} {
		r, err := runWithin(t, 20*time.Second, c.probe, ascii, c.settings...)
		if err != nil || r.Worst() != probes.OK || !strings.Contains(texts(r), c.text) {
			t.Errorf("%s: %v, %s\n%s", c.probe.Name, err, r.Summary, texts(r))
		}
	}
}
