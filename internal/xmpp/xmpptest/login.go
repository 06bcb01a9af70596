// SPDX-License-Identifier: Apache-2.0

package xmpptest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"github.com/xdg-go/scram"
)

// LogIn takes in who knows the password, by SCRAM-SHA-256, and binds the resource "1".
func LogIn(domain, user, password string) Script {
	return Join(
		Script{authenticate(user, password)},
		Open(Header("jabber:client", domain), Features("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>")),
		Answer(1, "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>"+user+"@"+domain+"/1</jid></bind>"),
	)
}

// Answer answers the n-th IQ of a stream with a result.
func Answer(n int, payload string) Script {
	id := fmt.Sprintf("id='q%d'", n)
	return Script{Expect(id), Expect("</iq>"), Send("<iq type='result' " + id + ">" + payload + "</iq>")}
}

// Refuse answers the n-th IQ of a stream with an error.
func Refuse(n int, condition string) Script {
	id := fmt.Sprintf("id='q%d'", n)
	return Script{Expect(id), Expect("</iq>"), Send("<iq type='error' " + id + "><error type='cancel'><" + condition +
		" xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>")}
}

// authenticate is the server's side of SCRAM.
func authenticate(user, password string) Step {
	return func(c *session) error {
		client, err := scram.SHA256.NewClient(user, password, "")
		if err != nil {
			return err
		}
		stored, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "salt", Iters: 4096})
		if err != nil {
			return err
		}
		server, err := scram.SHA256.NewServer(func(string) (scram.StoredCredentials, error) { return stored, nil })
		if err != nil {
			return err
		}
		conversation := server.NewConversation()
		for _, turn := range []struct{ end, answer string }{{"</auth>", "challenge"}, {"</response>", "success"}} {
			text, err := c.until(turn.end)
			if err != nil {
				return err
			}
			said, err := base64.StdEncoding.DecodeString(text[strings.LastIndex(text, ">")+1:])
			if err != nil {
				return err
			}
			answer, err := conversation.Step(string(said))
			if err != nil {
				_, err = io.WriteString(c.conn, NotAuthorized)
				return err
			}
			code := base64.StdEncoding.EncodeToString([]byte(answer))
			if _, err := io.WriteString(c.conn, "<"+turn.answer+" xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"+code+"</"+turn.answer+">"); err != nil {
				return err
			}
		}
		return nil
	}
}

// NotAuthorized refuses a login.
const NotAuthorized = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>"

// until reads until text has come, and gives what came before it.
func (c *session) until(text string) (string, error) {
	for {
		if at := bytes.Index(c.unread, []byte(text)); at >= 0 {
			before := string(c.unread[:at])
			c.unread = c.unread[at+len(text):]
			return before, nil
		}
		var block [4096]byte
		n, err := c.conn.Read(block[:])
		c.unread = append(c.unread, block[:n]...)
		if err != nil {
			return "", fmt.Errorf("waiting for %q, got %q: %w", text, c.unread, err)
		}
	}
}
