// SPDX-License-Identifier: Apache-2.0

package sasl

import (
	"crypto/tls"
	"slices"

	"github.com/xdg-go/scram"

	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

// hashes are the mechanisms, the strongest first.
var hashes = []struct {
	mechanism string
	hash      scram.HashGeneratorFcn
}{
	{"SCRAM-SHA-512", scram.SHA512},
	{"SCRAM-SHA-256", scram.SHA256},
	{"SCRAM-SHA-1", scram.SHA1},
}

// choice is what a login uses.
type choice struct {
	dialect
	mechanism string
	hash      scram.HashGeneratorFcn
	binding   scram.ChannelBinding // for a mechanism with -PLUS
	plus      bool                 // the server offers -PLUS at all
}

// choose takes SASL2 where it is offered, as clients of today do.
func choose(f *xmpp.Features, state *tls.ConnectionState) (choice, bool) {
	binding := bind(f.ChannelBindings, state)
	for _, offer := range []struct {
		dialect    dialect
		mechanisms []string
	}{{sasl2, f.SASL2}, {sasl1, f.Mechanisms}} {
		if c, ok := chooseOf(offer.mechanisms, binding); ok {
			c.dialect = offer.dialect
			return c, true
		}
	}
	return choice{}, false
}

// chooseOf takes a mechanism that is bound to the TLS channel before any that is not.
func chooseOf(mechanisms []string, binding scram.ChannelBinding) (choice, bool) {
	plus := false
	for _, h := range hashes {
		if !slices.Contains(mechanisms, h.mechanism+"-PLUS") {
			continue
		}
		plus = true
		if binding.IsSupported() {
			return choice{mechanism: h.mechanism + "-PLUS", hash: h.hash, binding: binding, plus: true}, true
		}
	}
	for _, h := range hashes {
		if slices.Contains(mechanisms, h.mechanism) {
			return choice{mechanism: h.mechanism, hash: h.hash, plus: plus}, true
		}
	}
	return choice{}, false
}

// conversation tells the server whether it could have bound: where somebody on the way struck -PLUS out of its offer, it
// notices.
func (c choice) conversation(client *scram.Client) *scram.ClientConversation {
	switch {
	case c.binding.IsSupported():
		return client.NewConversationWithChannelBinding(c.binding)
	case c.plus:
		return client.NewConversation()
	}
	return client.NewConversationAdvertisingChannelBinding()
}

// bind finds the best channel binding that both sides know. A server that does not list its types (XEP-0440) is taken to know
// tls-unique alone, which TLS 1.3 does not have: ejabberd 23.01 offers -PLUS on TLS 1.3 all the same, and then refuses every
// binding.
func bind(offered []string, state *tls.ConnectionState) scram.ChannelBinding {
	if len(offered) == 0 {
		offered = []string{"tls-unique"}
	}
	for _, kind := range []string{"tls-exporter", "tls-unique", "tls-server-end-point"} {
		if !slices.Contains(offered, kind) || kind == "tls-exporter" && state.Version < tls.VersionTLS13 {
			continue // ejabberd lists tls-exporter for every TLS, but refuses it below 1.3
		}
		var binding scram.ChannelBinding
		var err error
		switch kind {
		case "tls-exporter":
			binding, err = scram.NewTLSExporterBinding(state)
		case "tls-unique":
			binding = scram.NewTLSUniqueBinding(state.TLSUnique) // empty in TLS 1.3
		case "tls-server-end-point":
			binding, err = scram.NewTLSServerEndpointBinding(state)
		}
		if err == nil && binding.IsSupported() {
			return binding
		}
	}
	return scram.ChannelBinding{}
}
