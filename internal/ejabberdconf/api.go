// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"cmp"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

const apiModule = "mod_http_api"

// APIURLs are the addresses under which ejabberd's admin commands may answer a client on this machine, most promising first:
// plain HTTP before TLS, loopback before the rest, /api before paths that name a version of the API. A listener on every
// address is asked on 127.0.0.1, never by the name localhost: that may come from ::1, which ejabberd's rules often leave out.
func (c *Config) APIURLs() []string {
	type candidate struct {
		url  string
		rank int
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
			if l.Handlers[path] != apiModule {
				continue
			}
			api := candidate{url: base + strings.TrimSuffix(path, "/")}
			for weight, drawback := range []bool{all, path != "/api", l.TLS, !address.IsLoopback()} {
				if drawback {
					api.rank += 1 << weight
				}
			}
			candidates = append(candidates, api)
		}
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int { return cmp.Compare(a.rank, b.rank) })
	var urls []string
	for _, c := range candidates {
		if !slices.Contains(urls, c.url) {
			urls = append(urls, c.url)
		}
	}
	return urls
}
