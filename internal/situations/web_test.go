// SPDX-License-Identifier: Apache-2.0

package situations

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/service"
	. "github.com/chapril/ejabberd_exporter/internal/web/webtest"
)

// websites is what BOSH, WebSocket and registration need of the web.
func websites() []situation {
	const meta, json = "/.well-known/host-meta", "/.well-known/host-meta.json"
	with := func(site Site) func(*stage) {
		return func(s *stage) { s.web(site, lasting(60)) }
	}
	stall := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or the server would not notice that we leave
		<-r.Context().Done()
	}
	endless := func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}
	web := func(flags, state, failure, says string) []verdict {
		return []verdict{{"web", flags, state, failure, says}}
	}
	return []situation{
		{"a good website", with(nil), web("--register-web captcha", ok, "", "4 endpoints, worst certificate 60 days")},
		{
			"the website's certificate has expired", func(s *stage) { s.web(nil, lasting(-3)) },
			web("", critical, "handshake/certificate", "handshake: certificate expired 3.0 days ago"),
		},
		{
			"the website's certificate is for another name", func(s *stage) { s.web(nil, service.CertOptions{Names: []string{"www.example.org"}}) },
			web("", critical, "handshake/certificate", "certificate is for www.example.org, not for example.org"),
		},
		{"no host-meta", with(Site{meta: Fails(404), json: Fails(404)}), []verdict{
			{"web", "", warning, "get/protocol resolve/protocol", "resolve: there is neither BOSH nor WebSocket: host-meta names none"},
			{"web", "--require-hostmeta", critical, "get/protocol resolve/protocol", "resolve: there is neither BOSH nor WebSocket: host-meta names none"},
		}},
		{"a host-meta that never comes", with(Site{meta: stall}), web("-t 1", critical, "get/timeout", "get: no answer in time")},
		{"a host-meta without end", with(Site{meta: endless}), web("", critical, "get/protocol", "get: the answer is larger than 256 KiB")},
		{
			"a host-meta that names ws instead of wss", with(Site{json: Says(`{"links": [{"rel": "urn:xmpp:alt-connections:websocket", "href": "ws://example.org/ws"}]}`)}),
			web("", critical, "get/protocol", "names a websocket that is not at https or wss"),
		},
		{"BOSH answers 502", with(Site{"/bosh": Fails(502)}), web("", critical, "stream/protocol", "stream: BOSH: the server answers 502")},
		{"BOSH never answers", with(Site{"/bosh": stall}), web("-t 2", critical, "stream/timeout", "stream: no answer in time")},
		{"BOSH without end", with(Site{"/bosh": endless}), web("", critical, "stream/protocol", "the answer is larger than 256 KiB")},
		{
			"BOSH does not know the domain", with(Site{"/bosh": Says("<body xmlns='http://jabber.org/protocol/httpbind' type='terminate' condition='host-unknown'/>")}),
			web("", critical, "stream/stream_error", "the server ends the session: host-unknown"),
		},
		{"WebSocket without subprotocol", with(Site{"/ws": func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("Sec-WebSocket-Protocol")
			Socket(SocketOpened, SocketFeatures)(w, r)
		}}), web("", critical, "stream/protocol", "does not answer with subprotocol xmpp")},
		{"a web page where WebSocket should be", with(Site{"/ws": Says("It works!")}), web("", critical, "stream/protocol", "stream: WebSocket: the server answers 200")},
		{"a frame of WebSocket that is too long", with(Site{"/ws": Socket(strings.Repeat(" ", 300<<10))}), web("", critical, "stream/protocol", "larger than 256 KiB")},
		{"registration on the web, unwanted", with(nil), web("--register-web absent", critical, "get/protocol", "the web offers registration")},
		{
			"registration on the web with a broken captcha", with(Site{"/captcha/1/image": Says("convert: not found")}),
			web("--register-web captcha", critical, "get/protocol", "the captcha is no picture"),
		},
	}
}

// web starts a website under the domain, with such a certificate.
func (s *stage) web(site Site, options service.CertOptions) {
	s.addr = netip.MustParseAddrPort(s.https(site, options).Listener.Addr().String())
}

// https starts a web server with such a certificate.
func (s *stage) https(handler http.Handler, options service.CertOptions) *httptest.Server {
	s.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.TLS = s.config(options)
	server.Config.ErrorLog = silent // clients that leave early
	server.StartTLS()
	s.Cleanup(server.Close)
	return server
}
