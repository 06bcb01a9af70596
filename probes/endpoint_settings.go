// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/dns"
)

// endpointSettings are the settings of all probes that visit the endpoints of a domain.
type endpointSettings struct {
	host, resolver, caFile                 string
	names                                  *dns.Shared
	only4, only6, anyFamily, requireFamily bool
	ports                                  []listener
	startTLS                               startTLSPolicy
	tlsMin                                 tlsVersion
}

// listener is a port that the settings name.
type listener struct {
	service
	port uint16
}

// declare declares the settings of the probes that open XMPP streams.
func (s *endpointSettings) declare(set *Settings) {
	s.declareReach(set)
	s.startTLS = startTLSRequired
	set.Var(&s.startTLS, Safe, "starttls", "What the server must do on ports with STARTTLS: have it required, have it offered, or off for a connection in clear")
	s.declareTrust(set)
}

// declareReach declares where to connect to.
func (s *endpointSettings) declareReach(set *Settings) {
	set.String(&s.host, Local, "hostname", "", "Address or host name to connect to, instead of what the SRV records of the domain say").Short = 'H'
	s.declareFamilies(set)
	set.Bool(&s.anyFamily, Safe, "any-family", "Be content with a target that can be connected to in one address family")
	set.Bool(&s.requireFamily, Safe, "require-family", "Demand that every target has addresses of every family")
}

// declareFamilies declares what to ask the DNS for, and whom.
func (s *endpointSettings) declareFamilies(set *Settings) {
	s.names = set.Shared.resolvers()
	set.Bool(&s.only4, Safe, "use-ipv4", "Probe IPv4 only").Short = '4'
	set.Bool(&s.only6, Safe, "use-ipv6", "Probe IPv6 only").Short = '6'
	set.String(&s.resolver, Local, "resolver", "", "Name server to ask, HOST or HOST:PORT, instead of the system's")
}

// declareTrust declares what a good TLS connection is.
func (s *endpointSettings) declareTrust(set *Settings) {
	set.String(&s.caFile, Local, "ca-file", "", "File with the certificates of the authorities to trust, in PEM, instead of the system's")
	s.tlsMin = tls.VersionTLS12
	set.Var(&s.tlsMin, Safe, "tls-min", "Oldest version of TLS that is good enough: 1.0, 1.1, 1.2 or 1.3")
}

// declarePort declares the settings for one port. What it returns reads them, once they are set: the settings of the run, and
// the services to probe.
func (s *endpointSettings) declarePort(set *Settings, startTLS, direct service) func() (endpointSettings, []service) {
	port := portNumber(0)
	set.Var(&port, Local, "port", "Port to connect to, instead of what the SRV records say or the usual ones").Short = 'p'
	directTLS := false
	set.Bool(&directTLS, Local, "direct-tls", "Probe direct TLS only; with --port: it is a port with direct TLS")
	return func() (endpointSettings, []service) {
		chosen, services := *s, []service{startTLS, direct}
		if directTLS {
			asked := direct
			asked.listed = false
			services = []service{asked}
		}
		if port != 0 {
			chosen.ports = []listener{{services[0], uint16(port)}}
		}
		return chosen, services
	}
}

func (s *endpointSettings) families() []string {
	switch {
	case s.only4:
		return []string{ip4}
	case s.only6:
		return []string{ip6}
	}
	return []string{ip4, ip6}
}

// startTLSPolicy is what a server must do about STARTTLS.
type startTLSPolicy string

const (
	startTLSRequired startTLSPolicy = "required"
	startTLSOffered  startTLSPolicy = "offered"
	startTLSOff      startTLSPolicy = "off"
)

func (p *startTLSPolicy) String() string { return string(*p) }
func (p *startTLSPolicy) Set(text string) error {
	if !slices.Contains([]startTLSPolicy{startTLSRequired, startTLSOffered, startTLSOff}, startTLSPolicy(text)) {
		return errors.New("required, offered or off")
	}
	*p = startTLSPolicy(text)
	return nil
}

// tlsVersion is a version of TLS, numbered as in crypto/tls.
type tlsVersion uint16

var tlsVersions = map[string]tlsVersion{"1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}

// String is the bare number: "1.3".
func (v *tlsVersion) String() string { return strings.TrimPrefix(tls.VersionName(uint16(*v)), "TLS ") }

func (v *tlsVersion) Set(text string) error {
	version, ok := tlsVersions[text]
	if !ok {
		return errors.New("1.0, 1.1, 1.2 or 1.3")
	}
	*v = version
	return nil
}

type portNumber uint16

func (p *portNumber) String() string {
	if *p == 0 {
		return ""
	}
	return strconv.Itoa(int(*p))
}

func (p *portNumber) Set(text string) error {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 {
		return errors.New("a port is a number from 1 to 65535")
	}
	*p = portNumber(n)
	return nil
}

// portList are ports of any service: "5222,5269", or "15222/xmpp-client" where the number does not say which.
type portList []listener

func (l *portList) String() string {
	texts := make([]string, len(*l))
	for i, p := range *l {
		texts[i] = fmt.Sprintf("%d/%s", p.port, p.name)
	}
	return strings.Join(texts, ",")
}

func (l *portList) Set(text string) error {
	for item := range strings.SplitSeq(text, ",") {
		number, name, named := strings.Cut(item, "/")
		var port portNumber
		if err := port.Set(number); err != nil {
			return err
		}
		at := slices.IndexFunc(allServices, func(s service) bool {
			return named && s.name == name || !named && s.port == uint16(port)
		})
		if at < 0 {
			return errors.New("ports are 5222, 5223, 5269, 5270, or PORT/SERVICE with service xmpp-client, xmpps-client, xmpp-server or xmpps-server")
		}
		*l = append(*l, listener{allServices[at], uint16(port)})
	}
	return nil
}
