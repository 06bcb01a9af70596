// SPDX-License-Identifier: Apache-2.0

package situations

import (
	"crypto/tls"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
	. "github.com/chapril/ejabberd_exporter/internal/xmpp/xmpptest"
)

// certificates are those that a server may show.
func certificates() []situation {
	shown := func(options service.CertOptions) func(*stage) {
		return func(s *stage) { s.serve(Server(s.domain, s.config(options))) }
	}
	direct := func(days int) func(*stage) {
		return func(s *stage) { s.serve(DirectTLS(s.domain, s.config(lasting(days)))) }
	}
	const bad = "handshake/certificate"
	return []situation{
		{"a good one", shown(lasting(60)), []verdict{
			{"c2s s2s cert", "", ok, "", "1 endpoint, worst certificate 60 days, TLS 1.3"},
		}},
		{"expired", shown(lasting(-3)), []verdict{
			{"c2s s2s cert register login", "", critical, bad, "handshake: certificate expired 3.0 days ago"},
		}},
		{"not yet valid", shown(service.CertOptions{NotBefore: time.Now().Add(time.Hour)}), []verdict{
			{"c2s s2s cert", "", critical, bad, "handshake: certificate is not valid before "},
		}},
		{"self-signed", shown(service.CertOptions{SelfSigned: true}), []verdict{
			{"c2s s2s cert", "", critical, bad, "handshake: certificate is self-signed"},
		}},
		{"for another name", shown(service.CertOptions{Names: []string{"other.example"}}), []verdict{
			{"c2s s2s cert", "", critical, bad, "handshake: certificate is for other.example, not for example.org"},
		}},
		{"for the host instead of the domain", shown(service.CertOptions{Names: []string{host}}), []verdict{
			{"c2s s2s cert", "", critical, bad, "handshake: certificate is for xmpp.example.org, not for example.org"},
		}},
		{"for names below the domain only", shown(service.CertOptions{Names: []string{"*." + domain}}), []verdict{
			{"c2s cert", "", critical, bad, "handshake: certificate is for *.example.org, not for example.org"},
		}},
		{"of an unknown authority", func(s *stage) {
			ca, err := service.NewCA()
			if err != nil {
				s.Fatal(err)
			}
			s.serve(Server(s.domain, s.issued(ca, lasting(60))))
		}, []verdict{
			{"c2s s2s cert", "", critical, bad, "handshake: certificate is of an unknown authority"},
		}},
		{"the chain of another certificate", func(s *stage) {
			ca, err := service.NewCA()
			if err != nil {
				s.Fatal(err)
			}
			config, other := s.issued(ca, lasting(60)), s.good()
			config.Certificates[0].Certificate[1] = other.Certificates[0].Certificate[1]
			s.serve(Server(s.domain, config))
		}, []verdict{
			{"c2s s2s cert", "", critical, bad, "handshake: certificate is of an unknown authority"},
		}},
		{"without its intermediate", func(s *stage) {
			ca, err := service.NewCA()
			if err != nil {
				s.Fatal(err)
			}
			config := s.issued(ca, lasting(60))
			config.Certificates[0].Certificate = config.Certificates[0].Certificate[:1]
			s.serve(Server(s.domain, config))
		}, []verdict{
			{"c2s s2s cert", "", critical, bad, "or the server leaves out its intermediate certificate"},
		}},
		{"5 of 90 days left", shown(lasting(5)), []verdict{
			{"c2s s2s cert", "", critical, "", "certificate: 5 days left, wanted 9:"},
			{"c2s", "--critical-days 3:", warning, "", "certificate: 5 days left, wanted 22.5:"},
		}},
		{"15 of 90 days left", shown(lasting(15)), []verdict{
			{"c2s s2s cert", "", warning, "", "certificate: 15 days left, wanted 22.5:"},
			{"cert", "-w 10: -c 5:", ok, "", "worst certificate 15 days"},
		}},
		{"a good one, on a port with direct TLS", direct(60), []verdict{
			{"c2s", "--direct-tls", ok, "", "1 endpoint, worst certificate 60 days, TLS 1.3"},
		}},
		{"expired, on a port with direct TLS", direct(-3), []verdict{
			{"c2s", "--direct-tls", critical, bad, "handshake: certificate expired 3.0 days ago"},
		}},
		{"5 of 90 days left, on a port with direct TLS", direct(5), []verdict{
			{"c2s", "--direct-tls", critical, "", "certificate: 5 days left, wanted 9:"},
		}},
		{"no certificate", func(s *stage) {
			s.serve(Server(s.domain, &tls.Config{MinVersion: tls.VersionTLS12}))
		}, []verdict{
			{"c2s s2s cert", "", critical, "handshake/tls_alert", "handshake: remote error: tls: "},
		}},
		{"TLS 1.2 where 1.3 is wanted", func(s *stage) {
			config := s.good()
			config.MaxVersion = tls.VersionTLS12
			s.serve(Server(s.domain, config))
		}, []verdict{
			{"c2s s2s cert", "", ok, "", "TLS 1.2"},
			{"c2s s2s cert", "--tls-min 1.3", critical, "handshake/tls_alert", "protocol version"},
		}},
	}
}
