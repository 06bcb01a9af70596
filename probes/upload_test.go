// SPDX-License-Identifier: Apache-2.0

package probes_test

import (
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/service"
	. "github.com/chapril/ejabberd_exporter/internal/web/webtest"
	"github.com/chapril/ejabberd_exporter/internal/xmpp/sasl"
	. "github.com/chapril/ejabberd_exporter/internal/xmpp/xmpptest"
	"github.com/chapril/ejabberd_exporter/probes"
)

// newStore starts a store under the name host, with a certificate of that authority.
func newStore(t *testing.T, ca authority, options service.CertOptions) (s *Store, url string) {
	t.Helper()
	options.Names = []string{host}
	s = &Store{}
	web := httptest.NewUnstartedServer(s)
	web.TLS = ca.config(t, options)
	web.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug) // clients that leave early
	web.StartTLS()
	t.Cleanup(web.Close)
	_, port, _ := strings.Cut(web.Listener.Addr().String(), ":")
	return s, "https://" + host + ":" + port + "/"
}

// granting is a session that grants a slot on these URLs.
func granting(put, get string, then ...Script) Script {
	return welcome(append([]Script{Answer(2, UploadItems), Answer(3, NoUpload), Answer(4, IsUpload), Answer(5, Slot(put, get))}, then...)...)
}

// TestUploadSituations: what keeps files from being stored or fetched.
func TestUploadSituations(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	names := zone(t, "127.0.0.1")
	_, url := newStore(t, ca, service.CertOptions{})
	_, expired := newStore(t, ca, lasting(-1))
	const tooLarge = "<iq type='error' id='q6'><error><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
	refusesMore := Join(Script{Expect("id='q6'"), Expect("size='5001'"), Expect("</iq>"), Send(tooLarge)}, Goodbye())
	at := func(path string, then ...Script) Script { return granting(url+path, url+path, then...) }
	for name, c := range map[string]struct {
		after   Script
		failure string
		says    string
		max     string
	}{
		"good":       {at("good", refusesMore), "", `^1024 bytes uploaded in \d+ ms and fetched in \d+ ms, 1 endpoint`, "5000"},
		"no service": {welcome(Answer(2, ""), Answer(3, NoUpload), Goodbye()), "slot/protocol", `^slot: neither the domain nor what it lists is an upload service$`, "U"},
		"another item silent": {
			welcome(
				Answer(2, "<query xmlns='http://jabber.org/protocol/disco#items'><item jid='silent.example.org'/><item jid='upload.example.org'/></query>"),
				Answer(3, NoUpload), Answer(5, IsUpload), Answer(6, Slot(url+"silent", url+"silent")),
				Script{Expect("id='q7'"), Expect("</iq>"), Send(strings.Replace(tooLarge, "q6", "q7", 1))}, Goodbye(),
			), "", `^1024 bytes uploaded in \d+ ms`, "5000",
		},
		"no discovery": {welcome(Refuse(2, "service-unavailable"), Goodbye()), "slot/refused", `^slot: the server answered service-unavailable$`, "U"},
		"slot refused": {
			welcome(Answer(2, UploadItems), Answer(3, NoUpload), Answer(4, IsUpload), Refuse(5, "resource-constraint"), Goodbye()),
			"slot/refused", `^slot: the server answered resource-constraint$`, "5000",
		},
		"slot stalls": {
			welcome(Answer(2, UploadItems), Answer(3, NoUpload), Answer(4, IsUpload), Script{BlackHole()}), "slot/timeout", `^slot: no answer in time$`, "5000",
		},
		"slot in clear": {granting("http://"+host+"/a", url+"a", Goodbye()), "slot/protocol", `^slot: the slot is not on https$`, "5000"},
		"empty slot":    {welcome(Answer(2, UploadItems), Answer(3, NoUpload), Answer(4, IsUpload), Answer(5, ""), Goodbye()), "slot/protocol", `^slot: the slot lacks a place`, "5000"},
		"PUT 413":       {at("413", Goodbye()), "put/refused", `^CRITICAL xmpp.example.org:\d+ ip4: put: the server answers 413$`, "5000"},
		"PUT redirected": {
			at("put-moved", Goodbye()), "put/protocol", `put: the server answers 307, a redirect to another place, which is not followed$`, "5000",
		},
		"GET different bytes": {at("different", Goodbye()), "get/protocol", `get: the 1024 bytes that come back are not those that were uploaded$`, "5000"},
		"GET more bytes":      {at("longer", Goodbye()), "get/protocol", `get: the 1025 bytes that come back are not those`, "5000"},
		"GET 404":             {at("gone", Goodbye()), "get/refused", `get: the server answers 404$`, "5000"},
		"GET redirected":      {at("get-moved", Goodbye()), "get/protocol", `get: the server answers 302, a redirect to another place`, "5000"},
		"GET endless":         {at("endless", Goodbye()), "get/protocol", `get: the answer is larger than 256 KiB$`, "5000"},
		"no such host":        {granting("https://nosuch.example.org/a", url+"a", Goodbye()), "resolve/dns", `^CRITICAL nosuch.example.org: resolve: no address$`, "5000"},
		"nobody listens":      {granting("https://"+host+":1/a", url+"a", Goodbye()), "connect/refused", `^CRITICAL xmpp.example.org:1 ip4: connect: connection refused$`, "5000"},
		"expired certificate": {granting(expired+"a", expired+"a", Goodbye()), "handshake/certificate", `handshake: certificate expired 1\.0 days ago`, "5000"},
		"too large is granted": {
			at("large", Answer(6, "<slot xmlns='urn:xmpp:http:upload:0'><put url='"+url+"b'/><get url='"+url+"b'/></slot>"), Goodbye()),
			"slot/protocol", `^CRITICAL upload.example.org: slot: a file of more than the 5000 bytes that it takes is not refused$`, "5000",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := situation{probes.Upload(sasl.Authenticate), c.after, nil, probes.Critical, c.failure, c.says, map[string]string{"max_file_size": c.max}}
			if c.failure == "" {
				s.state = probes.OK
			}
			s.try(t, ca, "SCRAM-SHA-256", "resolver="+names.Addr())
		})
	}
}

// TestUploadAddresses: the file is put once, and fetched at every address; a dead one is told.
func TestUploadAddresses(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	s, url := newStore(t, ca, service.CertOptions{}) // on 127.0.0.1 alone
	situation{
		probe: probes.Upload(sasl.Authenticate), after: granting(url+"a", url+"a", Goodbye()), state: probes.Critical, failure: "connect/refused",
		says: `^CRITICAL xmpp.example.org:\d+ ip4 address 2 of 2: connect: connection refused$`,
	}.try(t, ca, "SCRAM-SHA-256", "resolver="+zone(t, "127.0.0.1", "127.0.0.2").Addr())
	if s.Puts() != 1 {
		t.Errorf("%d files put", s.Puts())
	}
}
