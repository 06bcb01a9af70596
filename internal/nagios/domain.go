// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
)

// xmppDomain turns the domain that a user gave into its ASCII form: lower case, no final dot, international names as A-labels.
// Without one, the host to connect to serves, when it is a name.
func xmppDomain(domain, host string) (string, error) {
	if domain == "" {
		if _, err := netip.ParseAddr(host); host == "" || err == nil {
			return "", errors.New("--domain is missing: the XMPP domain to probe, such as example.org")
		}
		domain = host
	}
	profile := idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.VerifyDNSLength(true))
	ascii, err := profile.ToASCII(strings.TrimSuffix(domain, "."))
	if err != nil || ascii == "" {
		return "", fmt.Errorf("--domain %.64q is no domain name", domain)
	}
	return ascii, nil
}
