// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"golang.org/x/net/idna"
)

// peerDomain is the federation peer's.
const peerDomain = "peer.test"

// WriteCertificate issues a certificate and writes it, with chain and key, where ejabberd can read it. ejabberd serves it
// from its next Reload on.
func (s *Service) WriteCertificate(path string, options CertOptions) error {
	certificate, err := s.CA.Issue(options)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, certificate.PEM, 0o600); err != nil {
		return fmt.Errorf("write a certificate: %w", err)
	}
	return giveTo(path, ejabberdAccount)
}

// HTTPClient trusts the CA and asks the resolver of the service.
func (s *Service) HTTPClient() *http.Client {
	var dialer net.Dialer
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, s.Resolver.Addr())
	}}
	return &http.Client{Transport: &http.Transport{
		DialContext:     (&net.Dialer{Resolver: resolver}).DialContext,
		TLSClientConfig: &tls.Config{RootCAs: s.CA.Pool(), MinVersion: tls.VersionTLS12},
	}}
}

// asciiName is a domain as certificates and the DNS have it: vhosts may be in Unicode.
func asciiName(domain string) string {
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		panic(err) // the domains of tests are good ones
	}
	return ascii
}

// publish sets the DNS records of the vhosts and their components.
func (s *Service) publish(ports Ports) {
	for _, domain := range s.Domains {
		domain = asciiName(domain)
		for _, host := range []string{"", "xmpp.", "www.", "upload.", "conference.", "pubsub.", "echo."} {
			s.Resolver.SetHost(host+domain, Loopback()...)
		}
		s.Resolver.SetSRV("_xmpp-client._tcp."+domain, "xmpp."+domain, ports.C2S)
		s.Resolver.SetSRV("_xmpps-client._tcp."+domain, "xmpp."+domain, ports.C2STLS)
		for _, host := range []string{"", "upload.", "conference.", "pubsub.", "echo."} {
			s.Resolver.SetSRV("_xmpp-server._tcp."+host+domain, "xmpp."+domain, ports.S2S)
		}
	}
}

func (s *Service) startComponent(ctx context.Context, _ Options) (err error) {
	config := s.Ejabberd.Config
	address := "127.0.0.1:" + strconv.Itoa(config.Ports.Component)
	if s.Component, err = StartComponent(ctx, address, config.ComponentHost, componentPassword); err != nil {
		return err
	}
	s.onStop(s.Component.Stop)
	return nil
}

// startProsody starts the peer and lets it and every vhost speak to each other once: s2s connections stay open after that.
func (s *Service) startProsody(ctx context.Context, _ Options) error {
	certificate, err := s.CA.Issue(CertOptions{Names: []string{peerDomain, "pubsub." + peerDomain}})
	if err != nil {
		return err
	}
	s.Prosody, err = StartProsody(ctx, filepath.Join(s.Dir, "prosody"), peerDomain, certificate, s.CAFile, s.Resolver.Port)
	if err != nil {
		return err
	}
	s.onStop(s.Prosody.Stop)
	s.Resolver.SetHost(peerDomain, Loopback()...)
	s.Resolver.SetSRV("_xmpp-client._tcp."+peerDomain, peerDomain, s.Prosody.C2S)
	s.Resolver.SetSRV("_xmpps-client._tcp."+peerDomain, peerDomain, s.Prosody.C2STLS)
	// ejabberd asks inetrc's name server for SRV records only, and the C library for addresses. That one knows localhost.
	s.Resolver.SetHost("localhost", Loopback()...)
	for _, host := range []string{"", "pubsub."} {
		s.Resolver.SetSRV("_xmpp-server._tcp."+host+peerDomain, "localhost", s.Prosody.S2S)
	}
	client, err := Connect(ctx, Login{
		Account:  s.Prosody.Account,
		Resource: "peer-" + Canary,
		Address:  "127.0.0.1:" + strconv.Itoa(s.Prosody.C2S),
	}, s.CA.Pool())
	if err != nil {
		return err
	}
	s.onStop(client.Close)
	// A ping opens a connection for each direction: the answer takes another one than the question.
	pings := make([]error, len(s.Domains))
	var running sync.WaitGroup
	for i, domain := range s.Domains {
		running.Go(func() { pings[i] = client.Ping(ctx, domain) })
	}
	running.Wait()
	if err := errors.Join(pings...); err != nil {
		return fmt.Errorf("ping the vhosts from the peer: %w", err)
	}
	return nil
}

// StartPrometheus starts Prometheus with the configuration that is given, until Stop.
func (s *Service) StartPrometheus(ctx context.Context, config string) (*Monitor, error) {
	path := filepath.Join(s.Dir, "prometheus.yml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		return nil, fmt.Errorf("write Prometheus's configuration: %w", err)
	}
	p, err := StartPrometheus(ctx, filepath.Join(s.Dir, "prometheus"), path)
	if err != nil {
		return nil, err
	}
	s.onStop(p.Stop)
	return p, nil
}
