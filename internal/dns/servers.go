// SPDX-License-Identifier: Apache-2.0

package dns

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"
)

// hostPort completes what a user gave as a resolver.
func hostPort(server string) (string, error) {
	if addr, err := netip.ParseAddr(strings.Trim(server, "[]")); err == nil {
		return net.JoinHostPort(addr.String(), "53"), nil
	}
	if server != "" && !strings.ContainsAny(server, ":[]") {
		return net.JoinHostPort(server, "53"), nil
	}
	host, port, err := net.SplitHostPort(server)
	if err != nil || host == "" || port == "" {
		return "", fmt.Errorf("resolver %q: want HOST or HOST:PORT, such as 192.0.2.53:53", server)
	}
	return server, nil
}

// systemServers reads the resolvers from /etc/resolv.conf: this machine where it names none, as libc does.
func systemServers() ([]string, error) {
	text, err := os.ReadFile("/etc/resolv.conf")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: cannot read resolv.conf: %w", ErrUnreachable, errors.Unwrap(err))
	}
	return nameservers(string(text)), nil
}

// nameservers finds the first three resolvers of a resolv.conf. Search lists do not matter: our names are complete.
func nameservers(resolvConf string) []string {
	var servers []string
	for line := range strings.Lines(resolvConf) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "nameserver" || len(servers) == 3 {
			continue
		}
		if addr, err := netip.ParseAddr(fields[1]); err == nil {
			servers = append(servers, net.JoinHostPort(addr.String(), "53"))
		}
	}
	if servers == nil {
		return []string{"127.0.0.1:53"}
	}
	return servers
}
