// SPDX-License-Identifier: Apache-2.0

package service

import (
	"crypto/x509"
	"errors"
	"testing"
	"time"
)

func TestIssue(t *testing.T) {
	ca, err := NewCA()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for name, tt := range map[string]struct {
		options CertOptions
		want    error // of this type; nil: good
	}{
		"good":       {CertOptions{Names: []string{"chapril.test"}}, nil},
		"wildcard":   {CertOptions{Names: []string{"*.test"}}, nil},
		"wrong name": {CertOptions{Names: []string{"elsewhere.test"}}, x509.HostnameError{}},
		"self-signed": {
			CertOptions{Names: []string{"chapril.test"}, SelfSigned: true}, x509.UnknownAuthorityError{},
		},
		"expired": {
			CertOptions{Names: []string{"chapril.test"}, NotBefore: now.AddDate(0, -3, 0), NotAfter: now.Add(-time.Hour)},
			x509.CertificateInvalidError{},
		},
		"not yet valid": {CertOptions{Names: []string{"chapril.test"}, NotBefore: now.Add(time.Hour)}, x509.CertificateInvalidError{}},
	} {
		t.Run(name, func(t *testing.T) {
			certificate, err := ca.Issue(tt.options)
			if err != nil {
				t.Fatal(err)
			}
			_, err = certificate.TLS.Leaf.Verify(x509.VerifyOptions{Roots: ca.Pool(), DNSName: "chapril.test"})
			if !sameType(err, tt.want) {
				t.Errorf("verifying says %v, want an error of type %T", err, tt.want)
			}
		})
	}
}

func sameType(err, want error) bool {
	switch want.(type) {
	case nil:
		return err == nil
	case x509.HostnameError:
		return errors.As(err, new(x509.HostnameError))
	case x509.UnknownAuthorityError:
		return errors.As(err, new(x509.UnknownAuthorityError))
	default:
		return errors.As(err, new(x509.CertificateInvalidError))
	}
}
