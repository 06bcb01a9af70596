// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"syscall"
)

// publicOnly is the key under which a context says that its connections may go to public addresses alone.
type publicOnly struct{}

// PublicOnly makes a context whose probes connect to addresses of the public Internet alone. The DNS of a domain that is not ours
// may say anything: that its XMPP server is our router, or a service of this machine.
func PublicOnly(ctx context.Context) context.Context {
	return context.WithValue(ctx, publicOnly{}, true)
}

// errPrivate says that an address was not gone to.
var errPrivate = errors.New("a private address, where /probe goes for hosts that ejabberd serves alone: --probe.private allows it")

// dial makes every connection of every probe. It looks at the address that is really connected to.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	if ctx.Value(publicOnly{}) != nil {
		d.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error {
			if to, err := netip.ParseAddrPort(address); err != nil || !onTheInternet(to.Addr()) {
				return errPrivate
			}
			return nil
		}
	}
	conn, err := d.DialContext(ctx, network, address)
	if errors.Is(err, errPrivate) {
		return nil, errPrivate
	}
	return conn, err
}

// reserved are ranges that lead nowhere in the public Internet, beside those that netip knows; the last ones lead back to any
// address of IPv4.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("fec0::/10"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"),
}

// onTheInternet tells whether an address leads to the public Internet.
func onTheInternet(a netip.Addr) bool {
	a = a.Unmap()
	return public(a) && !slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(a.WithZone("")) })
}
