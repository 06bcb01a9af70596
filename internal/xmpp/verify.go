// SPDX-License-Identifier: Apache-2.0

package xmpp

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"
)

// TLS is what a handshake showed.
type TLS struct {
	Version  uint16 // tls.VersionTLS13 …
	ALPN     string // the agreed protocol, or nothing
	Chain    []*x509.Certificate
	BadChain error // no way from the certificate to a trusted authority, whatever the time
	BadName  error // the certificate does not name the domain
	BadTime  error // expired or not yet valid
}

// Leaf is the server's own certificate.
func (t *TLS) Leaf() *x509.Certificate { return t.Chain[0] }

// Err is a *CertificateError where the certificate must not be trusted.
func (t *TLS) Err() error {
	if err := cmp.Or(t.BadTime, t.BadName, t.BadChain); err != nil {
		return &CertificateError{errors.Join(t.BadTime, t.BadName, t.BadChain)}
	}
	return nil
}

// CertificateError says all that is wrong with a certificate.
type CertificateError struct{ err error }

func (e *CertificateError) Error() string { return strings.ReplaceAll(e.err.Error(), "\n", "; ") }
func (e *CertificateError) Unwrap() error { return e.err }

// Inspect judges a certificate, for whoever makes the handshake: time, name (config.ServerName) and chain each for itself.
func Inspect(state tls.ConnectionState, config *tls.Config) TLS {
	now := time.Now()
	if config.Time != nil {
		now = config.Time()
	}
	facts := TLS{Version: state.Version, ALPN: state.NegotiatedProtocol, Chain: state.PeerCertificates}
	leaf := facts.Leaf()
	facts.BadTime = checkTime(leaf, now)
	facts.BadName = checkName(leaf, config.ServerName)
	at := now
	if facts.BadTime != nil { // judged apart
		at = leaf.NotAfter
	}
	facts.BadChain = checkChain(facts.Chain, config.RootCAs, at)
	return facts
}

func checkTime(leaf *x509.Certificate, now time.Time) error {
	const day = 24 * time.Hour
	switch {
	case now.After(leaf.NotAfter):
		return fmt.Errorf("certificate expired %.1f days ago, on %s", float64(now.Sub(leaf.NotAfter))/float64(day), leaf.NotAfter.UTC().Format(time.DateOnly))
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("certificate is not valid before %s", leaf.NotBefore.UTC().Format(time.DateTime))
	}
	return nil
}

// checkName follows RFC 9525: only names of type DNS count, a wildcard stands for one label.
func checkName(leaf *x509.Certificate, domain string) error {
	if leaf.VerifyHostname(domain) == nil {
		return nil
	}
	if len(leaf.DNSNames) == 0 {
		return fmt.Errorf("certificate names no host, and not %s", domain)
	}
	return fmt.Errorf("certificate is for %s, not for %s", Clean(strings.Join(leaf.DNSNames, ", ")), domain)
}

func checkChain(chain []*x509.Certificate, roots *x509.CertPool, at time.Time) error {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	leaf := chain[0]
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: at})
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown {
		switch {
		case bytes.Equal(leaf.RawIssuer, leaf.RawSubject):
			return errors.New("certificate is self-signed")
		case len(chain) == 1:
			return errors.New("certificate is of an unknown authority, or the server leaves out its intermediate certificate")
		}
		return errors.New("certificate is of an unknown authority")
	}
	if err != nil {
		return fmt.Errorf("certificate chain: %s", Clean(strings.TrimPrefix(err.Error(), "x509: ")))
	}
	return nil
}
