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
		want    any // for errors.As; nil: good
	}{
		"good":       {CertOptions{Names: []string{"chapril.test"}}, nil},
		"wildcard":   {CertOptions{Names: []string{"*.test"}}, nil},
		"wrong name": {CertOptions{Names: []string{"elsewhere.test"}}, new(x509.HostnameError)},
		"self-signed": {
			CertOptions{Names: []string{"chapril.test"}, SelfSigned: true}, new(x509.UnknownAuthorityError),
		},
		"expired": {
			CertOptions{Names: []string{"chapril.test"}, NotBefore: now.AddDate(0, -3, 0), NotAfter: now.Add(-time.Hour)},
			new(x509.CertificateInvalidError),
		},
		"not yet valid": {CertOptions{Names: []string{"chapril.test"}, NotBefore: now.Add(time.Hour)}, new(x509.CertificateInvalidError)},
	} {
		t.Run(name, func(t *testing.T) {
			certificate, err := ca.Issue(tt.options)
			if err != nil {
				t.Fatal(err)
			}
			_, err = certificate.TLS.Leaf.Verify(x509.VerifyOptions{Roots: ca.Pool(), DNSName: "chapril.test"})
			if tt.want == nil && err != nil {
				t.Errorf("verifying says %v", err)
			}
			if tt.want != nil && !errors.As(err, tt.want) {
				t.Errorf("verifying says %v, want an error of type %T", err, tt.want)
			}
		})
	}
}
