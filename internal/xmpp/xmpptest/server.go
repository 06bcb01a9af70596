// SPDX-License-Identifier: Apache-2.0

package xmpptest

import (
	"crypto/tls"
	"strings"
)

// What healthy servers offer.
const (
	StartTLSRequired = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
	StartTLSOptional = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
	Dialback         = "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>"
	Proceed          = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
)

// Mechanisms is the offer of SASL mechanisms.
func Mechanisms(names ...string) string {
	return "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>" +
		strings.Join(names, "</mechanism><mechanism>") + "</mechanism></mechanisms>"
}

// Header is a server's opening tag, written as ejabberd writes it; namespace is "jabber:client" or "jabber:server".
func Header(namespace, domain string) string {
	db := ""
	if namespace == "jabber:server" {
		db = " xmlns:db='jabber:server:dialback'"
	}
	return "<?xml version='1.0'?><stream:stream id='9015376048307457639' version='1.0' xml:lang='en'" + db +
		" xmlns:stream='http://etherx.jabber.org/streams' from='" + domain + "' xmlns='" + namespace + "'>"
}

// Features are what a server says it can do.
func Features(offers ...string) string {
	return "<stream:features>" + strings.Join(offers, "") + "</stream:features>"
}

// StreamError ends a stream.
func StreamError(condition, text string) string {
	if text != "" {
		text = "<text xml:lang='en' xmlns='urn:ietf:params:xml:ns:xmpp-streams'>" + text + "</text>"
	}
	return "<stream:error><" + condition + " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>" + text + "</stream:error></stream:stream>"
}

// Open answers a client's opening tag with text.
func Open(text ...string) Script {
	return Script{Expect("<stream:stream"), Expect(">"), Send(strings.Join(text, ""))}
}

// Upgrade agrees to STARTTLS.
func Upgrade(config *tls.Config) Script {
	return Script{Expect("<starttls"), Expect(">"), Send(Proceed), Handshake(config)}
}

// Goodbye waits for the end of the stream and ends it too.
func Goodbye() Script { return Script{Expect("</stream:stream>"), Send("</stream:stream>")} }

// With is a server's TLS configuration with one certificate.
func With(cert tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
}

// ClientServer is a healthy server for clients on a STARTTLS port.
func ClientServer(domain string, config *tls.Config) Script {
	return Join(
		Open(Header("jabber:client", domain), Features(StartTLSRequired)),
		Upgrade(config),
		ClientFeatures(domain),
	)
}

// ClientFeatures is the rest of a healthy session once the connection is encrypted.
func ClientFeatures(domain string) Script {
	return Join(Open(Header("jabber:client", domain), Features(Mechanisms("SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"))), Goodbye())
}

// DirectTLS is a healthy server for clients on a direct TLS port.
func DirectTLS(domain string, config *tls.Config) Script {
	return Join(Script{Handshake(config)}, ClientFeatures(domain))
}

// PeerServer is a healthy server for other servers.
func PeerServer(domain string, config *tls.Config) Script {
	return Join(
		Open(Header("jabber:server", domain), Features(StartTLSRequired)),
		Upgrade(config),
		Open(Header("jabber:server", domain), Features(Dialback)),
		Goodbye(),
	)
}

// Answering answers an opening tag in the namespace that it asks for, and says what follows.
func Answering(domain string, text ...string) Script {
	return Script{Expect("<stream:stream"), answering(domain), Send(strings.Join(text, ""))}
}

// Offer is what a healthy server says after TLS: mechanisms to clients, dialback to servers.
func Offer(domain string) Script {
	return Script{Expect("<stream:stream"), answering(domain), offer}
}

// Server is healthy for clients and for other servers alike.
func Server(domain string, config *tls.Config) Script {
	return Join(Answering(domain, Features(StartTLSRequired)), Upgrade(config), Offer(domain), Goodbye())
}

// answering reads the rest of an opening tag and sends its own.
func answering(domain string) Step {
	return func(c *session) error {
		tag, err := c.until(">")
		if err != nil {
			return err
		}
		c.namespace = "jabber:client"
		if strings.Contains(tag, "jabber:server'") {
			c.namespace = "jabber:server"
		}
		return Send(Header(c.namespace, domain))(c)
	}
}

func offer(c *session) error {
	if c.namespace == "jabber:server" {
		return Send(Features(Dialback))(c)
	}
	return Send(Features(Mechanisms("SCRAM-SHA-256", "SCRAM-SHA-1")))(c)
}
