// SPDX-License-Identifier: Apache-2.0

package probes_test

import (
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/chapril/ejabberd_exporter/internal/service"
	. "github.com/chapril/ejabberd_exporter/internal/xmpp/xmpptest"
	"github.com/chapril/ejabberd_exporter/probes"
)

// nobody is a loopback address that nothing listens on.
const nobody = "127.0.0.77"

// TestWhere: which endpoints are visited, told from the Notes about each.
func TestWhere(t *testing.T) {
	t.Parallel()
	names := zone(t, nobody)
	names.SetHost(domain, nobody)
	resolver := "resolver=" + names.Addr()
	empty := func() {
		for _, name := range []string{"xmpp-client", "xmpps-client", "xmpp-server", "xmpps-server"} {
			names.Set("_"+name+"._tcp."+domain, dnsmessage.TypeSRV)
		}
	}
	for _, c := range []struct {
		name     string
		probe    probes.Probe
		settings []string
		zone     func()
		want     []string // subjects, or text where the subject is nothing
	}{
		{"no SRV: the domain itself, STARTTLS only", probes.C2S(), nil, func() {}, []string{"example.org:5222 ip4"}},
		{"no SRV, peers", probes.S2S(), nil, func() {}, []string{"example.org:5269 ip4"}},
		{"no SRV, all", probes.Cert(), nil, func() {}, []string{"example.org:5222 ip4", "example.org:5269 ip4"}},
		{
			"no SRV for peers", probes.Cert(), nil, func() { names.SetSRV("_xmpp-client._tcp."+domain, host, 52) },
			[]string{"xmpp.example.org:52 ip4", "example.org:5269 ip4"},
		},
		{
			"direct TLS only", probes.C2S(), nil,
			func() { notProvided(names, "xmpp-client"); names.SetSRV("_xmpps-client._tcp."+domain, host, 443) },
			[]string{"xmpp.example.org:443 ip4"},
		},
		{
			"by priority and weight, direct TLS or not", probes.C2S(), nil,
			func() {
				names.Set("_xmpp-client._tcp."+domain, dnsmessage.TypeSRV, service.SRV(host, 3, 20, 1), service.SRV(host, 1, 5, 10))
				names.Set("_xmpps-client._tcp."+domain, dnsmessage.TypeSRV, service.SRV(host, 2, 5, 5), service.SRV(host, 4, 20, 0))
			},
			[]string{"xmpp.example.org:1 ip4", "xmpp.example.org:2 ip4", "xmpp.example.org:3 ip4", "xmpp.example.org:4 ip4"},
		},
		{
			"clients before peers, whatever their priorities", probes.Cert(), nil,
			func() {
				names.Set("_xmpp-client._tcp."+domain, dnsmessage.TypeSRV, service.SRV(host, 1, 20, 1))
				names.Set("_xmpp-server._tcp."+domain, dnsmessage.TypeSRV, service.SRV(host, 2, 5, 1))
			},
			[]string{"xmpp.example.org:1 ip4", "xmpp.example.org:2 ip4"},
		},
		{
			"not provided: no fallback", probes.C2S(), nil, func() { notProvided(names, "xmpp-client") },
			[]string{"resolve: the SRV records of example.org say that it does not provide this service"},
		},
		{
			"direct TLS asked for, and no record of it", probes.C2S(),
			[]string{"direct-tls=true"},
			func() {},
			[]string{"resolve: no SRV record _xmpps-client._tcp.example.org"},
		},
		{
			"direct TLS asked for, peers", probes.S2S(),
			[]string{"direct-tls=true"},
			func() { names.SetSRV("_xmpp-server._tcp."+domain, host, 52) },
			[]string{"resolve: no SRV record _xmpps-server._tcp.example.org"},
		},
		{
			"target without address", probes.C2S(), nil, func() { names.SetSRV("_xmpp-client._tcp."+domain, "nowhere.example.org", 5222) },
			[]string{"nowhere.example.org"},
		},
		{"-H", probes.C2S(), []string{"hostname=" + nobody}, func() {}, []string{nobody + ":5222 ip4", nobody + ":5223 ip4"}},
		{"-H name", probes.C2S(), []string{"hostname=" + host}, func() {}, []string{host + ":5222 ip4", host + ":5223 ip4"}},
		{"-H --direct-tls", probes.C2S(), []string{"hostname=" + nobody, "direct-tls=true"}, func() {}, []string{nobody + ":5223 ip4"}},
		{"-H -p", probes.C2S(), []string{"hostname=" + nobody, "port=53"}, func() {}, []string{nobody + ":53 ip4"}},
		{"-p", probes.C2S(), []string{"port=53"}, func() {}, []string{"example.org:53 ip4"}},
		{"-H, peers", probes.S2S(), []string{"hostname=" + nobody}, func() {}, []string{nobody + ":5269 ip4"}},
		{"-H, peers, --direct-tls", probes.S2S(), []string{"hostname=" + nobody, "direct-tls=true"}, func() {}, []string{nobody + ":5270 ip4"}},
		{"-H, all", probes.Cert(), []string{"hostname=" + nobody}, func() {}, []string{nobody + ":5222 ip4", nobody + ":5223 ip4", nobody + ":5269 ip4"}},
		{
			"-H --ports", probes.Cert(),
			[]string{"hostname=" + nobody, "ports=5269,15222/xmpp-client", "ports=5270"},
			func() {},
			[]string{nobody + ":15222 ip4", nobody + ":5269 ip4", nobody + ":5270 ip4"},
		},
		{"-H localhost", probes.C2S(), []string{"hostname=localhost", "port=1", "use-ipv4=true"}, func() {}, []string{"localhost:1 ip4"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			empty()
			c.zone()
			r, err := run(t, c.probe, append(c.settings, resolver)...)
			if err != nil || r.Worst() != probes.Critical {
				t.Errorf("%v\n%s", err, texts(r))
			}
			var got []string
			for _, n := range r.Notes {
				if n.Subject == "" {
					n.Subject = n.Text
				}
				got = append(got, n.Subject)
			}
			if strings.Join(got, "; ") != strings.Join(c.want, "; ") {
				t.Errorf("visited %q, want %q", got, c.want)
			}
		})
	}
}

// TestPreferred: whoever opens a session does so where clients would, be it by direct TLS.
func TestPreferred(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	config := ca.config(t, lasting(60))
	names := zone(t, "127.0.0.1")
	later, first := Serve(t, "127.0.0.1:0", ClientServer(domain, config)), Serve(t, "127.0.0.1:0", DirectTLS(domain, config))
	names.Set("_xmpp-client._tcp."+domain, dnsmessage.TypeSRV, service.SRV(host, int(later.Addr.Port()), 10, 0))
	names.Set("_xmpps-client._tcp."+domain, dnsmessage.TypeSRV, service.SRV(host, int(first.Addr.Port()), 5, 0))
	if _, err := run(t, probes.Register(), "resolver="+names.Addr(), "ca-file="+ca.file); err == nil {
		t.Error("a server that closes is asked for its form, and nothing fails")
	}
	if first.Served() != 2 || later.Served() != 1 {
		t.Errorf("%d connections to the first, %d to the later one", first.Served(), later.Served())
	}
}

// TestDeadResolver: DNS trouble is the service's trouble, and says so.
func TestDeadResolver(t *testing.T) {
	t.Parallel()
	r, err := run(t, probes.C2S(), "resolver="+Unused(t, "127.0.0.1").String())
	if err != nil || r.Worst() != probes.Critical || failures(r) != "resolve/dns" || len(r.Notes) != 2 {
		t.Errorf("%v, %s\n%s", err, failures(r), texts(r))
	}
	wantFigures(t, probes.C2S(), r, map[string]string{"endpoints": "U", "time": "U", "resolve": "U", "cert_days": "U", "retries": "U"})
}
