// SPDX-License-Identifier: Apache-2.0

package sasl_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net"
	"regexp"
	"strings"
	"testing"

	"github.com/xdg-go/scram"

	"github.com/chapril/ejabberd_exporter/internal/service"
	"github.com/chapril/ejabberd_exporter/internal/xmpp"
	"github.com/chapril/ejabberd_exporter/internal/xmpp/sasl"
)

const (
	domain   = "example.org"
	password = "correct horse"
)

// server is the server's side of one login, over TLS on a pipe.
type server struct {
	hash    scram.HashGeneratorFcn
	bound   bool   // to the TLS channel
	forget  bool   // lets everybody in without proof
	second  bool   // speaks SASL2
	more    bool   // wants more than a password
	rounds  int    // of hashing
	refusal string // answers the first message with this failure
	version uint16 // of TLS
	binding func(*tls.ConnectionState) (scram.ChannelBinding, error)
}

// login logs in at such a server which offers mechanisms.
func (sv server) login(t *testing.T, said string, f *xmpp.Features) (mechanism string, err error) {
	t.Helper()
	ca, err := service.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(service.CertOptions{Names: []string{domain}})
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn := tls.Server(theirs, &tls.Config{Certificates: []tls.Certificate{cert.TLS}, MinVersion: tls.VersionTLS12, MaxVersion: sv.version})
		defer theirs.Close()
		sv.serve(t, conn, cert.TLS.Leaf)
	}()
	s := xmpp.NewStream(ours)
	t.Cleanup(func() { ours.Close(); <-done })
	if err := s.Handshake(t.Context(), &tls.Config{ServerName: domain, RootCAs: ca.Pool(), MinVersion: tls.VersionTLS12}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(t.Context(), xmpp.Header{Namespace: xmpp.Client, To: domain}); err != nil {
		t.Fatal(err)
	}
	return sasl.Authenticate(t.Context(), s, f, "alice", said)
}

var payload = regexp.MustCompile(`>([^<]*)(?:</initial-response>)?</(?:auth|authenticate|response)>$`)

// header opens a stream.
const header = "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client' version='1.0' id='1'>"

func (sv server) serve(t *testing.T, conn *tls.Conn, own *x509.Certificate) {
	in := bufio.NewReader(conn)
	read := func(end string) (text string) {
		for !strings.HasSuffix(text, end) {
			b, err := in.ReadByte()
			if err != nil {
				return ""
			}
			text += string(b)
		}
		return text
	}
	write := func(text string) { _, _ = conn.Write([]byte(text)) }
	read("<stream:stream")
	read(">")
	write(header)

	state := conn.ConnectionState()
	state.PeerCertificates = []*x509.Certificate{own} // as the client sees it
	scramServer, err := sv.hash.NewServer(func(string) (scram.StoredCredentials, error) {
		client, err := sv.hash.NewClient("alice", password, "")
		if err != nil {
			return scram.StoredCredentials{}, err
		}
		return client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "salt", Iters: sv.rounds})
	})
	if err != nil {
		t.Error(err)
		return
	}
	conversation := scramServer.NewConversation()
	if sv.bound {
		binding, err := sv.binding(&state)
		if err != nil {
			t.Error(err)
		}
		conversation = scramServer.NewConversationWithChannelBindingRequired(binding)
	}
	ns, begin, data := " xmlns='urn:ietf:params:xml:ns:xmpp-sasl'", "</auth>", func(code string) string { return code }
	if sv.second {
		ns, begin = " xmlns='urn:xmpp:sasl:2'", "</authenticate>"
		data = func(code string) string {
			return "<additional-data>" + code + "</additional-data><authorization-identifier>alice@" + domain + "</authorization-identifier>"
		}
	}
	for _, end := range []string{begin, "</response>"} {
		found := payload.FindStringSubmatch(read(end))
		if found == nil {
			return
		}
		if sv.refusal != "" {
			write("<failure" + ns + "><" + sv.refusal + "/><text>go away</text></failure>")
			return
		}
		said, _ := base64.StdEncoding.DecodeString(found[1])
		answer, err := conversation.Step(string(said))
		switch code := base64.StdEncoding.EncodeToString([]byte(answer)); {
		case err != nil:
			write("<failure" + ns + "><not-authorized/></failure>")
			return
		case end == begin:
			write("<challenge" + ns + ">" + code + "</challenge>")
		case sv.forget:
			write("<success" + ns + "/>")
		case sv.more:
			write("<continue" + ns + ">" + data(code) + "</continue>")
		default:
			write("<success" + ns + ">" + data(code) + "</success>")
		}
	}
	if !sv.second { // the stream begins anew; after SASL2 nobody may ask for that
		read("<stream:stream")
		read(">")
		write(header)
	}
	read("never")
}

// TestMechanisms: the strongest that both sides know, bound to the TLS channel where the server offers that.
func TestMechanisms(t *testing.T) {
	unique := func(s *tls.ConnectionState) (scram.ChannelBinding, error) {
		return scram.NewTLSUniqueBinding(s.TLSUnique), nil
	}
	all := []string{"PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512", "SCRAM-SHA-512-PLUS"}
	for name, c := range map[string]struct {
		server  server
		offered xmpp.Features
		want    string
	}{
		"SHA-1":   {server{hash: scram.SHA1}, xmpp.Features{Mechanisms: []string{"PLAIN", "SCRAM-SHA-1"}}, "SCRAM-SHA-1"},
		"SHA-512": {server{hash: scram.SHA512}, xmpp.Features{Mechanisms: []string{"SCRAM-SHA-1", "SCRAM-SHA-512"}}, "SCRAM-SHA-512"},
		"exporter": {
			server{hash: scram.SHA512, bound: true, binding: scram.NewTLSExporterBinding},
			xmpp.Features{Mechanisms: all, ChannelBindings: []string{"tls-unique", "tls-exporter"}},
			"SCRAM-SHA-512-PLUS",
		},
		"end point": {
			server{hash: scram.SHA512, bound: true, binding: scram.NewTLSServerEndpointBinding},
			xmpp.Features{Mechanisms: all, ChannelBindings: []string{"tls-server-end-point"}},
			"SCRAM-SHA-512-PLUS",
		},
		"unique": {
			server{hash: scram.SHA512, bound: true, binding: unique, version: tls.VersionTLS12},
			xmpp.Features{Mechanisms: all},
			"SCRAM-SHA-512-PLUS",
		},
		"binding before hash": {
			server{hash: scram.SHA1, bound: true, binding: scram.NewTLSExporterBinding},
			xmpp.Features{Mechanisms: []string{"SCRAM-SHA-256", "SCRAM-SHA-1-PLUS"}, ChannelBindings: []string{"tls-exporter"}},
			"SCRAM-SHA-1-PLUS",
		},
		"no list of bindings, TLS 1.3": {server{hash: scram.SHA512}, xmpp.Features{Mechanisms: all}, "SCRAM-SHA-512"},
		"SASL2": {
			server{hash: scram.SHA256, second: true},
			xmpp.Features{Mechanisms: all, SASL2: []string{"PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"}},
			"SASL2 SCRAM-SHA-256",
		},
		"SASL2, bound": {
			server{hash: scram.SHA1, second: true, bound: true, binding: scram.NewTLSExporterBinding},
			xmpp.Features{SASL2: []string{"SCRAM-SHA-256", "SCRAM-SHA-1-PLUS"}, ChannelBindings: []string{"tls-exporter"}},
			"SASL2 SCRAM-SHA-1-PLUS",
		},
		"SASL2 without SCRAM": {
			server{hash: scram.SHA1},
			xmpp.Features{Mechanisms: []string{"SCRAM-SHA-1"}, SASL2: []string{"PLAIN", "EXTERNAL"}},
			"SCRAM-SHA-1",
		},
		"no common binding": {
			server{hash: scram.SHA256},
			xmpp.Features{Mechanisms: []string{"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"}, ChannelBindings: []string{"other"}},
			"SCRAM-SHA-256",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.server.rounds = 4096
			if got, err := c.server.login(t, password, &c.offered); err != nil || got != c.want {
				t.Errorf("%s, %v, want %s", got, err, c.want)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	scramOnly, modern := xmpp.Features{Mechanisms: []string{"SCRAM-SHA-256"}}, xmpp.Features{SASL2: []string{"SCRAM-SHA-256"}}
	for name, c := range map[string]struct {
		server  server
		said    string
		offered xmpp.Features
		want    string
	}{
		"wrong password":          {server{}, "wrong", scramOnly, "login refused: not-authorized"},
		"account disabled":        {server{refusal: "account-disabled"}, password, scramOnly, "login refused: account-disabled (go away)"},
		"impostor":                {server{forget: true}, password, scramOnly, sasl.ErrImpostor.Error()},
		"wrong password, SASL2":   {server{second: true}, "wrong", modern, "login refused: not-authorized"},
		"account disabled, SASL2": {server{second: true, refusal: "account-disabled"}, password, modern, "login refused: account-disabled (go away)"},
		"impostor, SASL2":         {server{second: true, forget: true}, password, modern, sasl.ErrImpostor.Error()},
		"more than a password":    {server{second: true, more: true}, password, modern, "the server wants more than a password of this account"},
		"PLAIN only":              {server{}, password, xmpp.Features{Mechanisms: []string{"PLAIN"}}, xmpp.ErrNoMechanism.Error()},
		"too few rounds":          {server{rounds: 1000}, password, scramOnly, "SCRAM: server requested too few iterations (1000)"},
		"too many rounds":         {server{rounds: 1_000_001}, password, scramOnly, "the server asks for more than 1000000 rounds of hashing"},
		"forbidden letters":       {server{}, "\u0007", scramOnly, "user name or password has characters that SCRAM does not allow"},
	} {
		t.Run(name, func(t *testing.T) {
			c.server.hash = scram.SHA256
			if c.server.rounds == 0 {
				c.server.rounds = 4096
			}
			if _, err := c.server.login(t, c.said, &c.offered); err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestNeverInClear(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	_, err := sasl.Authenticate(t.Context(), xmpp.NewStream(ours), &xmpp.Features{Mechanisms: []string{"SCRAM-SHA-1"}}, "alice", password)
	if !errors.Is(err, sasl.ErrNotEncrypted) {
		t.Errorf("got %v", err)
	}
}
