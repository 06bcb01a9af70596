// SPDX-License-Identifier: Apache-2.0

package service

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"
)

// CA is a local certification authority.
type CA struct {
	Certificate *x509.Certificate
	PEM         []byte // the certificate alone, for a --ca-file

	key *ecdsa.PrivateKey
}

// CertOptions say what is good or bad about a certificate.
type CertOptions struct {
	Names      []string  // DNS names, wildcards allowed
	NotBefore  time.Time // an hour ago where zero
	NotAfter   time.Time // in 90 days where zero
	ServerOnly bool      // not good for clients, as those of Let's Encrypt are
	SelfSigned bool      // signed with its own key instead of the CA's
}

// Certificate is one with its key, as Go and as servers want it.
type Certificate struct {
	TLS tls.Certificate
	PEM []byte // certificate, the CA's certificate, key
}

// NewCA makes an authority that is valid from ten years ago for twenty years, so that it can issue certificates of any age.
func NewCA() (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the key of the CA: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: "CA of a test service"},
		NotBefore:             time.Now().AddDate(-10, 0, 0),
		NotAfter:              time.Now().AddDate(10, 0, 0),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make the certificate of the CA: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make the certificate of the CA: %w", err)
	}
	return &CA{Certificate: certificate, PEM: certificatePEM(der), key: key}, nil
}

// Pool trusts this CA alone.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.Certificate)
	return pool
}

// Issue makes a certificate, as broken as options say.
func (ca *CA) Issue(options CertOptions) (*Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: options.Names[0]},
		DNSNames:     options.Names,
		NotBefore:    options.NotBefore,
		NotAfter:     options.NotAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		// s2s peers show their certificate as clients, too.
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if options.ServerOnly {
		template.ExtKeyUsage = template.ExtKeyUsage[:1]
	}
	if template.NotBefore.IsZero() {
		template.NotBefore = time.Now().Add(-time.Hour)
	}
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().AddDate(0, 0, 90)
	}
	parent, parentKey := ca.Certificate, ca.key
	if options.SelfSigned {
		parent, parentKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	if err != nil {
		return nil, fmt.Errorf("issue a certificate: %w", err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("issue a certificate: %w", err)
	}
	chain := certificatePEM(der)
	if !options.SelfSigned {
		chain = append(chain, ca.PEM...)
	}
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	pair, err := tls.X509KeyPair(chain, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("issue a certificate: %w", err)
	}
	return &Certificate{TLS: pair, PEM: bytes.Join([][]byte{chain, keyPEM}, nil)}, nil
}

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func serial() *big.Int { return new(big.Int).SetBytes([]byte(rand.Text()[:16])) }
