// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// Go's own resolver understands ours, over UDP and TCP, and sees what is changed.
func TestResolver(t *testing.T) {
	r, err := StartResolver()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Stop()
	r.SetHost("Host.test", "127.0.0.1", "::1")
	r.SetSRV("_xmpp-client._tcp.chapril.test", "host.test", 15222)
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			var dialer net.Dialer
			ask := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, transport, r.Addr())
			}}
			addresses, err := ask.LookupHost(t.Context(), "host.test.")
			if slices.Sort(addresses); err != nil || !slices.Equal(addresses, []string{"127.0.0.1", "::1"}) {
				t.Errorf("addresses %v, %v", addresses, err)
			}
			_, srv, err := ask.LookupSRV(t.Context(), "xmpp-client", "tcp", "chapril.test.")
			if err != nil || len(srv) != 1 || srv[0].Target != "host.test." || srv[0].Port != 15222 {
				t.Errorf("SRV %v, %v", srv, err)
			}
			var notFound *net.DNSError
			if _, err := ask.LookupHost(t.Context(), "nobody.test."); !errors.As(err, &notFound) || !notFound.IsNotFound {
				t.Errorf("a name that does not exist: %v", err)
			}
			r.Set(transport+".test", dnsmessage.TypeTXT, &dnsmessage.TXTResource{TXT: []string{"before"}})
			r.Set(transport+".test", dnsmessage.TypeTXT, &dnsmessage.TXTResource{TXT: []string{"after"}})
			if txt, err := ask.LookupTXT(t.Context(), transport+".test."); err != nil || !slices.Equal(txt, []string{"after"}) {
				t.Errorf("TXT %v, %v", txt, err)
			}
		})
	}
}
