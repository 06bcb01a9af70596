// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

// TestAddressesOnTheInternet: where a probe goes for a domain that is not ours.
func TestAddressesOnTheInternet(t *testing.T) {
	for text, want := range map[string]bool{
		"9.9.9.9": true, "2620:fe::fe": true, "::ffff:9.9.9.9": true, "172.32.0.1": true, "100.128.0.1": true,
		"127.0.0.1": false, "127.8.8.8": false, "::1": false, "0.0.0.0": false, "0.1.2.3": false, "::": false,
		"10.0.0.1": false, "172.16.0.1": false, "192.168.1.1": false, "100.64.0.1": false, "fd00::1": false, "fec0::1": false,
		"169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false, "::ffff:169.254.169.254": false, "::ffff:127.0.0.1": false,
		"224.0.0.1": false, "ff02::1": false, "255.255.255.255": false, "64:ff9b::a00:1": false, "2002:a00:1::1": false,
	} {
		if got := onTheInternet(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s is on the Internet: %v, want %v", text, got, want)
		}
	}
}

// TestPrivateAddressesAreNotGoneTo: somebody listens there, and hears nothing of us.
func TestPrivateAddressesAreNotGoneTo(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	visited := make(chan struct{}, 2)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			visited <- struct{}{}
			_ = conn.Close()
		}
	}()
	port := listener.Addr().(*net.TCPAddr).AddrPort().Port()
	for _, address := range []string{listener.Addr().String(), netip.AddrPortFrom(netip.MustParseAddr("::ffff:127.0.0.1"), port).String()} {
		for _, network := range []string{"tcp", "udp"} {
			if _, err := dial(PublicOnly(t.Context()), network, address); !errors.Is(err, errPrivate) || reason(Connect, xmpp.Network(err)) != Unreachable {
				t.Errorf("%s %s: %v", network, address, err)
			}
		}
	}
	select {
	case <-visited:
		t.Error("the connection was made all the same")
	default:
	}
	conn, err := dial(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatalf("without the restriction: %v", err)
	}
	_ = conn.Close()
	<-visited
}

// TestAllConnectionsAreDialled: a connection that is made past dial would go anywhere.
func TestAllConnectionsAreDialled(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		// The one to port 9 asks for the route and sends nothing.
		dials := strings.Count(string(text), "net.Dial") - len(regexp.MustCompile(`net\.DialUDP\("udp", nil, .*, 9\)\)\)`).FindAll(text, -1))
		if dials > 0 && path != "dial.go" && !strings.HasSuffix(path, "_test.go") {
			t.Errorf("%s makes a connection of its own: use dial", path)
		}
	}
}
