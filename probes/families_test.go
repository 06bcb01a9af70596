// SPDX-License-Identifier: Apache-2.0

package probes_test

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/chapril/ejabberd_exporter/internal/service"
	. "github.com/chapril/ejabberd_exporter/internal/xmpp/xmpptest"
	"github.com/chapril/ejabberd_exporter/probes"
)

// TestDeadFamily: IPv6 refuses while IPv4 works.
func TestDeadFamily(t *testing.T) {
	t.Parallel()
	if len(service.Loopback()) == 1 {
		t.Skip("this machine has no IPv6: a dead one cannot be told from none")
	}
	ca := newAuthority(t)
	peer := Serve(t, "127.0.0.1:0", ClientServer(domain, ca.config(t, lasting(60))))
	names := zone(t, "127.0.0.1", "::1")
	srv(names, "xmpp-client", peer.Addr)
	settings := []string{"resolver=" + names.Addr(), "ca-file=" + ca.file}
	p := probes.C2S()

	t.Run("each must work", func(t *testing.T) {
		r, err := run(t, p, settings...)
		if err != nil || r.Worst() != probes.Critical || failures(r) != "connect/refused" {
			t.Errorf("%v\n%s", err, texts(r))
		}
		if want := "CRITICAL " + port(peer.Addr) + " ip6: connect: connection refused\n"; !strings.Contains(texts(r), want) {
			t.Errorf("no %s in\n%s", want, texts(r))
		}
		wantFigures(t, p, r, map[string]string{"endpoints": "2", "endpoints_failed": "1"})
		if !strings.HasPrefix(r.Summary, "1 of 2 endpoints failed, worst certificate 60 days") {
			t.Errorf("summary %q", r.Summary)
		}
		if _, ok := figure(t, p, r, "time"); !ok {
			t.Error("the endpoint that works has no time")
		}
	})
	t.Run("--any-family", func(t *testing.T) {
		r, err := run(t, p, append(settings, "any-family=true")...)
		if err != nil || r.Worst() != probes.OK || !strings.Contains(texts(r), "ip6: connect: connection refused") {
			t.Errorf("%v\n%s", err, texts(r))
		}
		wantFigures(t, p, r, map[string]string{"endpoints": "2", "endpoints_failed": "1"})
	})
	t.Run("-4", func(t *testing.T) {
		r, err := run(t, p, append(settings, "use-ipv4=true")...)
		if err != nil || r.Worst() != probes.OK || strings.Contains(texts(r), "ip6") {
			t.Errorf("%v\n%s", err, texts(r))
		}
	})
	t.Run("-6 --any-family", func(t *testing.T) {
		r, err := run(t, p, append(settings, "use-ipv6=true", "any-family=true")...)
		if err != nil || r.Worst() != probes.Critical {
			t.Errorf("%v\n%s", err, texts(r))
		}
	})
}

// TestFamilyWithoutAddress is not probed, unless it is demanded.
func TestFamilyWithoutAddress(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	peer := Serve(t, "127.0.0.1:0", ClientServer(domain, ca.config(t, lasting(60))))
	names := zone(t, "127.0.0.1")
	srv(names, "xmpp-client", peer.Addr)
	settings := []string{"resolver=" + names.Addr(), "ca-file=" + ca.file}

	r, err := run(t, probes.C2S(), settings...)
	if err != nil || r.Worst() != probes.OK || len(r.Notes) != 1 {
		t.Errorf("%v\n%s", err, texts(r))
	}
	r, err = run(t, probes.C2S(), append(settings, "require-family=true")...)
	if err != nil || r.Worst() != probes.Critical || !strings.Contains(texts(r), "CRITICAL "+host+": resolve: no ip6 address\n") || failures(r) != "resolve/dns" {
		t.Errorf("%v\n%s", err, texts(r))
	}
	r, err = run(t, probes.C2S(), append(settings, "use-ipv6=true")...)
	if err != nil || r.Worst() != probes.Critical || !strings.Contains(texts(r), "CRITICAL "+host+": resolve: no ip6 address\n") {
		t.Errorf("%v\n%s", err, texts(r))
	}
}

// TestBlackHole: one that swallows everything costs no more than the deadline, and hides nothing.
func TestBlackHole(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	good := serveAll(t, ClientServer(domain, ca.config(t, lasting(60))))
	silent := Serve(t, "127.0.0.1:0", Script{BlackHole()})
	names := zone(t, service.Loopback()...)
	families := len(service.Loopback())
	names.SetHost("v4."+domain, "127.0.0.1")
	names.Set("_xmpp-client._tcp."+domain, dnsmessage.TypeSRV,
		service.SRV(host, int(good.Port()), 1, 1), service.SRV("v4."+domain, int(silent.Addr.Port()), 2, 1))

	r, err := runWithin(t, 3*time.Second, probes.C2S(), domain, "resolver="+names.Addr(), "ca-file="+ca.file)
	if err != nil || r.Worst() != probes.Critical || failures(r) != "stream/timeout" {
		t.Errorf("%v, %s\n%s", err, failures(r), texts(r))
	}
	if !strings.Contains(texts(r), " ip4: stream: no answer in time\n") || strings.Count(texts(r), "OK ") != families {
		t.Errorf("got\n%s", texts(r))
	}
	wantFigures(t, probes.C2S(), r, map[string]string{"endpoints": strconv.Itoa(1 + families), "endpoints_failed": "1"})
}

// TestSameAddress: two names for one address and port are not connected to at the same time, and a black hole there leaves time
// for the second.
func TestSameAddress(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	peer := Serve(t, "127.0.0.1:0", Script{BlackHole()}, ClientServer(domain, ca.config(t, lasting(60))))
	names := zone(t, "127.0.0.1")
	names.SetHost("two."+domain, "127.0.0.1")
	names.Set("_xmpp-client._tcp."+domain, dnsmessage.TypeSRV,
		service.SRV(host, int(peer.Addr.Port()), 1, 1), service.SRV("two."+domain, int(peer.Addr.Port()), 1, 1))

	r, err := runWithin(t, 3*time.Second, probes.C2S(), domain, "resolver="+names.Addr(), "ca-file="+ca.file)
	if err != nil || strings.Count(texts(r), "OK ") != 1 || failures(r) != "stream/timeout" {
		t.Errorf("%v\n%s", err, texts(r))
	}
	if peer.Served() != 2 || peer.Overlapped() {
		t.Errorf("%d connections, overlapped: %v", peer.Served(), peer.Overlapped())
	}
}

// TestReset: one reset before the first byte is what a full backlog looks like; two are an outage.
func TestReset(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	reset := Script{Expect(">"), Reset()}
	good := ClientServer(domain, ca.config(t, lasting(60)))
	for name, c := range map[string]struct {
		scripts []Script
		state   probes.State
		failure string
		retries string
	}{
		"once":  {[]Script{reset, good}, probes.OK, "", "1"},
		"twice": {[]Script{reset, reset, good}, probes.Critical, "stream/closed", "1"},
		"after the first byte": {
			[]Script{{Expect(">"), Send("<?xml"), Expect("never")}, good}, probes.Critical, "stream/timeout", "0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			peer := Serve(t, "127.0.0.1:0", c.scripts...)
			r, err := runWithin(t, 3*time.Second, probes.C2S(), domain, at(peer.Addr, "ca-file="+ca.file)...)
			if err != nil || r.Worst() != c.state || failures(r) != c.failure {
				t.Errorf("%v, %s\n%s", err, failures(r), texts(r))
			}
			wantFigures(t, probes.C2S(), r, map[string]string{"retries": c.retries})
		})
	}
}

// TestSeveralAddresses: an endpoint works only if all its addresses do, and no more than 32 are visited.
func TestSeveralAddresses(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	peer := Serve(t, "127.0.0.1:0", ClientServer(domain, ca.config(t, lasting(60))))
	names := zone(t, "127.0.0.1", "127.0.0.3")
	srv(names, "xmpp-client", peer.Addr)
	settings := []string{"resolver=" + names.Addr(), "ca-file=" + ca.file}
	r, err := run(t, probes.C2S(), settings...)
	if err != nil || !strings.Contains(texts(r), "CRITICAL "+port(peer.Addr)+" ip4 address 2 of 2: connect: connection refused\n") {
		t.Errorf("%v\n%s", err, texts(r))
	}
	wantFigures(t, probes.C2S(), r, map[string]string{"endpoints": "1", "endpoints_failed": "1"})

	var many []string
	for i := range 40 {
		many = append(many, netip.AddrFrom4([4]byte{127, 0, 1, byte(i)}).String())
	}
	names.SetHost(host, many...)
	r, err = run(t, probes.C2S(), settings...)
	if err != nil || len(r.Notes) != 33 || !strings.Contains(texts(r), "WARNING : only the first 32 endpoints are probed, 8 are left out\n") {
		t.Errorf("%v, %s notes\n%s", err, strconv.Itoa(len(r.Notes)), texts(r))
	}
}
