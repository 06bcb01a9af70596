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

	"github.com/coder/websocket"

	"github.com/chapril/ejabberd_exporter/internal/service"
	"github.com/chapril/ejabberd_exporter/probes"
)

const (
	boshOpened = "<body xmlns='http://jabber.org/protocol/httpbind' sid='s1' wait='5'/>"
	boshEnded  = "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate'/>"
	wsOpened   = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='1' version='1.0'/>"
	wsFeatures = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'/>"
)

// site is a website that does all as it should, except where a page is replaced.
type site map[string]http.HandlerFunc

func (s site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if page := s[r.URL.Path]; page != nil {
		page(w, r)
		return
	}
	places := map[string]string{"xbosh": "https://" + r.Host + "/bosh", "websocket": "wss://" + r.Host + "/ws"}
	switch r.URL.Path {
	case "/.well-known/host-meta":
		w.Header().Set("Access-Control-Allow-Origin", "*")
		text := "<?xml version='1.0'?><!-- made by hand --><XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>"
		for rel, href := range places {
			text += "<Link rel='urn:xmpp:alt-connections:" + rel + "' href='" + href + "'/>"
		}
		_, _ = io.WriteString(w, text+"</XRD>")
	case "/.well-known/host-meta.json":
		w.Header().Set("Access-Control-Allow-Origin", "*")
		_, _ = fmt.Fprintf(w, `{"links": [{"rel": "urn:xmpp:alt-connections:xbosh", "href": %q}, {"rel": "urn:xmpp:alt-connections:websocket", "href": %q}]}`,
			places["xbosh"], places["websocket"])
	case "/bosh":
		asked, _ := io.ReadAll(r.Body)
		switch {
		case strings.Contains(string(asked), "type='terminate'") && strings.Contains(string(asked), "sid='s1'"):
			_, _ = io.WriteString(w, boshEnded)
		case strings.Contains(string(asked), "to='example.org'"):
			_, _ = io.WriteString(w, boshOpened)
		default:
			w.WriteHeader(http.StatusBadRequest)
		}
	case "/ws":
		socket(wsOpened, wsFeatures)(w, r)
	case "/register/new":
		_, _ = io.WriteString(w, "<form><img src='/captcha/1/image'><input TYPE='password' name=p></form>")
	case "/captcha/1/image":
		_, _ = io.WriteString(w, "\x89PNG\r\n\x1a\n")
	default:
		http.NotFound(w, r)
	}
}

// socket is a WebSocket that says something as soon as it was spoken to.
func socket(frames ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"xmpp"}})
		if err != nil {
			return
		}
		defer func() { _ = conn.CloseNow() }()
		_, _, _ = conn.Read(r.Context())
		for _, frame := range frames {
			_ = conn.Write(r.Context(), websocket.MessageText, []byte(frame))
		}
		_, _, _ = conn.Read(r.Context())
		_ = conn.Close(websocket.StatusNormalClosure, "")
	}
}

// serve starts a website and gives the settings that lead there.
func (s site) serve(t *testing.T, ca authority, options service.CertOptions) []string {
	t.Helper()
	server := httptest.NewUnstartedServer(s)
	server.TLS = ca.config(t, options)
	server.StartTLS()
	t.Cleanup(server.Close)
	addr := netip.MustParseAddrPort(server.Listener.Addr().String())
	return []string{"hostname=127.0.0.1", fmt.Sprintf("url=https://%s:%d", domain, addr.Port()), "ca-file=" + ca.file}
}

func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		_, _ = io.WriteString(w, text)
	}
}

func fails(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
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
		pages    site
		settings []string
		state    probes.State
		reason   string
		text     string
		unknown  string // figures
	}{
		{"all is well", nil, []string{"register-web=captcha"}, probes.OK, "", "registration with a captcha", ""},
		{"no host-meta", site{meta: fails(404), json: fails(404)}, nil, probes.Warning, probes.Protocol, "get: host-meta is missing: the server answers 404", "hostmeta bosh ws"},
		{"no host-meta, required", site{meta: fails(404), json: fails(404)}, []string{"require-hostmeta=true"}, probes.Critical, probes.Protocol, "host-meta.json is missing", "hostmeta bosh ws"},
		{"no JSON", site{json: fails(404)}, nil, probes.Warning, probes.Protocol, "host-meta.json is missing", ""},
		{"no CORS", site{meta: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'/>")
		}}, nil, probes.Warning, probes.Protocol, "it lacks the header Access-Control-Allow-Origin", ""},
		{"two opinions", site{json: says(`{"links": []}`)}, nil, probes.Warning, probes.Protocol, "name different places", ""},
		{"host-meta is a web page", site{meta: says("<html><body>Hello</html>")}, nil, probes.Warning, probes.Protocol, "host-meta cannot be read", ""},
		{"WebSocket in clear", site{json: says(`{"links": [{"rel": "urn:xmpp:alt-connections:websocket", "href": "ws://example.org/ws"}]}`)}, nil, probes.Critical, probes.Protocol, "names a websocket that is not at https or wss", ""},
		{"a redirect at home", site{meta: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/other", http.StatusFound) }, "/other": says("<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'/>")}, nil, probes.Warning, probes.Protocol, "name different places", ""},
		{"a redirect elsewhere", site{meta: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://www.example.org/other", http.StatusMovedPermanently)
		}}, nil, probes.Warning, probes.Protocol, "answers 301, a redirect to another place, which is not followed", ""},
		{"redirects without end", site{meta: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, meta, http.StatusFound) }}, nil, probes.Warning, probes.Protocol, "answers 302", ""},
		{"an endless host-meta", site{meta: says(strings.Repeat("a", 300<<10))}, nil, probes.Critical, probes.Protocol, "get: the answer is larger than 256 KiB", "hostmeta bosh ws"},
		{"host-meta stalls", site{meta: stall}, []string{}, probes.Critical, probes.Timeout, "get: no answer in time", "hostmeta bosh ws"},
		{"BOSH 502", site{"/bosh": fails(502)}, nil, probes.Critical, probes.Protocol, "stream: BOSH: the server answers 502", "bosh"},
		{"BOSH stalls", site{"/bosh": stall}, nil, probes.Critical, probes.Timeout, "stream: no answer in time", "bosh"},
		{"BOSH for another domain", site{"/bosh": says("<body xmlns='http://jabber.org/protocol/httpbind' type='terminate' condition='host-unknown'/>")}, nil, probes.Critical, probes.StreamError, "the server ends the session: host-unknown", "bosh"},
		{"BOSH is a web page", site{"/bosh": says("<html>BOSH here</html>")}, nil, probes.Critical, probes.Protocol, "the answer is no body element", "bosh"},
		{"BOSH without a session", site{"/bosh": says("<body xmlns='http://jabber.org/protocol/httpbind'/>")}, nil, probes.Critical, probes.Protocol, "has no sid", "bosh"},
		{"BOSH that does not end", site{"/bosh": says(boshOpened)}, nil, probes.Warning, probes.Protocol, "cannot be ended", ""},
		{"BOSH with a bomb", site{"/bosh": says("<!DOCTYPE a [<!ENTITY b 'c'>]><body>&b;</body>")}, nil, probes.Critical, probes.Protocol, "no body element", "bosh"},
		{"no WebSocket", site{"/ws": says("It works!")}, nil, probes.Critical, probes.Protocol, "stream: WebSocket: the server answers 200", "ws"},
		{"WebSocket without subprotocol", site{"/ws": func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("Sec-WebSocket-Protocol")
			socket(wsOpened, wsFeatures)(w, r)
		}}, nil, probes.Critical, probes.Protocol, "does not answer with subprotocol xmpp", "ws"},
		{"WebSocket closes", site{"/ws": socket("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")}, nil, probes.Critical, probes.Closed, "the server closes the stream", "ws"},
		{"WebSocket with a stream error", site{"/ws": socket(wsOpened, "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>")}, nil, probes.Critical, probes.StreamError, "features: stream error host-unknown", "ws"},
		{"WebSocket with the old framing", site{"/ws": socket("<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>")}, nil, probes.Critical, probes.Protocol, "no element where <open> belongs", "ws"},
		{"WebSocket that floods", site{"/ws": socket(strings.Repeat(" ", 300<<10))}, nil, probes.Critical, probes.Protocol, "larger than 256 KiB", "ws"},
		{"registration is closed", nil, []string{"register-web=absent"}, probes.Critical, probes.Protocol, "the web offers registration", ""},
		{"registration is absent", site{"/register/new": fails(404)}, []string{"register-web=absent"}, probes.OK, "", "no registration on the web", ""},
		{"registration is gone", site{"/register/new": fails(404)}, []string{"register-web=captcha"}, probes.Critical, probes.Protocol, "no registration on the web: the server answers 404", ""},
		{"no captcha", site{"/register/new": says("<input type=password>")}, []string{"register-web=captcha"}, probes.Critical, probes.Protocol, "registration without a captcha", ""},
		{"a broken captcha", site{"/captcha/1/image": says("convert: not found")}, []string{"register-web=captcha"}, probes.Critical, probes.Protocol, "the captcha is no picture", ""},
		{"a captcha elsewhere", site{"/register/new": says("<input type=password><img src='http://example.org/captcha/1/image'>")}, []string{"register-web=captcha"}, probes.Critical, probes.Protocol, "not on the same host over https", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := probes.Web()
			r, err := runWithin(t, 3*time.Second, p, domain, append(c.pages.serve(t, ca, lasting(69)), c.settings...)...)
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
		r, err := run(t, p, site{}.serve(t, ca, c.options)...)
		days, ok := figure(t, p, r, "cert_days")
		if err != nil || r.Worst() != probes.Critical || !strings.Contains(texts(r), c.text) || !ok || days < c.days-0.1 || days > c.days+0.1 {
			t.Errorf("%s: %v, %v days\n%s", c.name, err, days, texts(r))
		}
	}
}
