// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"cmp"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
)

const apiModule = "mod_http_api"

// APIURLs are the addresses under which ejabberd's admin commands may answer a client on this machine, most promising first:
// plain HTTP before TLS, loopback before the rest, /api before paths that name a version of the API. A listener on every
// address is asked on 127.0.0.1, never by the name localhost: that may come from ::1, which ejabberd's rules often leave out.
func (c *Config) APIURLs() []string {
	type candidate struct {
		url    string
		remote bool // not reachable on loopback: the least promising
		tls    bool
		any    bool
		other  bool // not /api
	}
	rank := func(no bool) int {
		if no {
			return 1
		}
		return 0
	}
	var candidates []candidate
	for _, l := range c.Listeners {
		address, err := netip.ParseAddr(l.IP)
		if err != nil || l.Port == 0 || l.Transport != "tcp" {
			continue
		}
		all := address.IsUnspecified()
		if all {
			address = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		}
		scheme := "http://"
		if l.TLS {
			scheme = "https://"
		}
		base := scheme + net.JoinHostPort(address.String(), strconv.Itoa(l.Port))
		for _, path := range slices.Sorted(maps.Keys(l.Handlers)) {
			if l.Handlers[path] == apiModule {
				candidates = append(candidates, candidate{base + path, !address.IsLoopback(), l.TLS, all, path != "/api"})
			}
		}
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int {
		return cmp.Or(
			cmp.Compare(rank(a.remote), rank(b.remote)),
			cmp.Compare(rank(a.tls), rank(b.tls)),
			cmp.Compare(rank(a.other), rank(b.other)),
			cmp.Compare(rank(a.any), rank(b.any)),
		)
	})
	var urls []string
	for _, c := range candidates {
		if !slices.Contains(urls, c.url) {
			urls = append(urls, c.url)
		}
	}
	return urls
}
