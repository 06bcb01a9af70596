// SPDX-License-Identifier: Apache-2.0

// Package webtest is the websites of the tests: one that does all that an XMPP client needs of the web, and a store for uploads,
// each as broken as a test wants it.
package webtest

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/coder/websocket"
)

// What a healthy website answers.
const (
	BOSHOpened     = "<body xmlns='http://jabber.org/protocol/httpbind' sid='s1' wait='5'/>"
	BOSHEnded      = "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate'/>"
	SocketOpened   = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='example.org' id='1' version='1.0'/>"
	SocketFeatures = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'/>"
)

// Site is a website that does all as it should, except where a page is replaced.
type Site map[string]http.HandlerFunc

func (s Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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
			_, _ = io.WriteString(w, BOSHEnded)
		case strings.Contains(string(asked), "to='example.org'"):
			_, _ = io.WriteString(w, BOSHOpened)
		default:
			w.WriteHeader(http.StatusBadRequest)
		}
	case "/ws":
		Socket(SocketOpened, SocketFeatures)(w, r)
	case "/register/new":
		_, _ = io.WriteString(w, "<form><img src='/captcha/1/image'><input TYPE='password' name=p></form>")
	case "/captcha/1/image":
		_, _ = io.WriteString(w, "\x89PNG\r\n\x1a\n")
	default:
		http.NotFound(w, r)
	}
}

// Socket is a WebSocket that says something as soon as it was spoken to.
func Socket(frames ...string) http.HandlerFunc {
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

// Says is a page with this text.
func Says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		_, _ = io.WriteString(w, text)
	}
}

// Fails is a page that answers with this status.
func Fails(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}
