// SPDX-License-Identifier: Apache-2.0

package probes_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/chapril/ejabberd_exporter/internal/service"
	"github.com/chapril/ejabberd_exporter/probes"
)

const (
	clientSRV = "_xmpp-client._tcp." + domain
	serverSRV = "_xmpp-server._tcp." + domain
)

// TestZone: what a zone may say.
func TestZone(t *testing.T) {
	t.Parallel()
	const expected = "# all of it\n_xmpp-client._tcp 0 1 5222 xmpp.example.org\n" +
		"_xmpp-server._tcp.example.org. 3600 IN SRV 0 1 5269 XMPP.example.org. ; as dig prints it\n"
	for _, c := range []struct {
		name     string
		zone     func(*service.Resolver)
		expect   string
		settings []string
		state    probes.State
		figures  map[string]string
		text     string
	}{
		{"as expected", nil, expected, nil, probes.OK, map[string]string{"srv_targets": "1", "srv_unresolved": "0", "min_ttl": "1"}, "OK SRV " + clientSRV + ": 0 1 5222 xmpp.example.org"},
		{"nothing expected", nil, "", nil, probes.OK, map[string]string{"srv_targets": "1"}, "OK xmpp.example.org: has addresses"},
		{
			"another port", func(r *service.Resolver) { r.SetSRV(clientSRV, host, 5223) }, expected, nil, probes.Critical, nil,
			"CRITICAL SRV " + clientSRV + ": resolve: 0 1 5222 xmpp.example.org is missing\nCRITICAL SRV " + clientSRV + ": resolve: 0 1 5223 xmpp.example.org is not expected",
		},
		{"another priority", func(r *service.Resolver) { r.Set(clientSRV, dnsmessage.TypeSRV, service.SRV(host, 5222, 10, 1)) }, expected, nil, probes.Critical, nil, "10 1 5222 xmpp.example.org is not expected"},
		{"another weight", func(r *service.Resolver) { r.Set(clientSRV, dnsmessage.TypeSRV, service.SRV(host, 5222, 0, 7)) }, expected, nil, probes.Critical, nil, "0 7 5222 xmpp.example.org is not expected"},
		{"a service that the file does not name", func(r *service.Resolver) { r.SetSRV("_xmpps-client._tcp."+domain, host, 5223) }, expected, nil, probes.Critical, nil, "0 1 5223 xmpp.example.org is not expected"},
		{"not provided, as expected", func(r *service.Resolver) { notProvided(r, "xmpps-client") }, expected + "_xmpps-client._tcp 0 0 0 .\n", nil, probes.OK, map[string]string{"srv_targets": "1"}, "0 0 0 ."},
		{"no records", func(r *service.Resolver) {
			r.Set(clientSRV, dnsmessage.TypeSRV)
			r.SetHost(domain, "192.0.2.1", "2001:db8::1")
		}, "", nil, probes.OK, map[string]string{"srv_targets": "2"}, "OK example.org: has addresses"},
		{"no records and no address", func(r *service.Resolver) { r.Set(clientSRV, dnsmessage.TypeSRV) }, "", nil, probes.Critical, map[string]string{"srv_targets": "2", "srv_unresolved": "1"}, "CRITICAL example.org: resolve: no address"},
		{"a target without an address", func(r *service.Resolver) { r.SetHost(host) }, "", nil, probes.Critical, map[string]string{"srv_unresolved": "1"}, "CRITICAL xmpp.example.org: resolve: no address"},
		{"no IPv6", func(r *service.Resolver) { r.SetHost(host, "192.0.2.1") }, "", nil, probes.Critical, map[string]string{"srv_unresolved": "1"}, "no ip6 address"},
		{"no IPv6, which is fine", func(r *service.Resolver) { r.SetHost(host, "192.0.2.1") }, "", []string{"any-family=true"}, probes.OK, map[string]string{"srv_unresolved": "0"}, ""},
		{"no IPv6, not asked for", func(r *service.Resolver) { r.SetHost(host, "192.0.2.1") }, "", []string{"use-ipv4=true"}, probes.OK, map[string]string{"srv_unresolved": "0"}, ""},
		{"an alias", func(r *service.Resolver) {
			r.Set(host, dnsmessage.TypeCNAME, &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName("www.example.org.")})
		}, "", nil, probes.Critical, nil, "an SRV record leads to it, though it is an alias of www.example.org"},
		{"a hosts file of its own", func(r *service.Resolver) { r.SetHost(host, "127.0.0.1", "::1") }, "", nil, probes.Warning, map[string]string{"srv_unresolved": "0"}, "a loopback or private address for a public domain"},
		{"private", func(r *service.Resolver) { r.SetHost(host, "10.0.0.1", "fd00::1") }, "", nil, probes.Warning, nil, "a loopback or private address"},
		{"behind a provider's NAT", func(r *service.Resolver) { r.SetHost(host, "100.64.0.1", "2001:db8::1") }, "", nil, probes.Warning, nil, "a loopback or private address"},
		{"private, which is fine", func(r *service.Resolver) { r.SetHost(host, "10.0.0.1", "fd00::1") }, "", []string{"public=no"}, probes.OK, nil, ""},
		{"_xmppconnect", func(r *service.Resolver) { connectTXT(r) }, "", nil, probes.OK, nil, "1 _xmppconnect TXT records: XEP-0156 dropped them as insecure"},
		{"_xmppconnect, unwanted", func(r *service.Resolver) { connectTXT(r) }, "", []string{"forbid-xmppconnect=true"}, probes.Warning, nil, "remove them"},
		{"a component by its name", func(r *service.Resolver) { r.SetHost("muc."+domain, "192.0.2.1", "2001:db8::1") }, "", []string{"component=muc"}, probes.OK, map[string]string{"srv_targets": "2"}, "OK muc.example.org: has addresses"},
		{"two components at once", func(r *service.Resolver) {
			r.SetHost("muc."+domain, "192.0.2.1", "2001:db8::1")
			r.SetHost("echo."+domain, "192.0.2.1", "2001:db8::1")
		}, "", []string{"component=muc,echo"}, probes.OK, map[string]string{"srv_targets": "3"}, "OK echo.example.org: has addresses"},
		{"a component that is nowhere", nil, "", []string{"component=muc"}, probes.Critical, map[string]string{"srv_unresolved": "1"}, "CRITICAL muc.example.org: resolve: no address"},
		{"a component that nobody can reach", func(r *service.Resolver) {
			r.Set("_xmpp-server._tcp.muc."+domain, dnsmessage.TypeSRV, &dnsmessage.SRVResource{Target: dnsmessage.MustNewName(".")})
		}, "", []string{"component=muc.example.org"}, probes.Critical, nil, "other servers cannot reach it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := zone(t, "192.0.2.1", "2001:db8::1")
			r.SetSRV(clientSRV, host, 5222)
			r.SetSRV(serverSRV, host, 5269)
			if c.zone != nil {
				c.zone(r)
			}
			settings := append([]string{"resolver=" + r.Addr()}, c.settings...)
			if c.expect != "" {
				settings = append(settings, "expect="+expectation(t, c.expect))
			}
			p := probes.Zone()
			out, err := run(t, p, settings...)
			if err != nil || out.Worst() != c.state || !strings.Contains(texts(out), c.text) {
				t.Errorf("%v, %s\n%s", err, out.Summary, texts(out))
			}
			wantFigures(t, p, out, c.figures)
		})
	}
}

func connectTXT(r *service.Resolver) {
	r.Set("_xmppconnect."+domain, dnsmessage.TypeTXT, &dnsmessage.TXTResource{TXT: []string{"_xmpp-client-xbosh=https://evil.example/"}})
}

func expectation(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "expect")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestExpectations: a file that makes no sense gives no verdict, and says which line it is.
func TestExpectations(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"\n# nothing\n", "names no record"},
		{"xmpp-client 0 1 5222 xmpp.example.org", "line 1: want NAME"},
		{"# one\n_xmpp-client._tcp 0 1 70000 xmpp.example.org", "line 2: want NAME"},
		{"_xmpp-client._tcp 0 1 5222", "line 1: want NAME"},
		{"_xmpp-client._tcp 0 1 5222 xmpp.example.org extra", "line 1: want NAME"},
	} {
		out, err := run(t, probes.Zone(), "resolver=127.0.0.1:1", "expect="+expectation(t, c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) || len(out.Notes) > 0 {
			t.Errorf("%q: %v", c.text, err)
		}
	}
}

// TestPublicDomains: which names should resolve to public addresses, as "auto" sees them.
func TestPublicDomains(t *testing.T) {
	t.Parallel()
	for name, public := range map[string]bool{
		"example.org": true, "xmpp.chapril.org": true,
		"chapril.test": false, "box.local": false, "localhost": false, "a.internal": false, "a.home.arpa": false, "jabber": false,
	} {
		r := zone(t)
		r.SetHost(name, "127.0.0.1", "::1")
		out, err := runOn(t, probes.Zone(), name, "resolver="+r.Addr())
		if warned := out.Worst() == probes.Warning; err != nil || warned != public {
			t.Errorf("%s: %v\n%s", name, err, texts(out))
		}
	}
}

// TestSilentResolver: the report is there in time, and says so.
func TestSilentResolver(t *testing.T) {
	t.Parallel()
	hole, err := new(net.ListenConfig).ListenPacket(context.WithoutCancel(t.Context()), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer hole.Close()
	out, err := runWithin(t, time.Second, probes.Zone(), domain, "resolver="+hole.LocalAddr().String())
	if err != nil || out.Worst() != probes.Critical || !strings.Contains(texts(out), "no answer in time") {
		t.Errorf("%v\n%s", err, texts(out))
	}
	for _, n := range out.Notes {
		if n.State == probes.Critical && n.Reason != probes.Timeout {
			t.Errorf("%+v", n)
		}
	}
}
