// SPDX-License-Identifier: Apache-2.0

package probes_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/service"
	. "github.com/chapril/ejabberd_exporter/internal/xmpp/xmpptest"
	"github.com/chapril/ejabberd_exporter/probes"
)

// TestRegisterSituations: what strangers find who want an account. Nobody ever submits a form: the scripts would see no end.
func TestRegisterSituations(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	const fields = "<query xmlns='jabber:iq:register'><instructions>Choose</instructions><username/><password/></query>"
	for name, c := range map[string]struct {
		after   Script
		expect  string
		failure string
		says    string
		figures string // register captcha
	}{
		"captcha":                 {Answer(1, Form(CID, Bits(GIF))), "captcha", "", `^registration is open with a captcha, 1 endpoint`, "1 1"},
		"captcha, data on demand": {Join(Answer(1, Form(CID, "")), Answer(2, Bits(GIF))), "captcha", "", `^registration is open with a captcha`, "1 1"},
		"no picture": {
			Join(Answer(1, Form(CID, "")), Refuse(2, "item-not-found")), "captcha", "get/protocol", `^get: the captcha has no picture`, "1 0",
		},
		"data of nothing": {Join(Answer(1, Form(CID, "")), Answer(2, "")), "captcha", "get/protocol", `^get: the captcha has no picture`, "1 0"},
		"no address":      {Answer(1, strings.Replace(Form("", ""), "<uri type='image/png'></uri>", "", 1)), "captcha", "get/protocol", `^get: the captcha has no picture`, "1 0"},
		"not a picture":   {Answer(1, Form(CID, Bits("convert: not found"))), "captcha", "get/protocol", `^get: the captcha is no picture: its command may be broken`, "1 0"},
		"not base64":      {Answer(1, Form(CID, "<data xmlns='urn:xmpp:bob' cid='sha1+1@bob.xmpp.org'>%%</data>")), "captcha", "get/protocol", `^get: the captcha's picture is not base64`, "1 0"},
		"in clear":        {Answer(1, Form("http://www.example.org/captcha", "")), "captcha", "get/protocol", `^get: the captcha's picture is not on the web over https`, "1 0"},
		"no such host":    {Answer(1, Form("https://nosuch.example.org/captcha", "")), "captcha", "resolve/dns", `^resolve: `, "1 0"},
		"no command":      {Refuse(1, "internal-server-error"), "captcha", "get/refused", `^get: the server answered internal-server-error$`, "U U"},
		"no answer":       {Script{Expect("<iq"), BlackHole()}, "captcha", "get/timeout", `^get: no answer in time$`, "U U"},
		"no form":         {Answer(1, ""), "captcha", "get/protocol", `^get: the server answers without a form$`, "U U"},
		"too much":        {Script{Expect("</iq>"), Send("<iq type='result' id='q1'>"), Endless("<query xmlns='jabber:iq:register'/>")}, "captcha", "get/protocol", `more than 256 KiB at once$`, "U U"},
		"open":            {Answer(1, fields), "open", "", `^registration is open without a captcha`, "1 0"},
		"open by form": {
			Answer(1, "<query xmlns='jabber:iq:register'><x xmlns='jabber:x:data'><field var='password'/></x></query>"), "open", "", `^registration is open without`, "1 0",
		},
		"open, should have a captcha": {
			Answer(1, fields), "captcha", "get/protocol", `^get: registration is open without a captcha instead of open with a captcha$`, "1 0",
		},
		"closed":                 {Refuse(1, "forbidden"), "closed", "", `^registration is closed`, "0 U"},
		"closed by stream":       {Script{Expect("</iq>"), Send(StreamError("not-authorized", ""))}, "closed", "", `^registration is closed`, "0 U"},
		"on the web":             {Answer(1, "<query xmlns='jabber:iq:register'><x xmlns='jabber:x:oob'><url>https://x.example/</url></x></query>"), "closed", "", `^registration is closed`, "0 U"},
		"closed, should be open": {Refuse(1, "not-allowed"), "open", "get/protocol", `^get: registration is closed instead of open without a captcha$`, "0 U"},
		"captcha, should be closed, broken": {
			Answer(1, Form(CID, Bits("x"))), "closed", "get/protocol", `^get: registration is open with a captcha instead of closed$`, "1 0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			after := append(append(Script{}, c.after...), Goodbye()...)
			register, captcha, _ := strings.Cut(c.figures, " ")
			s := situation{probes.Register(), after, []string{"expect=" + c.expect}, probes.Critical, c.failure, c.says, map[string]string{"register": register, "captcha": captcha}}
			if c.failure == "" {
				s.state = probes.OK
			}
			s.try(t, ca, "SCRAM-SHA-256", "resolver="+zone(t, "127.0.0.1").Addr())
		})
	}
}

// TestCaptchaOnTheWeb: a picture that is fetched over https, and what may be wrong with that.
func TestCaptchaOnTheWeb(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	names := zone(t, "127.0.0.1")
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/good":
			_, _ = w.Write([]byte(GIF))
		case "/text":
			_, _ = w.Write([]byte("<html>"))
		case "/moved":
			http.Redirect(w, r, "https://other.example/good", http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}))
	web.TLS = ca.config(t, service.CertOptions{Names: []string{host}})
	web.StartTLS()
	t.Cleanup(web.Close)
	_, webPort, _ := strings.Cut(web.Listener.Addr().String(), ":")
	for path, c := range map[string]struct{ failure, says string }{
		"good":    {"", `^registration is open with a captcha`},
		"text":    {"get/protocol", `^get: the captcha is no picture`},
		"missing": {"get/protocol", `^get: no picture for the captcha: the server answers 404$`},
		"moved":   {"get/protocol", `^get: no picture for the captcha: the server answers 302, a redirect to another place, which is not followed$`},
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			s := situation{
				probe: probes.Register(), state: probes.Critical, failure: c.failure, says: c.says,
				after: Join(Answer(1, Form("https://"+host+":"+webPort+"/"+path, "")), Goodbye()),
			}
			if c.failure == "" {
				s.state = probes.OK
			}
			s.try(t, ca, "SCRAM-SHA-256", "resolver="+names.Addr())
		})
	}
}
