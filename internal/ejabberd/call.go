// SPDX-License-Identifier: Apache-2.0

package ejabberd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"
)

const (
	maxAnswer = 1 << 20 // bytes of an answer that is read into memory
	maxList   = 1 << 30 // bytes of a streamed one; a million sessions are 200 MB

	// maxLeft is how long a request that was given up may keep the next one from being sent: its answer may never come, where a
	// firewall or another host is between.
	maxLeft = 5 * time.Minute
)

// arguments of a command, as JSON.
type arguments struct {
	Name string `json:"name,omitempty"`
	Host string `json:"host,omitempty"`

	Service string `json:"service,omitempty"`
}

// take waits until no other request of the command is open. For one that somebody gave up it waits as long as for an answer, and says
// the same if there is none.
func (c *Client) take(ctx context.Context, cmd command) (release func(), err error) {
	late := func() error {
		return fmt.Errorf("ejabberd %s: %w", specs[cmd].name, unanswered(ctx, ctx.Err()))
	}
	select {
	case c.slots[cmd] <- struct{}{}:
	case <-ctx.Done():
		return nil, late()
	}
	release = func() { <-c.slots[cmd] }
	if c.left[cmd] == nil {
		return release, nil
	}
	patience := time.NewTimer(c.options.Timeout)
	defer patience.Stop()
	select {
	case <-c.left[cmd]:
		c.left[cmd] = nil
		return release, nil
	case <-patience.C:
		err = fmt.Errorf("ejabberd %s: %w", specs[cmd].name, ErrTimeout)
	case <-ctx.Done():
		err = late()
	}
	release()
	return nil, err
}

// call sends a command whose slot the caller holds, and has the answer read. What read finds wrong becomes ErrAnswer.
func (c *Client) call(ctx context.Context, cmd command, host string, read func(io.Reader) error) error {
	s := &specs[cmd]
	if s.sessions && c.inSQL(host) {
		return fmt.Errorf("ejabberd %s: %w", s.name, ErrSessionsInSQL)
	}
	request, err := c.request(s, host)
	if err != nil {
		return fmt.Errorf("ejabberd %s: %w", s.name, err)
	}
	timeout := c.options.Timeout
	if s.list {
		timeout *= 10
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	begin := time.Now()
	answer, err := c.send(ctx, request, cmd, read)
	if err != nil && answer.broken {
		err = unanswered(ctx, err)
	}
	c.journal.add(s, answer, err, time.Since(begin))
	if err != nil {
		return fmt.Errorf("ejabberd %s: %w", s.name, err)
	}
	return nil
}

// request makes the request of a command. POST with a JSON body is what every release understands.
func (c *Client) request(s *spec, host string) (*http.Request, error) {
	body, err := json.Marshal(arguments{Name: s.stat, Host: host, Service: s.service})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest(http.MethodPost, c.base+s.name, bytes.NewReader(body)) //nolint:noctx // call adds it
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "ejabberd_exporter")
	// Commands only read. This lets the transport send one again when ejabberd closed the idle connection; nil is not sent.
	request.Header["Idempotency-Key"] = nil
	if c.options.User != "" {
		password, err := c.options.Password()
		if err != nil {
			return nil, fmt.Errorf("password of the API account: %w", err)
		}
		request.SetBasicAuth(c.options.User, password)
	}
	return request, nil
}

// answer is what is known about how a call was answered.
type answer struct {
	status int  // HTTP status, 0 for no answer
	html   bool // a page for people: no answer of mod_http_api
	broken bool // the connection failed before the answer was complete
}

// roundTrip waits for the head of an answer. It uses the transport itself: a redirect is an answer like others, it is not followed.
// Where ctx ends first the request stays open until ejabberd has dealt with it, and the answer is thrown away. Until end is called
// the body can be read.
func (c *Client) roundTrip(ctx context.Context, request *http.Request, cmd command) (response *http.Response, end func(), err error) {
	type reply struct {
		*http.Response
		err error
	}
	replies := make(chan reply, 1)
	open, quit := context.WithCancel(context.Background())
	request.Close = c.stop.Err() != nil // nobody would use the connection again
	go func() {
		response, err := c.transport.RoundTrip(request.WithContext(open)) //nolint:bodyclose // whoever receives it does
		replies <- reply{response, err}
	}()
	select {
	case r := <-replies:
		context.AfterFunc(ctx, quit)
		return r.Response, quit, r.err
	case <-ctx.Done():
	}
	left := make(chan struct{})
	c.left[cmd] = left
	limit := time.AfterFunc(maxLeft, quit)
	forgotten := context.AfterFunc(c.stop, quit)
	go func() {
		defer close(left)
		defer forgotten()
		r := <-replies
		limit.Stop()
		quit()
		if r.err == nil {
			_ = r.Body.Close()
		}
	}()
	return nil, func() {}, ctx.Err()
}

// send sends the request and has the answer read.
func (c *Client) send(ctx context.Context, request *http.Request, cmd command, read func(io.Reader) error) (answer, error) {
	response, end, err := c.roundTrip(ctx, request, cmd)
	defer end()
	if err != nil {
		return answer{broken: true}, err
	}
	s := &specs[cmd]
	defer response.Body.Close()
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	a := answer{status: response.StatusCode, html: kind == "text/html"}
	body := &bounded{r: response.Body, left: maxAnswer}
	if response.StatusCode != http.StatusOK {
		text, err := io.ReadAll(io.LimitReader(body, 4<<10))
		if err != nil {
			text = nil // the status says enough
		}
		return a, refusal(s, response.StatusCode, text)
	}
	if s.list {
		body.left = maxList
	}
	err = read(body)
	switch {
	case body.err != nil:
		a.broken = true
		return a, body.err
	case err != nil:
		return a, ErrAnswer // err may quote the answer
	}
	return a, nil
}

// bounded reads at most left bytes and remembers what went wrong below, to tell a broken connection from a bad answer.
type bounded struct {
	r    io.Reader
	left int64
	err  error
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, io.ErrShortBuffer
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}
