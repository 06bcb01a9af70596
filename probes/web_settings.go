// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"cmp"
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// webURL is a URL of something encrypted.
type webURL struct{ *url.URL }

func (u *webURL) String() string {
	if u.URL == nil {
		return ""
	}
	return u.URL.String()
}

func (u *webURL) Set(text string) (err error) {
	u.URL, err = encrypted(text)
	return err
}

func (u *webURL) orElse(other *url.URL) *url.URL {
	if u.URL != nil {
		return u.URL
	}
	return other
}

var errNotEncrypted = errors.New("a URL starts with https:// or wss://, and holds no user name")

// encrypted reads a URL that may be visited; wss is https to us.
func encrypted(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.Scheme != "https" && u.Scheme != "wss" {
		return nil, errNotEncrypted
	}
	port := u.Port()
	if port != "" {
		if err := new(portNumber).Set(port); err != nil {
			return nil, err
		}
	}
	if host := u.Hostname(); !isHost(host) { // the DNS, certificates and HTTP know a name in Unicode by its ASCII form alone
		if host, err = idna.Lookup.ToASCII(host); err != nil || !isHost(host) {
			return nil, errNotEncrypted
		}
		u.Host = strings.TrimSuffix(host+":"+port, ":")
	}
	u.Scheme, u.Fragment, u.Path = "https", "", cmp.Or(u.Path, "/")
	return u, nil
}

// isHost tells whether a text may be a host's name or address: it will be shown and connected to.
func isHost(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil || text != "" && len(text) < 254 && !strings.ContainsFunc(text, func(r rune) bool {
		return r != '-' && r != '_' && r != '.' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// portOf is the port of a URL that encrypted has read.
func portOf(u *url.URL) uint16 {
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		return 443
	}
	return uint16(port)
}

// registerPolicy is what registration on the web must be.
type registerPolicy string

const (
	registerAbsent  registerPolicy = "absent"
	registerCaptcha registerPolicy = "captcha"
)

func (p *registerPolicy) String() string { return string(*p) }

func (p *registerPolicy) Set(text string) error {
	if registerPolicy(text) != registerAbsent && registerPolicy(text) != registerCaptcha {
		return errors.New("absent or captcha")
	}
	*p = registerPolicy(text)
	return nil
}
