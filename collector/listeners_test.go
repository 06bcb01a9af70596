// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"net"
	"strconv"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/sockets"
)

// TestListenersOnAllAddresses: "::" serves both families, unless it is kept from it or another listener has the port.
func TestListenersOnAllAddresses(t *testing.T) {
	for name, c := range map[string]struct {
		listen     map[string]string // network -> address of what is there
		configured []string
		ip4, ip6   string // listener_up of each family
	}{
		"both":                    {map[string]string{"tcp": "[::]"}, []string{"::"}, "1", "1"},
		"neither":                 {nil, []string{"::"}, "0", "0"},
		"IPv6 only":               {map[string]string{"tcp6": "[::]"}, []string{"::"}, "", "1"},
		"one for each":            {map[string]string{"tcp4": "0.0.0.0", "tcp6": "[::]"}, []string{"0.0.0.0", "::"}, "1", "1"},
		"IPv6 of each is missing": {map[string]string{"tcp4": "0.0.0.0"}, []string{"0.0.0.0", "::"}, "1", "0"},
		"IPv4 of each is missing": {map[string]string{"tcp6": "[::]"}, []string{"0.0.0.0", "::"}, "0", "1"},
		"IPv4 only":               {map[string]string{"tcp4": "0.0.0.0"}, []string{"0.0.0.0"}, "1", ""},
		"another address":         {map[string]string{"tcp4": "127.0.0.1"}, []string{"0.0.0.0"}, "0", ""},
		"one of two addresses":    {map[string]string{"tcp4": "127.0.0.1"}, []string{"127.0.0.1", "127.0.0.2"}, "0", ""},
	} {
		t.Run(name, func(t *testing.T) {
			port := occupy(t, c.listen)
			config := &ejabberdconf.Config{}
			for _, ip := range c.configured {
				config.Listeners = append(config.Listeners, ejabberdconf.Listener{Port: port, IP: ip, Transport: "tcp", Module: "ejabberd_c2s"})
			}
			bounds := metric.Bounds{}
			bounds.Bind("port", 0, strconv.Itoa(port))
			out := metric.NewSet(bounds)
			if err := Listeners.Collect(t.Context(), &Sources{Config: config, Bounds: bounds}, out); err != nil {
				t.Fatal(err)
			}
			for family, want := range map[sockets.Family]string{sockets.IP4: c.ip4, sockets.IP6: c.ip6} {
				got := ""
				if up, ok := out.Get(listenerUp, strconv.Itoa(port), string(family)); ok {
					got = fmt.Sprint(up)
				}
				if got != want {
					t.Errorf("%s: %q, want %q", family, got, want)
				}
			}
		})
	}
}

// occupy listens on one port in several ways, and gives it.
func occupy(t *testing.T, listen map[string]string) int {
	t.Helper()
	free, err := net.Listen("tcp", "[::]:0") // nothing has this port, in either family
	if err != nil {
		t.Skip("this machine has no IPv6")
	}
	port := free.Addr().(*net.TCPAddr).Port
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	for network, address := range listen {
		l, err := net.Listen(network, fmt.Sprintf("%s:%d", address, port))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
	}
	return port
}
