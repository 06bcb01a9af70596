// SPDX-License-Identifier: Apache-2.0

package probes_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
	. "github.com/chapril/ejabberd_exporter/internal/web/webtest"
	"github.com/chapril/ejabberd_exporter/internal/xmpp/sasl"
	"github.com/chapril/ejabberd_exporter/probes"
)

// openDoor listens on a loopback port and says nothing.
func openDoor(t *testing.T) int {
	t.Helper()
	door, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { door.Close() })
	return door.Addr().(*net.TCPAddr).Port
}

func closedDoor(t *testing.T) int {
	t.Helper()
	ports, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	return ports[0]
}

// front is a website that shows the same page for every path that it does not know.
func front(page http.HandlerFunc, known Site) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if found := known[r.URL.Path]; found != nil {
			found(w, r)
			return
		}
		page(w, r)
	})
}

// TestExposedSiteNowhere: a domain need not have a website, but one that was named and cannot be found was not looked at.
func TestExposedSiteNowhere(t *testing.T) {
	t.Parallel()
	names := zone(t, "127.0.0.1")
	names.SetSRV("_xmpp-client._tcp."+domain, host, closedDoor(t))
	names.SetSRV("_xmpp-server._tcp."+domain, host, closedDoor(t))
	settings := []string{"resolver=" + names.Addr(), "ports=" + fmt.Sprint(closedDoor(t))}
	for _, c := range []struct {
		settings []string
		state    probes.State
		text     string
	}{
		{nil, probes.OK, "OK xmpp.example.org ip4: closed: "},
		{[]string{"use-ipv4=true"}, probes.OK, "OK xmpp.example.org ip4: closed: "},
		{[]string{"url=https://www.example.org"}, probes.Unknown, "UNKNOWN www.example.org: resolve: no address"},
	} {
		r, err := run(t, probes.Exposed(), append(c.settings, settings...)...)
		if err != nil || r.Worst() != c.state || !strings.Contains(texts(r), c.text) {
			t.Errorf("%v: %v\n%s", c.settings, err, texts(r))
		}
	}
}

// TestExposed: doors open and closed, meant and not.
func TestExposed(t *testing.T) {
	t.Parallel()
	open, closed := openDoor(t), closedDoor(t)
	ca := newAuthority(t)
	quiet := Site{"/admin": Fails(404), "/api/status": Fails(404)}
	for _, c := range []struct {
		name     string
		pages    http.Handler
		settings []string
		state    probes.State
		open     string
		text     string
	}{
		{"all is closed", quiet, []string{"ports=" + fmt.Sprint(closed)}, probes.OK, "0", "closed: /admin, /api, /register"},
		{"a port", quiet, []string{fmt.Sprintf("ports=%d,%d", open, closed)}, probes.Critical, "1", fmt.Sprintf("CRITICAL 127.0.0.1 ip4: %d is open", open)},
		{"distribution", quiet, []string{fmt.Sprintf("ports=%d", closed), fmt.Sprintf("distribution=%d", open)}, probes.Critical, "1", "(Erlang distribution) is open"},
		{"a port that is meant to be open", quiet, []string{fmt.Sprintf("ports=%d,%d", open, closed), "expect-open=" + fmt.Sprint(open)}, probes.OK, "0", "is open, as it is meant to be"},
		{"a port that should be open and is not", quiet, []string{fmt.Sprintf("ports=%d,%d", open, closed), "expect-open=" + fmt.Sprint(open), "expect-open=" + fmt.Sprint(closed)}, probes.Warning, "0", "is meant to be open, and is closed"},
		{"web admin", Site{"/admin": Fails(401)}, []string{"ports=" + fmt.Sprint(closed)}, probes.Critical, "1", "/admin answers 401"},
		{"the API", Site{"/api/status": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"status":"error","code":32}`)
		}}, []string{"ports=" + fmt.Sprint(closed)}, probes.Critical, "1", "/api answers 403"},
		{"a wall in front of the API", Site{"/api/status": Fails(403)}, []string{"ports=" + fmt.Sprint(closed)}, probes.OK, "0", "closed: /admin, /api, /register"},
		{"registration", Site{"/register": Says("<form>")}, []string{"ports=" + fmt.Sprint(closed)}, probes.Critical, "1", "/register answers 200"},
		{"a page for every path", front(Says("Welcome"), nil), []string{"ports=" + fmt.Sprint(closed)}, probes.OK, "0", "/admin answers 200, as every path does"},
		{"a password for every path", front(Fails(401), nil), []string{"ports=" + fmt.Sprint(closed)}, probes.OK, "0", "/api answers 401, as every path does"},
		{"the web admin behind a page for every path", front(Says("Welcome"), Site{"/admin": Fails(401)}), []string{"ports=" + fmt.Sprint(closed)}, probes.Critical, "1", "/admin answers 401"},
		{"registration behind a page for every path", front(Says("Welcome"), Site{"/register": Says("<form>")}), []string{"ports=" + fmt.Sprint(closed)}, probes.Critical, "1", "/register answers 200"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := probes.Exposed()
			settings := append([]string(nil), c.settings...)
			for _, s := range serveSite(t, c.pages, ca, service.CertOptions{SelfSigned: true}) { // whatever its certificate
				if !strings.HasPrefix(s, "ca-file=") {
					settings = append(settings, s)
				}
			}
			r, err := run(t, p, settings...)
			if err != nil || r.Worst() != c.state || !strings.Contains(texts(r), c.text) {
				t.Errorf("%v, %s\n%s", err, r.Summary, texts(r))
			}
			wantFigures(t, p, r, map[string]string{"open": c.open})
		})
	}
}

// TestTURNListNowhere: whoever asks the server for the list needs to find the server.
func TestTURNListNowhere(t *testing.T) {
	t.Parallel()
	r, err := run(t, probes.TURN(sasl.Authenticate), "resolver="+zone(t).Addr(), "jid="+user+"@"+domain, "password-file="+secretFile(t, userPassword))
	failure, ok := errors.AsType[*probes.Failure](err)
	if !ok || failure.Phase != probes.Resolve || failure.Reason != probes.DNS || texts(r) != "CRITICAL example.org: resolve: no address\n" {
		t.Errorf("%v\n%s", err, texts(r))
	}
}

// TestTURNServers: what can be wrong with a STUN server, before any of its answers.
func TestTURNServers(t *testing.T) {
	t.Parallel()
	hole, err := new(net.ListenConfig).ListenPacket(context.WithoutCancel(t.Context()), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hole.Close() })
	names := zone(t, "127.0.0.1")
	names.SetSRV("_stun._udp."+domain, host, hole.LocalAddr().(*net.UDPAddr).Port)
	for _, c := range []struct {
		name     string
		settings []string
		text     string
		reason   string
	}{
		{"silence, by SRV", []string{"resolver=" + names.Addr()}, "ping: no answer in time", probes.Timeout},
		{
			"no relay in the zone",
			[]string{"resolver=" + names.Addr(), "turn-username=probe", "turn-password-file=" + secretFile(t, "x")},
			"resolve: no SRV record _turn._udp.example.org or _turn._tcp.example.org, so no allocation was tried", probes.DNS,
		},
		{"closed", []string{"hostname=127.0.0.1", "port=" + fmt.Sprint(closedDoor(t))}, "ping: connection refused", probes.Refused},
		{"no TCP", []string{"hostname=127.0.0.1", "port=" + fmt.Sprint(closedDoor(t)), "transport=tcp"}, "connect: connection refused", probes.Refused},
		{"silent over TCP", []string{"hostname=127.0.0.1", "port=" + fmt.Sprint(openDoor(t)), "transport=tcp"}, "ping: no answer in time", probes.Timeout},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := probes.TURN(sasl.Authenticate)
			r, err := runWithin(t, 2*time.Second, p, domain, c.settings...)
			if err != nil || r.Worst() != probes.Critical || !strings.Contains(texts(r), c.text) || !strings.Contains(r.Set.Text(), `reason="`+c.reason+`"`) {
				t.Errorf("%v\n%s", err, texts(r))
			}
			wantFigures(t, p, r, map[string]string{"stun": "U", "allocate": "U", "time": "U"})
		})
	}
}
