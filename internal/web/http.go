// SPDX-License-Identifier: Apache-2.0

// Package web is just enough HTTP/1.1 and WebSocket (RFC 9112, RFC 6455) to probe a server over a connection that the caller
// made. It imports the standard library only, and not net/http: that would add a third of a megabyte to every plugin.
//
// The peer is never trusted: what it sends is bounded, and no call outlives its context.
package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"time"
)

// What an answer may have.
const (
	MaxBody    = 256 << 10
	maxHeaders = 64 << 10
)

// What can go wrong beside the network; test with errors.Is.
var (
	ErrMalformed = errors.New("not an HTTP answer")
	ErrTooLarge  = fmt.Errorf("the answer is larger than %d KiB", MaxBody>>10)
)

// Conn is a connection to a web server, for one request at a time.
type Conn struct {
	net  net.Conn
	in   *bufio.Reader
	left int64 // bytes that the current answer may still have
}

// New takes over a connection.
func New(conn net.Conn) *Conn {
	c := &Conn{net: conn}
	c.in = bufio.NewReaderSize(bounded{c}, 4096)
	return c
}

// Close closes the connection.
func (c *Conn) Close() error { return c.net.Close() }

// Request is what is asked for.
type Request struct {
	Method, Host, Path string   // Path with its query
	Header             []string // name, value, name, value …
	Body               string
}

// Answer is what a server said.
type Answer struct {
	Status int
	Header textproto.MIMEHeader
	Body   []byte
	Last   bool // the server will close the connection
}

// Do sends a request and reads the whole answer.
func (c *Conn) Do(ctx context.Context, r Request) (*Answer, error) {
	defer c.guard(ctx)()
	a, err := c.exchange(r)
	if err != nil {
		return nil, err
	}
	a.Body, err = c.body(a)
	return a, err
}

// exchange sends a request and reads the head of the answer.
func (c *Conn) exchange(r Request) (*Answer, error) {
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: ejabberd_exporter\r\n", r.Method, r.Path, r.Host)
	for i := 0; i+1 < len(r.Header); i += 2 {
		fmt.Fprintf(&head, "%s: %s\r\n", r.Header[i], r.Header[i+1])
	}
	if r.Body != "" {
		fmt.Fprintf(&head, "Content-Length: %d\r\n", len(r.Body))
	}
	c.left = maxHeaders + MaxBody
	if _, err := io.WriteString(c.net, head.String()+"\r\n"+r.Body); err != nil {
		return nil, err
	}
	for {
		a, err := c.head()
		if err != nil || a.Status == 101 || a.Status >= 200 {
			return a, err
		}
	}
}

// head reads the status line and the headers.
func (c *Conn) head() (*Answer, error) {
	line, err := c.line()
	if err != nil {
		return nil, err
	}
	version, rest, _ := strings.Cut(line, " ")
	code, _, _ := strings.Cut(rest, " ")
	status, err := strconv.Atoi(code)
	if err != nil || len(code) != 3 || !strings.HasPrefix(version, "HTTP/1.") {
		return nil, ErrMalformed
	}
	header, err := textproto.NewReader(c.in).ReadMIMEHeader()
	if _, bad := errors.AsType[textproto.ProtocolError](err); bad {
		return nil, ErrMalformed
	}
	last := version == "HTTP/1.0" || strings.EqualFold(header.Get("Connection"), "close")
	return &Answer{Status: status, Header: header, Last: last}, err
}

// body reads what the head announces.
func (c *Conn) body(a *Answer) ([]byte, error) {
	c.left = MaxBody + 4096 // with the overhead of a few chunks, and what is buffered
	switch length := a.Header.Get("Content-Length"); {
	case a.Status == 204 || a.Status == 304:
		return nil, nil
	case strings.EqualFold(a.Header.Get("Transfer-Encoding"), "chunked"):
		return c.chunks()
	case length != "":
		n, err := strconv.ParseUint(length, 10, 63)
		if err != nil {
			return nil, ErrMalformed
		}
		if n > MaxBody {
			return nil, ErrTooLarge
		}
		body := make([]byte, n)
		_, err = io.ReadFull(c.in, body)
		return body, err
	}
	a.Last = true
	body, err := io.ReadAll(io.LimitReader(c.in, MaxBody+1))
	if len(body) > MaxBody {
		return nil, ErrTooLarge
	}
	return body, err
}

// chunks reads a body that comes in pieces.
func (c *Conn) chunks() (body []byte, err error) {
	for {
		line, err := c.line()
		if err != nil {
			return nil, err
		}
		size, _, _ := strings.Cut(line, ";")
		n, err := strconv.ParseUint(strings.TrimSpace(size), 16, 63)
		switch {
		case err != nil:
			return nil, ErrMalformed
		case n > MaxBody || uint64(len(body))+n > MaxBody:
			return nil, ErrTooLarge
		case n == 0:
			_, err := textproto.NewReader(c.in).ReadMIMEHeader() // trailers
			return body, err
		}
		at := len(body)
		body = append(body, make([]byte, n)...)
		if _, err := io.ReadFull(c.in, body[at:]); err != nil {
			return nil, err
		}
		if line, err := c.line(); err != nil || line != "" {
			return nil, errors.Join(ErrMalformed, err)
		}
	}
}

// line reads one whole line: textproto would take a part of one for it where the connection ends.
func (c *Conn) line() (string, error) {
	text, err := c.in.ReadString('\n')
	if err != nil {
		return "", err
	}
	return strings.TrimRight(text, "\r\n"), nil
}

// bounded reads no more of the connection than the answer may have.
type bounded struct{ *Conn }

func (b bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, ErrTooLarge
	}
	n, err := b.net.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// guard makes a blocking call end with its context: connections know nothing of contexts, only of deadlines.
func (c *Conn) guard(ctx context.Context) (release func()) {
	deadline, _ := ctx.Deadline()   // the zero time is no deadline
	_ = c.net.SetDeadline(deadline) // fails on a closed connection only: the call itself will say so
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(interrupted)
		_ = c.net.SetDeadline(time.Unix(1, 0))
	})
	return func() {
		if !stop() {
			<-interrupted // or it would hit the next call
		}
	}
}
