// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

const nsServices = "urn:xmpp:extdisco:2"

var errNoRelays = errors.New("the server tells its users of no STUN or TURN service (XEP-0215): mod_stun_disco does that")

// relays are what a server tells its users: where to ask for STUN and TURN, and as whom.
type relays struct {
	targets []target
	logins  map[target]*relayLogin
	others  int // that are not looked at: those over TLS
}

// list logs in and asks the server which relays there are (XEP-0215). It reports nothing but what went wrong on the way.
func (t *turnSettings) list(ctx context.Context, reach endpointSettings, who account, domain string, out *Report) (*relays, error) {
	reach.host, reach.ports, reach.startTLS = "", nil, startTLSRequired // those of the settings are the relay's
	e, err := reach.start()
	if err != nil {
		return nil, err
	}
	half, cancel := share(ctx, 2)
	defer cancel()
	way := NewReport()
	s, err := e.enter(half, domain, []service{xmppClient, xmppsClient}, nil, way)
	switch {
	case err != nil:
		out.Notes = way.Notes
		return nil, out.fail(Connect, err)
	case s == nil:
		return nil, errors.New("no endpoint for clients can be reached from here, so that nobody says which relays there are")
	}
	defer s.end(half)
	if _, _, err := s.logIn(half, t.authenticate, who); err != nil {
		return nil, out.fail(Auth, err)
	}
	answer, err := s.IQ(half, "get", domain, "<services xmlns='"+nsServices+"'/>")
	if _, refused := errors.AsType[*xmpp.StanzaError](err); refused {
		err = &Failure{Features, Protocol, errNoRelays}
	}
	if err != nil {
		return nil, out.fail(Features, err)
	}
	found := t.read(answer)
	if len(found.targets) == 0 {
		return nil, out.fail(Features, &Failure{Features, Protocol, errNoRelays})
	}
	return found, nil
}

// read reads the list. What nobody can connect to is passed over.
func (t *turnSettings) read(answer *xmpp.Element) *relays {
	found := &relays{logins: map[target]*relayLogin{}}
	list := answer.Child(nsServices, "services")
	if list == nil {
		return found
	}
	for _, e := range list.Children {
		kind, transport := e.Attribute("type"), e.Attribute("transport")
		if transport == "" {
			transport = "udp"
		}
		known := slices.IndexFunc(relayServices, func(s service) bool { return s.name == kind+"-"+transport })
		host, err := idna.Lookup.ToASCII(strings.TrimSuffix(e.Attribute("host"), "."))
		if strings.Contains(e.Attribute("host"), ":") { // IPv6
			host, err = e.Attribute("host"), nil
		}
		if known < 0 || err != nil || host == "" {
			found.others++
			continue
		}
		if len(t.transports) > 0 && !slices.Contains(t.transports, transport) {
			continue
		}
		at := target{relayServices[known], host, relayServices[known].port}
		if port, err := strconv.ParseUint(e.Attribute("port"), 10, 16); err == nil && port > 0 {
			at.port = uint16(port)
		}
		if !slices.Contains(found.targets, at) {
			found.targets = append(found.targets, at)
			found.logins[at] = &relayLogin{e.Attribute("username"), e.Attribute("password")}
		}
	}
	return found
}

// at moves all relays to the host and port that the settings name.
func (r *relays) at(host string, port uint16) {
	logins := map[target]*relayLogin{}
	for i, at := range r.targets {
		moved := at
		if host != "" {
			moved.host = host
		}
		if port != 0 {
			moved.port = port
		}
		r.targets[i], logins[moved] = moved, r.logins[at]
	}
	r.logins = logins
}

// say notes what the list has.
func (r *relays) say(out *Report) {
	counts := map[string]int{}
	for _, at := range r.targets {
		kind, _, _ := strings.Cut(at.name, "-")
		counts[kind]++
	}
	text := fmt.Sprintf("the server tells its users of %d for STUN and %d for TURN", counts["stun"], counts["turn"])
	if r.others > 0 {
		text += fmt.Sprintf(", and of %d that were not tried", r.others)
	}
	if counts["turn"] == 0 {
		out.Note(Warning, "", text+": calls between networks that both hide their hosts will fail")
		return
	}
	out.Note(OK, "", text)
}
