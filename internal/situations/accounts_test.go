// SPDX-License-Identifier: Apache-2.0

package situations

import (
	"log/slog"
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/service"
	. "github.com/chapril/ejabberd_exporter/internal/web/webtest"
	. "github.com/chapril/ejabberd_exporter/internal/xmpp/xmpptest"
)

var silent = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)

// visitor plays what a server does once the plugin comes back to do something: its first visit only looks.
func visitor(mechanism string, then ...Script) func(*stage) {
	return func(s *stage) {
		config := s.good()
		s.serve(Server(s.domain, config), Join(
			Answering(s.domain, Features(StartTLSRequired)), Upgrade(config),
			Answering(s.domain, Features(Mechanisms(mechanism))), Join(then...)))
	}
}

// welcome lets the account in.
func welcome(then ...Script) func(*stage) {
	return visitor("SCRAM-SHA-256", append([]Script{LogIn(domain, user, password)}, then...)...)
}

// accounts is what may happen to whoever logs in.
func accounts() []situation {
	refuses := func(then ...Step) func(*stage) {
		return visitor("SCRAM-SHA-256", Script{Expect("</auth>")}, Script(then))
	}
	success := Send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
	const all = "login echo upload"
	return []situation{
		{"the password is wrong", refuses(Send(NotAuthorized), BlackHole()), []verdict{
			{all, "", critical, "auth/refused", "auth: login refused: not-authorized"},
		}},
		{"PLAIN alone is offered", visitor("PLAIN", Script{BlackHole()}), []verdict{
			{all, "", critical, "auth/mechanism", "PLAIN is never used"},
		}},
		{"banned after a password too many", refuses(Send(StreamError("policy-violation", "Too many (20) failed authentications from this IP address (192.0.2.1)."))), []verdict{
			{all, "", critical, "auth/stream_error", "auth: banned: the server refuses the address of this machine"},
		}},
		{"a server that does not know the password itself", refuses(success, BlackHole()), []verdict{
			{all, "", critical, "auth/other", "did not prove that it knows the password"},
		}},
		{"closed while logging in", refuses(), []verdict{
			{all, "", critical, "auth/closed", "auth: the peer closed the connection"},
		}},
		{"silence while logging in", refuses(BlackHole()), []verdict{
			{all, "-t 2", critical, "auth/timeout", "auth: no answer in time"},
		}},
		{"a challenge without end", refuses(Send("<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"), Endless("a")), []verdict{
			{all, "", critical, "auth/protocol", "more than 256 KiB at once"},
		}},
		{"the ping is answered", welcome(Answer(2, ""), Goodbye()), []verdict{
			{"login", "", ok, "", "logged in by SCRAM-SHA-256"},
		}},
		{"the ping is refused", welcome(Refuse(2, "not-allowed"), Goodbye()), []verdict{
			{"login", "", critical, "ping/refused", "example.org: ping: the server answered not-allowed"},
		}},
		{"the ping is not answered", welcome(Script{BlackHole()}), []verdict{
			{"login", "-t 2", critical, "ping/timeout", "example.org: ping: no answer in time"},
		}},
		{"another server is out of reach", welcome(Answer(2, ""), Refuse(3, "remote-server-not-found"), Goodbye()), []verdict{
			{"login", "--ping peer.example", critical, "ping/unreachable", "peer.example: ping: the server answered remote-server-not-found"},
		}},
		{"another server is silent", welcome(Answer(2, ""), Script{BlackHole()}), []verdict{
			{"login", "--ping peer.example -t 2", critical, "ping/timeout", "peer.example: ping: no answer in time"},
		}},
		{"a component that is something else", welcome(Answer(2, ""), Answer(3, "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='pubsub' type='service'/></query>"), Goodbye()), []verdict{
			{"login", "--component muc=conference/text", critical, "ping/protocol", "it is not conference/text but pubsub/service"},
		}},
		{"the echo is lost", welcome(Script{BlackHole()}), []verdict{
			{"echo", "-t 2", critical, "message/timeout", "3 of 3 messages did not come back from echo.example.org: no answer in time"},
		}},
		{"somebody else's message instead of the echo", welcome(Script{Expect("<message"), Send("<message from='echo.example.org'><body>hello</body></message>"), BlackHole()}), []verdict{
			{"echo", "-t 2", critical, "message/timeout", "3 of 3 messages did not come back"},
		}},
		{"a flood instead of the echo", welcome(Script{Expect("<message"), Endless("<message from='echo.example.org'><body>hello</body></message>")}), []verdict{
			{"echo", "-t 2", critical, "message/timeout", "3 of 3 messages did not come back"},
		}},
		{"the server goes away before the echo", welcome(Script{Expect("</message>"), Send(StreamError("system-shutdown", ""))}), []verdict{
			{"echo", "", critical, "message/stream_error", "did not come back from echo.example.org: stream error system-shutdown"},
		}},
	}
}

// registration is what strangers find who want an account.
func registration() []situation {
	form := func(then ...Script) func(*stage) { return visitor("SCRAM-SHA-256", append(then, Goodbye())...) }
	const fields = "<query xmlns='jabber:iq:register'><instructions>Choose</instructions><username/><password/></query>"
	const bad = "get/protocol"
	return []situation{
		{"a form with a captcha", form(Answer(1, Form(CID, Bits(GIF)))), []verdict{
			{"register", "", ok, "", "registration is open with a captcha"},
			{"register", "--expect closed", critical, bad, "get: registration is open with a captcha instead of closed"},
		}},
		{"a form without a captcha", form(Answer(1, fields)), []verdict{
			{"register", "", critical, bad, "get: registration is open without a captcha instead of open with a captcha"},
			{"register", "--expect open", ok, "", "registration is open without a captcha"},
		}},
		{"a captcha without a picture", form(Answer(1, Form(CID, "")), Refuse(2, "item-not-found")), []verdict{
			{"register", "", critical, bad, "get: the captcha has no picture"},
		}},
		{"a captcha whose picture is an error message", form(Answer(1, Form(CID, Bits("convert: not found")))), []verdict{
			{"register", "", critical, bad, "get: the captcha is no picture: its command may be broken"},
		}},
		{"a captcha whose picture is in clear", form(Answer(1, Form("http://www.example.org/captcha", ""))), []verdict{
			{"register", "", critical, bad, "get: the captcha's picture is not on the web over https"},
		}},
		{"the server cannot make a captcha", form(Refuse(1, "internal-server-error")), []verdict{
			{"register", "", critical, "get/refused", "get: the server answered internal-server-error"},
		}},
		{"registration is closed", form(Refuse(1, "not-allowed")), []verdict{
			{"register", "", critical, bad, "get: registration is closed instead of open with a captcha"},
			{"register", "--expect closed", ok, "", "registration is closed"},
		}},
		{"a form that never comes", form(Script{Expect("<iq"), BlackHole()}), []verdict{
			{"register", "-t 2", critical, "get/timeout", "get: no answer in time"},
		}},
		{"a form without end", form(Script{Expect("</iq>"), Send("<iq type='result' id='q1'>"), Endless("<query xmlns='jabber:iq:register'/>")}), []verdict{
			{"register", "", critical, bad, "more than 256 KiB at once"},
		}},
	}
}

// uploads is what keeps files from being stored or fetched.
func uploads() []situation {
	// found is a session that finds the service, and what comes then.
	found := func(s *stage, then ...Script) {
		welcome(append([]Script{Answer(2, UploadItems), Answer(3, NoUpload), Answer(4, IsUpload)}, then...)...)(s)
	}
	// stored grants a slot on a store that does what the path says, and refuses a file that is too large.
	stored := func(path string, options service.CertOptions) func(*stage) {
		return func(s *stage) {
			options.Names = []string{host}
			_, port, _ := strings.Cut(s.https(new(Store), options).Listener.Addr().String(), ":")
			s.zone("127.0.0.1")
			url := "https://" + host + ":" + port + "/" + path
			found(s, Answer(5, Slot(url, url)), Script{
				Expect("id='q6'"), Expect("</iq>"),
				Send("<iq type='error' id='q6'><error><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"),
			}, Goodbye())
		}
	}
	upload := func(flags, state, failure, says string) []verdict {
		return []verdict{{"upload", flags, state, failure, says}}
	}
	return []situation{
		{"a file goes up and comes back", stored("good", lasting(60)), upload("", ok, "", "1024 bytes uploaded in ")},
		{
			"no upload service", welcome(Answer(2, ""), Answer(3, NoUpload), Goodbye()),
			upload("", critical, "slot/protocol", "slot: neither the domain nor what it lists is an upload service"),
		},
		{
			"the slot is refused", func(s *stage) { found(s, Refuse(5, "resource-constraint"), Goodbye()) },
			upload("", critical, "slot/refused", "slot: the server answered resource-constraint"),
		},
		{
			"the slot never comes", func(s *stage) { found(s, Script{BlackHole()}) },
			upload("-t 2", critical, "slot/timeout", "slot: no answer in time"),
		},
		{
			"the slot is in clear", func(s *stage) { found(s, Answer(5, Slot("http://"+host+"/a", "http://"+host+"/a")), Goodbye()) },
			upload("", critical, "slot/protocol", "slot: the slot is not on https"),
		},
		{"the slot is on a host that does not exist", func(s *stage) {
			s.zone("127.0.0.1")
			found(s, Answer(5, Slot("https://nosuch.example.org/a", "https://nosuch.example.org/a")), Goodbye())
		}, upload("", critical, "resolve/dns", "nosuch.example.org: resolve: no address")},
		{"PUT answers 413", stored("413", lasting(60)), upload("", critical, "put/refused", "put: the server answers 413")},
		{"GET answers 404", stored("gone", lasting(60)), upload("", critical, "get/refused", "get: the server answers 404")},
		{
			"GET gives other bytes", stored("different", lasting(60)),
			upload("", critical, "get/protocol", "get: the 1024 bytes that come back are not those that were uploaded"),
		},
		{"GET gives bytes without end", stored("endless", lasting(60)), upload("", critical, "get/protocol", "get: the answer is larger than 256 KiB")},
		{
			"the certificate of the store has expired", stored("good", lasting(-1)),
			upload("", critical, "handshake/certificate", "handshake: certificate expired 1.0 days ago"),
		},
	}
}
