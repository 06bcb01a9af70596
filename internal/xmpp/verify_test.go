// SPDX-License-Identifier: Apache-2.0

package xmpp_test

import (
	"crypto/tls"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
	"github.com/chapril/ejabberd_exporter/internal/xmpp"
	. "github.com/chapril/ejabberd_exporter/internal/xmpp/xmpptest"
)

// Time, name and chain are judged each for itself, and the certificate is known where the handshake failed for it.
func TestCertificates(t *testing.T) {
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		options                 service.CertOptions
		badTime, badName, badCA string // nothing: good
	}{
		"good":          {options: service.CertOptions{Names: []string{domain}}},
		"wildcard":      {options: service.CertOptions{Names: []string{"*.org"}}},
		"wrong name":    {options: service.CertOptions{Names: []string{"example.net", "*.example.org"}}, badName: "certificate is for example.net, *.example.org, not for example.org"},
		"expired":       {options: service.CertOptions{Names: []string{domain}, NotBefore: time.Now().Add(-90 * day), NotAfter: time.Now().Add(-36 * time.Hour)}, badTime: "certificate expired 1.5 days ago"},
		"not yet valid": {options: service.CertOptions{Names: []string{domain}, NotBefore: time.Now().Add(day)}, badTime: "certificate is not valid before "},
		"self-signed":   {options: service.CertOptions{Names: []string{domain}, SelfSigned: true}, badCA: "certificate is self-signed"},
		"all at once": {
			options: service.CertOptions{Names: []string{"example.net"}, SelfSigned: true, NotBefore: time.Now().Add(-3 * day), NotAfter: time.Now().Add(-day)},
			badTime: "certificate expired 1.0 days ago", badName: "certificate is for example.net, not for example.org", badCA: "certificate is self-signed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			ca, config := authority(t, c.options)
			s := dial(t, Script{Handshake(config)})
			err := s.Handshake(soon(t), &tls.Config{ServerName: domain, RootCAs: ca.Pool(), MinVersion: tls.VersionTLS12})
			seen := s.TLS()
			if seen == nil || seen.Version != tls.VersionTLS13 || !seen.Leaf().Equal(config.Certificates[0].Leaf) {
				t.Fatalf("seen %+v, %v", seen, err)
			}
			good := c.badTime+c.badName+c.badCA == ""
			if _, bad := errors.AsType[*xmpp.CertificateError](err); bad == good || good && err != nil {
				t.Errorf("got %v", err)
			}
			for _, verdict := range []struct {
				want string
				got  error
			}{{c.badTime, seen.BadTime}, {c.badName, seen.BadName}, {c.badCA, seen.BadChain}} {
				switch {
				case verdict.want == "" && verdict.got != nil,
					verdict.want != "" && (verdict.got == nil || !strings.HasPrefix(verdict.got.Error(), verdict.want)):
					t.Errorf("got %v, want %q", verdict.got, verdict.want)
				case verdict.got != nil && !strings.Contains(err.Error(), verdict.want):
					t.Errorf("%v does not say %q", err, verdict.want)
				}
			}
		})
	}
}
