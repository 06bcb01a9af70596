// SPDX-License-Identifier: Apache-2.0

package sasl

import "github.com/chapril/ejabberd_exporter/internal/xmpp"

// dialect is how a login is written: SASL as XMPP began with it (RFC 6120), or SASL2 (XEP-0388), after which the stream goes on where it
// is.
type dialect struct {
	name      string // in front of the mechanism's
	namespace string
	reopens   bool // the stream begins anew when the login is done
	begin     func(mechanism, message string) string
	said      func(e *xmpp.Element) string // what the server's side of the mechanism says in an element
}

var sasl1 = dialect{
	namespace: "urn:ietf:params:xml:ns:xmpp-sasl", reopens: true,
	begin: func(mechanism, message string) string {
		return "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='" + mechanism + "'>" + message + "</auth>"
	},
	said: func(e *xmpp.Element) string { return e.Text },
}

var sasl2 = dialect{
	name: "SASL2 ", namespace: "urn:xmpp:sasl:2",
	begin: func(mechanism, message string) string {
		return "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='" + mechanism + "'><initial-response>" + message + "</initial-response></authenticate>"
	},
	said: func(e *xmpp.Element) string {
		if e.Name.Local != "success" {
			return e.Text
		}
		if data := e.Child("urn:xmpp:sasl:2", "additional-data"); data != nil {
			return data.Text
		}
		return ""
	},
}
