// SPDX-License-Identifier: Apache-2.0

package probes_test

import (
	"crypto/tls"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/xmpp/sasl"
	. "github.com/chapril/ejabberd_exporter/internal/xmpp/xmpptest"
	"github.com/chapril/ejabberd_exporter/probes"
)

const user, userPassword = "probe", "correct horse"

// situation is what a server does to a client on its second visit; the first one only looks.
type situation struct {
	probe    probes.Probe
	after    Script // the second connection, once it is encrypted and has its features
	settings []string
	state    probes.State
	failure  string // phase/reason of probe_xmpp_failure_info
	says     string // pattern of summary, Notes and error
	figures  map[string]string
}

// second is a server's script for the second connection.
func second(config *tls.Config, mechanism string, after Script) Script {
	header := Header("jabber:client", domain)
	return Join(Open(header, Features(StartTLSRequired)), Upgrade(config), Open(header, Features(Mechanisms(mechanism))), after)
}

func (s situation) try(t *testing.T, ca authority, mechanism string, more ...string) {
	t.Helper()
	config := ca.config(t, lasting(60))
	peer := Serve(t, "127.0.0.1:0", ClientServer(domain, config), second(config, mechanism, s.after))
	settings := append(at(peer.Addr, "ca-file="+ca.file), s.settings...)
	if s.probe.LogsIn {
		settings = append(settings, "jid="+user+"@"+domain, "password-file="+secretFile(t, userPassword))
	}
	r, err := runWithin(t, 3*time.Second, s.probe, domain, append(settings, more...)...)
	state, said := r.Worst(), r.Summary+"\n"+texts(r)
	if err != nil {
		state, said = probes.Critical, said+err.Error()
	}
	if state != s.state || !regexp.MustCompile("(?m)"+s.says).MatchString(said) {
		t.Errorf("%v: %s\nwant %v: %s", state, said, s.state, s.says)
	}
	if got := failures(r); got != s.failure {
		t.Errorf("failure %q, want %q", got, s.failure)
	}
	wantFigures(t, s.probe, r, s.figures)
	if strings.Contains(said+r.Set.Text(), user+"@") || strings.Contains(said, userPassword) {
		t.Errorf("the account stands in %s", said)
	}
}

func welcome(then ...Script) Script {
	return Join(append([]Script{LogIn(domain, user, userPassword)}, then...)...)
}

// TestLoginSituations: what keeps a user from logging in, or from reaching others.
func TestLoginSituations(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	pong := Answer(2, "")
	for name, c := range map[string]struct {
		after     Script
		mechanism string
		settings  []string
		state     probes.State
		failure   string
		says      string
		failed    string // pings
	}{
		"good":    {welcome(pong, Goodbye()), "", nil, probes.OK, "", `^logged in by SCRAM-SHA-256 in \d+ ms, 1 endpoint`, "0"},
		"refused": {Script{Expect("</auth>"), Send(NotAuthorized), BlackHole()}, "", nil, probes.Critical, "auth/refused", `^auth: login refused: not-authorized$`, "U"},
		"wrong password": {
			LogIn(domain, user, "another"), "", nil, probes.Critical, "auth/refused", `^auth: login refused: not-authorized$`, "U",
		},
		"PLAIN only": {Script{BlackHole()}, "PLAIN", nil, probes.Critical, "auth/mechanism", `PLAIN is never used$`, "U"},
		"banned while logging in": {
			Script{Expect("</auth>"), Send(StreamError("policy-violation", "Too many (20) failed authentications from this IP address (192.0.2.1)."))},
			"", nil, probes.Critical, "auth/stream_error", `^auth: banned: the server refuses the address of this machine`, "U",
		},
		"closed":   {Script{Expect("</auth>")}, "", nil, probes.Critical, "auth/closed", `^auth: the peer closed the connection$`, "U"},
		"stalls":   {Script{Expect("</auth>"), BlackHole()}, "", nil, probes.Critical, "auth/timeout", `^auth: no answer in time$`, "U"},
		"no proof": {Script{Expect("</auth>"), Send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"), BlackHole()}, "", nil, probes.Critical, "auth/other", `did not prove that it knows the password$`, "U"},
		"endless":  {Script{Expect("</auth>"), Endless("<challenge>")}, "", nil, probes.Critical, "auth/protocol", `more than 32 elements inside each other$`, "U"},
		"own ping refused": {
			welcome(Refuse(2, "not-allowed"), Goodbye()), "", nil, probes.Critical, "ping/refused", `^CRITICAL example.org: ping: the server answered not-allowed$`, "1",
		},
		"own ping unknown": {welcome(Refuse(2, "feature-not-implemented"), Goodbye()), "", nil, probes.OK, "", `^OK example.org: answered a ping`, "0"},
		"ping unanswered":  {welcome(Script{BlackHole()}), "", nil, probes.Critical, "ping/timeout", `^CRITICAL example.org: ping: no answer in time$`, "1"},
		"one peer silent": {
			welcome(pong, Script{BlackHole()}), "",
			[]string{"ping=peer.example"},
			probes.Critical, "ping/timeout",
			`(?s)^OK example.org: answered a ping.*^CRITICAL peer.example: ping: no answer in time$`, "1",
		},
		"peer out of reach": {
			welcome(pong, Refuse(3, "remote-server-timeout"), Goodbye()), "",
			[]string{"ping=peer.example"},
			probes.Critical, "ping/timeout",
			`^CRITICAL peer.example: ping: the server answered remote-server-timeout$`, "1",
		},
		"block list silent": {
			welcome(pong, Script{BlackHole()}), "",
			[]string{"block-list=list.example/node"},
			probes.Warning, "",
			`(?s)^OK example.org: answered a ping.*^WARNING list.example: whether its block list node has us is unknown: `, "0",
		},
		"block list out of reach": {
			welcome(pong, Refuse(3, "remote-server-not-found"), Goodbye()), "",
			[]string{"block-list=list.example/node"},
			probes.Warning, "", `node has us is unknown: the server answered remote-server-not-found$`, "0",
		},
		"another list": {
			welcome(pong, Answer(3, "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='other'/></pubsub>"), Goodbye()), "",
			[]string{"block-list=list.example/node"},
			probes.Warning, "", `node has us is unknown: the answer is no list$`, "0",
		},
		"the whole list": { // asked for one item
			welcome(pong, Answer(3, "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='node'><item id='1'/><item id='2'/></items></pubsub>"), Goodbye()), "",
			[]string{"block-list=list.example/node"},
			probes.OK, "", `^OK list.example: its block list node does not have us$`, "0",
		},
		"abuse contact empty": {
			welcome(pong, Answer(3, "<query xmlns='http://jabber.org/protocol/disco#info'><x xmlns='jabber:x:data' type='result'>"+
				"<field var='FORM_TYPE'><value>http://jabber.org/network/serverinfo</value></field><field var='abuse-addresses'/></x></query>"), Goodbye()), "",
			[]string{"abuse-contact=true"},
			probes.Warning, "", `^WARNING example.org: nobody can tell whom to write to about abuse`, "0",
		},
		"abuse contact not told": {
			welcome(pong, Refuse(3, "service-unavailable"), Goodbye()), "",
			[]string{"abuse-contact=true"},
			probes.Warning, "", `^WARNING example.org: whether there is an abuse contact is unknown: the server answered service-unavailable$`, "0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mechanism := c.mechanism
			if mechanism == "" {
				mechanism = "SCRAM-SHA-256"
			}
			situation{probes.Login(sasl.Authenticate), c.after, c.settings, c.state, c.failure, c.says, map[string]string{"ping_failed": c.failed}}.try(t, ca, mechanism)
		})
	}
}

// TestBanned: the address is refused before anything else.
func TestBanned(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	peer := Serve(t, "127.0.0.1:0", Open(Header("jabber:client", domain),
		StreamError("policy-violation", "Too many (20) failed authentications from this IP address (192.0.2.1).")))
	p := probes.Login(sasl.Authenticate)
	r, err := run(t, p, at(peer.Addr, "ca-file="+ca.file, "jid="+user+"@"+domain, "password-file="+secretFile(t, userPassword))...)
	if err == nil || !strings.Contains(texts(r), "CRITICAL 127.0.0.1:") || !strings.Contains(texts(r), "stream: banned: the server refuses the address of this machine") {
		t.Errorf("%v\n%s", err, texts(r))
	}
}

// TestEchoSituations: messages that do not come back.
func TestEchoSituations(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	lost := map[string]string{"lost": "3", "rtt": "U", "rtt_max": "U"}
	echoed := Echo("<body>", "</body>", "<message from='echo.example.org'><body>%s</body></message>")
	for name, c := range map[string]situation{
		"lost": {
			after: welcome(Script{BlackHole()}), failure: "message/timeout",
			says: `^message: 3 of 3 messages did not come back from echo.example.org: no answer in time$`, figures: lost,
		},
		"the first is lost": {
			after: welcome(Script{Expect("</message>"), echoed, echoed}, Goodbye()), failure: "message/timeout",
			says: `^message: 1 of 3 messages did not come back from echo.example.org: no answer in time$`, figures: map[string]string{"lost": "1"},
		},
		"another message": {
			after:   welcome(Script{Expect("<message"), Send("<message from='echo.example.org'><body>hello</body></message><message/><iq type='get'/>"), BlackHole()}),
			failure: "message/timeout", says: `3 of 3 messages did not come back`, figures: lost,
		},
		"stream ends": {
			after:   welcome(Script{Expect("</message>"), Send(StreamError("system-shutdown", ""))}),
			failure: "message/stream_error", says: `did not come back from echo.example.org: stream error system-shutdown$`, figures: lost,
		},
		"peer is an account": {
			after: welcome(Script{BlackHole()}), settings: []string{"peer=somebody@example.org", "count=1"}, failure: "message/timeout",
			says: `^message: 1 of 1 messages did not come back from the peer: no answer in time$`, figures: map[string]string{"lost": "1"},
		},
		"second account of another domain": {
			after: welcome(Script{BlackHole()}), settings: []string{"second-jid=other@example.net", "second-password=x"},
			says: `^the account is of another domain`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.probe, c.state = probes.Echo(sasl.Authenticate), probes.Critical
			c.try(t, ca, "SCRAM-SHA-256")
		})
	}
}

// TestHints: a message asks not to be stored or copied.
func TestHints(t *testing.T) {
	t.Parallel()
	c := situation{
		probe: probes.Echo(sasl.Authenticate), settings: []string{"count=1"}, state: probes.Critical, failure: "message/closed", says: "the peer closed the connection",
		after: welcome(Script{
			Expect("<message type='chat' to='echo.example.org'"), Expect("<no-store xmlns='urn:xmpp:hints'/>"),
			Expect("<no-permanent-store xmlns='urn:xmpp:hints'/>"), Expect("<no-copy xmlns='urn:xmpp:hints'/></message>"),
		}),
	}
	c.try(t, newAuthority(t), "SCRAM-SHA-256")
}
