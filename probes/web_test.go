// SPDX-License-Identifier: Apache-2.0

package probes_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
	. "github.com/chapril/ejabberd_exporter/internal/web/webtest"
	"github.com/chapril/ejabberd_exporter/probes"
)

// serveSite starts a website and gives the settings that lead there.
func serveSite(t *testing.T, site http.Handler, ca authority, options service.CertOptions) []string {
	t.Helper()
	server := httptest.NewUnstartedServer(site)
	server.TLS = ca.config(t, options)
	server.StartTLS()
	t.Cleanup(server.Close)
	addr := netip.MustParseAddrPort(server.Listener.Addr().String())
	return []string{"hostname=127.0.0.1", fmt.Sprintf("url=https://%s:%d", domain, addr.Port()), "ca-file=" + ca.file}
}

// TestWebsites: what can be wrong with a website.
func TestWebsites(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	const meta, json = "/.well-known/host-meta", "/.well-known/host-meta.json"
	stall := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or the server would not notice that we leave
		<-r.Context().Done()
	}
	for _, c := range []struct {
		name     string
		pages    Site
		settings []string
		state    probes.State
		reason   string
		text     string
		unknown  string // figures
	}{
		{"all is well", nil, []string{"register-web=captcha"}, probes.OK, "", "registration with a captcha", ""},
		{"no host-meta", Site{meta: Fails(404), json: Fails(404)}, nil, probes.Warning, probes.Protocol, "get: host-meta is missing: the server answers 404", "hostmeta bosh ws"},
		{"no host-meta, required", Site{meta: Fails(404), json: Fails(404)}, []string{"require-hostmeta=true"}, probes.Critical, probes.Protocol, "host-meta.json is missing", "hostmeta bosh ws"},
		{"no JSON", Site{json: Fails(404)}, nil, probes.Warning, probes.Protocol, "host-meta.json is missing", ""},
		{"no CORS", Site{meta: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'/>")
		}}, nil, probes.Warning, probes.Protocol, "it lacks the header Access-Control-Allow-Origin", ""},
		{"two opinions", Site{json: Says(`{"links": []}`)}, nil, probes.Warning, probes.Protocol, "name different places", ""},
		{"host-meta is a web page", Site{meta: Says("<html><body>Hello</html>")}, nil, probes.Warning, probes.Protocol, "host-meta cannot be read", ""},
		{"WebSocket in clear", Site{json: Says(`{"links": [{"rel": "urn:xmpp:alt-connections:websocket", "href": "ws://example.org/ws"}]}`)}, nil, probes.Critical, probes.Protocol, "names a websocket that is not at https or wss", ""},
		{"a redirect at home", Site{meta: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/other", http.StatusFound) }, "/other": Says("<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'/>")}, nil, probes.Warning, probes.Protocol, "name different places", ""},
		{"a redirect elsewhere", Site{meta: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://www.example.org/other", http.StatusMovedPermanently)
		}}, nil, probes.Warning, probes.Protocol, "answers 301, a redirect to another place, which is not followed", ""},
		{"redirects without end", Site{meta: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, meta, http.StatusFound) }}, nil, probes.Warning, probes.Protocol, "answers 302", ""},
		{"an endless host-meta", Site{meta: Says(strings.Repeat("a", 300<<10))}, nil, probes.Critical, probes.Protocol, "get: the answer is larger than 256 KiB", "hostmeta bosh ws"},
		{"host-meta stalls", Site{meta: stall}, []string{}, probes.Critical, probes.Timeout, "get: no answer in time", "hostmeta bosh ws"},
		{"BOSH 502", Site{"/bosh": Fails(502)}, nil, probes.Critical, probes.Protocol, "stream: BOSH: the server answers 502", "bosh"},
		{"BOSH stalls", Site{"/bosh": stall}, nil, probes.Critical, probes.Timeout, "stream: no answer in time", "bosh"},
		{"BOSH for another domain", Site{"/bosh": Says("<body xmlns='http://jabber.org/protocol/httpbind' type='terminate' condition='host-unknown'/>")}, nil, probes.Critical, probes.StreamError, "the server ends the session: host-unknown", "bosh"},
		{"BOSH is a web page", Site{"/bosh": Says("<html>BOSH here</html>")}, nil, probes.Critical, probes.Protocol, "the answer is no body element", "bosh"},
		{"BOSH without a session", Site{"/bosh": Says("<body xmlns='http://jabber.org/protocol/httpbind'/>")}, nil, probes.Critical, probes.Protocol, "has no sid", "bosh"},
		{"BOSH that does not end", Site{"/bosh": Says(BOSHOpened)}, nil, probes.Warning, probes.Protocol, "cannot be ended", ""},
		{"BOSH with a bomb", Site{"/bosh": Says("<!DOCTYPE a [<!ENTITY b 'c'>]><body>&b;</body>")}, nil, probes.Critical, probes.Protocol, "no body element", "bosh"},
		{"no WebSocket", Site{"/ws": Says("It works!")}, nil, probes.Critical, probes.Protocol, "stream: WebSocket: the server answers 200", "ws"},
		{"WebSocket without subprotocol", Site{"/ws": func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("Sec-WebSocket-Protocol")
			Socket(SocketOpened, SocketFeatures)(w, r)
		}}, nil, probes.Critical, probes.Protocol, "does not answer with subprotocol xmpp", "ws"},
		{"WebSocket closes", Site{"/ws": Socket("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")}, nil, probes.Critical, probes.Closed, "the server closes the stream", "ws"},
		{"WebSocket with a stream error", Site{"/ws": Socket(SocketOpened, "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>")}, nil, probes.Critical, probes.StreamError, "features: stream error host-unknown", "ws"},
		{"WebSocket with the old framing", Site{"/ws": Socket("<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>")}, nil, probes.Critical, probes.Protocol, "no element where <open> belongs", "ws"},
		{"WebSocket that floods", Site{"/ws": Socket(strings.Repeat(" ", 300<<10))}, nil, probes.Critical, probes.Protocol, "larger than 256 KiB", "ws"},
		{"registration is closed", nil, []string{"register-web=absent"}, probes.Critical, probes.Protocol, "the web offers registration", ""},
		{"registration is absent", Site{"/register/new": Fails(404)}, []string{"register-web=absent"}, probes.OK, "", "no registration on the web", ""},
		{"registration is gone", Site{"/register/new": Fails(404)}, []string{"register-web=captcha"}, probes.Critical, probes.Protocol, "no registration on the web: the server answers 404", ""},
		{"no captcha", Site{"/register/new": Says("<input type=password>")}, []string{"register-web=captcha"}, probes.Critical, probes.Protocol, "registration without a captcha", ""},
		{"a broken captcha", Site{"/captcha/1/image": Says("convert: not found")}, []string{"register-web=captcha"}, probes.Critical, probes.Protocol, "the captcha is no picture", ""},
		{"a captcha elsewhere", Site{"/register/new": Says("<input type=password><img src='http://example.org/captcha/1/image'>")}, []string{"register-web=captcha"}, probes.Critical, probes.Protocol, "not on the same host over https", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := probes.Web()
			r, err := runWithin(t, 3*time.Second, p, domain, append(serveSite(t, c.pages, ca, lasting(69)), c.settings...)...)
			if err != nil || r.Worst() != c.state || !strings.Contains(texts(r), c.text) {
				t.Errorf("%v, %s\n%s", err, r.Summary, texts(r))
			}
			if c.reason != "" && !strings.Contains(r.Set.Text(), `reason="`+c.reason+`"`) {
				t.Errorf("no reason %s:\n%s", c.reason, r.Set.Text())
			}
			for _, label := range []string{"hostmeta", "bosh", "ws"} {
				if v, ok := figure(t, p, r, label); ok == strings.Contains(c.unknown, label) && (c.unknown != "" || c.state == probes.OK) {
					t.Errorf("figure %s is %v, %v:\n%s", label, v, ok, texts(r))
				}
			}
		})
	}
}

// TestNoWebsite: that a domain has no website is no reason to forgive what was asked for.
func TestNoWebsite(t *testing.T) {
	t.Parallel()
	resolver := "resolver=" + zone(t).Addr()
	for _, c := range []struct {
		setting string
		state   probes.State
	}{
		{"require-hostmeta=false", probes.Warning},
		{"register-web=absent", probes.Warning},
		{"require-hostmeta=true", probes.Critical},
		{"register-web=captcha", probes.Critical},
		{"bosh=https://" + domain + "/bosh", probes.Critical},
		{"websocket=wss://" + domain + "/ws", probes.Critical},
	} {
		r, err := run(t, probes.Web(), resolver, c.setting)
		if err != nil || r.Worst() != c.state || !strings.Contains(texts(r), domain+": resolve: no address") {
			t.Errorf("%s: %v\n%s", c.setting, err, texts(r))
		}
	}
}

// TestCertificateOfWebsite: it is judged for itself, and its expiry told in any case.
func TestCertificateOfWebsite(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	foreign := lasting(30)
	foreign.Names = []string{"www.example.org"}
	for _, c := range []struct {
		name    string
		options service.CertOptions
		days    float64
		text    string
	}{
		{"expired", lasting(-3), -3, "handshake: certificate expired 3.0 days ago"},
		{"of another host", foreign, 30, "certificate is for www.example.org, not for example.org"},
	} {
		p := probes.Web()
		r, err := run(t, p, serveSite(t, Site{}, ca, c.options)...)
		days, ok := figure(t, p, r, "cert_days")
		if err != nil || r.Worst() != probes.Critical || !strings.Contains(texts(r), c.text) || !ok || days < c.days-0.1 || days > c.days+0.1 {
			t.Errorf("%s: %v, %v days\n%s", c.name, err, days, texts(r))
		}
	}
}
