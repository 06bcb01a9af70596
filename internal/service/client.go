// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/xmpp"
	"github.com/chapril/ejabberd_exporter/internal/xmpp/sasl"
)

// Login is how a client connects.
type Login struct {
	Account   Account
	Resource  string
	Address   string // host:port to connect to
	DirectTLS bool   // instead of STARTTLS
}

// Client is logged in. It answers what the server asks, above all pings, until Close.
type Client struct {
	Account  Account
	JID      string             // full
	Messages chan *xmpp.Element // those that arrived; further ones are dropped while 16 wait

	stream  *xmpp.Stream
	cancel  context.CancelFunc
	ended   chan struct{}
	mu      sync.Mutex
	asked   int
	pending map[string]chan *xmpp.Element // questions without an answer, by id
}

// Connect logs in. roots hold the CA of the server's certificate.
func Connect(ctx context.Context, login Login, roots *x509.CertPool) (*Client, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", login.Address)
	if err != nil {
		return nil, fmt.Errorf("connect a client: %w", err)
	}
	stream := xmpp.NewStream(conn)
	jid, err := logIn(ctx, stream, login, &tls.Config{
		RootCAs:    roots,
		ServerName: login.Account.Domain,
		MinVersion: tls.VersionTLS12,
		// ejabberd 23.01 offers channel binding without naming a type (XEP-0440) and means tls-unique, which TLS 1.3 lacks.
		MaxVersion: tls.VersionTLS12,
	})
	if err != nil {
		_ = stream.Abort()
		return nil, fmt.Errorf("log a client in: %w", err)
	}
	running, cancel := context.WithCancel(context.Background()) //nolint:contextcheck // it outlives ctx, until Close
	c := &Client{
		Account:  login.Account,
		JID:      jid,
		Messages: make(chan *xmpp.Element, 16),
		stream:   stream,
		cancel:   cancel,
		ended:    make(chan struct{}),
		pending:  map[string]chan *xmpp.Element{},
	}
	go c.listen(running)
	return c, nil
}

func logIn(ctx context.Context, stream *xmpp.Stream, login Login, config *tls.Config) (jid string, err error) {
	header := xmpp.Header{Namespace: xmpp.Client, To: login.Account.Domain}
	if !login.DirectTLS {
		if _, err := stream.Open(ctx, header); err != nil {
			return "", err
		}
		if _, err := stream.Features(ctx); err != nil {
			return "", err
		}
		if err := stream.StartTLS(ctx); err != nil {
			return "", err
		}
	}
	if err := stream.Handshake(ctx, config); err != nil {
		return "", err
	}
	if _, err := stream.Open(ctx, header); err != nil {
		return "", err
	}
	features, err := stream.Features(ctx)
	if err != nil {
		return "", err
	}
	return sasl.Login(ctx, stream, features, login.Account.User, login.Account.Password, login.Resource)
}

// listen takes what arrives until the stream ends.
func (c *Client) listen(ctx context.Context) {
	defer close(c.ended)
	for {
		e, err := c.stream.Receive(ctx)
		if err != nil {
			return
		}
		switch kind := e.Attribute("type"); {
		case e.Name.Local == "message":
			select {
			case c.Messages <- e:
			default:
			}
		case e.Name.Local != "iq":
		case kind == "get" || kind == "set":
			// Good enough for a ping, and an answer to anything else.
			_ = c.Send(ctx, "<iq type='result' id='"+xmpp.Escape(e.Attribute("id"))+"' to='"+xmpp.Escape(e.Attribute("from"))+"'/>")
		default:
			c.mu.Lock()
			if waiting, ok := c.pending[e.Attribute("id")]; ok {
				waiting <- e
				delete(c.pending, e.Attribute("id"))
			}
			c.mu.Unlock()
		}
	}
}

// Send sends a stanza as it is.
func (c *Client) Send(ctx context.Context, stanza string) error { return c.stream.Send(ctx, stanza) }

// Ask sends an IQ of type get or set and waits for its result; an error as the answer is an error.
func (c *Client) Ask(ctx context.Context, kind, to, payload string) (*xmpp.Element, error) {
	waiting := make(chan *xmpp.Element, 1)
	c.mu.Lock()
	c.asked++
	id := "ask" + strconv.Itoa(c.asked)
	c.pending[id] = waiting
	c.mu.Unlock()
	iq := fmt.Sprintf("<iq type='%s' id='%s' to='%s'>%s</iq>", kind, id, xmpp.Escape(to), payload)
	if err := c.Send(ctx, iq); err != nil {
		return nil, err
	}
	select {
	case answer := <-waiting:
		if answer.Attribute("type") == "error" {
			return nil, fmt.Errorf("ask: the answer is an error: %s", condition(answer))
		}
		return answer, nil
	case <-c.ended:
		return nil, xmpp.ErrClosed
	case <-ctx.Done():
		return nil, fmt.Errorf("ask: %w", ctx.Err())
	}
}

// condition is the name of a stanza error.
func condition(stanza *xmpp.Element) string {
	for _, child := range stanza.Children {
		if child.Name.Local == "error" && len(child.Children) > 0 {
			return child.Children[0].Name.Local
		}
	}
	return "undefined-condition"
}

// Ping asks whether somebody is there (XEP-0199).
func (c *Client) Ping(ctx context.Context, to string) error {
	_, err := c.Ask(ctx, "get", to, "<ping xmlns='urn:xmpp:ping'/>")
	return err
}

// Show sends presence: available, or away, chat, dnd, xa.
func (c *Client) Show(ctx context.Context, show string) error {
	stanza := "<presence><status>status-" + Canary + "</status></presence>"
	if show != "available" {
		stanza = "<presence><show>" + show + "</show><status>status-" + Canary + "</status></presence>"
	}
	return c.Send(ctx, stanza)
}

// Message sends a chat message.
func (c *Client) Message(ctx context.Context, to, body string) error {
	return c.Send(ctx, "<message type='chat' to='"+xmpp.Escape(to)+"'><body>"+xmpp.Escape(body)+"</body></message>")
}

// Join enters a room, which comes into being with its first occupant, and waits until it is in.
func (c *Client) Join(ctx context.Context, room, nick string) error {
	self := room + "/" + nick
	if err := c.Send(ctx, "<presence to='"+xmpp.Escape(self)+"'><x xmlns='http://jabber.org/protocol/muc'/></presence>"); err != nil {
		return err
	}
	return c.Ping(ctx, self) // XEP-0410: a room answers its occupants
}

// Close logs out.
func (c *Client) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second) // the server may be frozen
	defer cancel()
	_ = c.Send(ctx, "<presence type='unavailable'/></stream:stream>")
	c.cancel()
	<-c.ended
	_ = c.stream.Abort()
}

// Drop closes the connection without a word, as a network does.
func (c *Client) Drop() {
	_ = c.stream.Abort()
	c.cancel()
	<-c.ended
}
