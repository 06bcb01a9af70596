// SPDX-License-Identifier: Apache-2.0

package ejabberd

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestNewRefuses(t *testing.T) {
	password := func() (string, error) { return "", nil }
	for name, o := range map[string]Options{
		"nothing":                 {},
		"no scheme":               {URL: "127.0.0.1:5281/api"},
		"other scheme":            {URL: "ftp://127.0.0.1/" + canary},
		"not a URL":               {URL: "http://" + canary + "\n:%"},
		"password in the URL":     {URL: "http://exporter:" + canary + "@127.0.0.1/api"},
		"query":                   {URL: "http://127.0.0.1/api?key=" + canary},
		"user without domain":     {URL: "http://127.0.0.1/api", User: canary, Password: password},
		"user without a password": {URL: "http://127.0.0.1/api", User: canary + "@example.org"},
	} {
		c, err := New(o)
		if err == nil || c != nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), canary) {
			t.Errorf("%s: the error quotes what was given: %v", name, err)
		}
	}
}

// Each connection costs a line in ejabberd's log, each open request one of its processes.
func TestOneConnectionOneRequestOfACommandAtATime(t *testing.T) {
	var open, most, connections atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n := open.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer open.Add(-1)
		_, _ = io.WriteString(w, `{"stat":1}`)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	c := client(t, s.URL)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := c.Uptime(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most.Load() != 1 || connections.Load() != 1 {
		t.Errorf("%d requests at a time on %d connections, want 1 on 1", most.Load(), connections.Load())
	}
	if got := c.Requests(); len(got) != 1 || got[0].N != 20 || got[0].Code != "200" || got[0].Seconds <= 0 {
		t.Errorf("Requests = %+v", got)
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	arrived := make(chan struct{})
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { close(arrived); <-r.Context().Done() })
	c := client(t, s.URL)
	first, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _, _ = c.Uptime(first) }()
	<-arrived
	second, giveUp := context.WithCancel(t.Context())
	giveUp()
	if _, err := c.Uptime(second); !errors.Is(err, context.Canceled) {
		t.Errorf("second call: %v", err)
	}
	cancel()
	<-done
	if n := len(s.calls()); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}

// ejabberd carries out what it was sent, though nobody waits any more: callers that come and give up must not pile up work there.
func TestNoRequestFollowsOneThatWasGivenUp(t *testing.T) {
	awake := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { <-awake; _, _ = io.WriteString(w, `{"stat":1}`) })
	c := client(t, s.URL, func(o *Options) { o.Timeout = 30 * time.Millisecond })
	for range 5 {
		if _, err := c.Uptime(t.Context()); !errors.Is(err, ErrTimeout) {
			t.Errorf("hanging: %v", err)
		}
	}
	if n := len(s.calls()); n != 1 {
		t.Errorf("%d calls while ejabberd hangs, want 1", n)
	}
	close(awake)
	for began := time.Now(); ; {
		_, err := c.Uptime(t.Context())
		if err == nil {
			break
		}
		if time.Since(began) > 10*time.Second {
			t.Fatal(err)
		}
	}
	if n := len(s.calls()); n < 2 {
		t.Error("what was given up was taken for the answer of another")
	}
}

// Whether somebody asks an ejabberd that hangs or waits for another who does is the same to an operator: it must not be told as news.
func TestWhoWaitsSaysWhatTheOtherSays(t *testing.T) {
	arrived := make(chan struct{}, 1)
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { arrived <- struct{}{}; <-r.Context().Done() })
	c := client(t, s.URL, func(o *Options) { o.Timeout = 200 * time.Millisecond })
	asked := make(chan error)
	go func() { _, err := c.Uptime(t.Context()); asked <- err }()
	<-arrived
	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, waited := c.Uptime(short)
	if failure := <-asked; !errors.Is(waited, ErrTimeout) || waited.Error() != failure.Error() {
		t.Errorf("the one who waits: %v\nthe one who asks: %v", waited, failure)
	}
}

// A new discovery closes the client of the one before while others still ask through it: that is no outage of ejabberd's.
func TestCloseLetsCallsFinish(t *testing.T) {
	arrived, awake := make(chan struct{}, 2), make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-awake
		_, _ = io.WriteString(w, `{"stat":1}`)
	})
	c := client(t, s.URL)
	asked := make(chan error)
	go func() { _, err := c.Uptime(t.Context()); asked <- err }()
	<-arrived
	c.Close()
	close(awake)
	if err := <-asked; err != nil {
		t.Errorf("the call under way: %v", err)
	}
	if _, err := c.Uptime(t.Context()); err != nil {
		t.Errorf("the next one of the same run: %v", err)
	}
}

// TestCloseEndsWhatNobodyWaitsFor: it would hold a connection for minutes.
func TestCloseEndsWhatNobodyWaitsFor(t *testing.T) {
	ended := make(chan struct{})
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done(); close(ended) })
	c := client(t, s.URL, func(o *Options) { o.Timeout = 30 * time.Millisecond })
	if _, err := c.Uptime(t.Context()); !errors.Is(err, ErrTimeout) {
		t.Fatal(err)
	}
	c.Close()
	<-ended
}

// ejabberd closes connections that are idle for long: the next call must not fail for that.
func TestClosedIdleConnection(t *testing.T) {
	s := answers(t, dialects["26.07"])
	c := client(t, s.URL)
	for range 3 {
		if _, err := c.Uptime(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.CloseClientConnections()
	}
}

func TestBasicAuth(t *testing.T) {
	var user, password string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ = r.BasicAuth()
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(s.Close)
	secret, failure := canary, error(nil)
	c := client(t, s.URL, func(o *Options) {
		o.User = "exporter@example.org"
		o.Password = func() (string, error) { return secret, failure }
	})
	_, err := c.Uptime(t.Context())
	if user != "exporter@example.org" || password != canary {
		t.Errorf("sent %q, %q", user, password)
	}
	if err == nil || strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), "exporter@") {
		t.Errorf("Uptime: %v", err)
	}
	secret = "changed"
	_, _ = c.Uptime(t.Context())
	if password != "changed" {
		t.Errorf("the password is not asked again: %q", password)
	}
	failure = errors.New("no such file")
	if _, err := c.Uptime(t.Context()); !errors.Is(err, failure) {
		t.Errorf("Uptime: %v, want the error of Password", err)
	}
}

func TestTLS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "7") }))
	s.Config.ErrorLog = nil
	t.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	for name, c := range map[string]struct {
		edit func(*Options)
		ok   bool
	}{
		"unknown authority": {func(*Options) {}, false},
		"authority":         {func(o *Options) { o.CA, o.ServerName = pool, "example.com" }, true},
		"wrong name":        {func(o *Options) { o.CA, o.ServerName = pool, "libre.test" }, false},
		"insecure":          {func(o *Options) { o.Insecure = true }, true},
	} {
		_, err := client(t, s.URL, c.edit).Uptime(t.Context())
		switch {
		case c.ok && err != nil:
			t.Errorf("%s: %v", name, err)
		case !c.ok && (!errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "certificate is not accepted")):
			t.Errorf("%s: %v, want the certificate not accepted", name, err)
		}
	}
}

func TestUnknownVhostIsNotAsked(t *testing.T) {
	s := answers(t, dialects["26.07"])
	if _, err := client(t, s.URL).Sessions(t.Context(), "nosuch.example"); !errors.Is(err, ErrUnknownVhost) {
		t.Errorf("Sessions: %v", err)
	}
	if got := s.calls(); len(got) != 1 || got[0] != "registered_vhosts {}" {
		t.Errorf("asked %q", got)
	}
}

func TestSessionsInSQLAreNotAsked(t *testing.T) {
	s := answers(t, dialects["26.07"])
	c := client(t, s.URL, func(o *Options) { o.SessionsInSQL = []string{"libre.test"} })
	if _, err := c.Sessions(t.Context(), "libre.test"); !errors.Is(err, ErrSessionsInSQL) {
		t.Errorf("Sessions: %v", err)
	}
	for _, command := range []string{"connected_users_number", "connected_users", "connected_users_info"} {
		if err := calls[command](t.Context(), c); !errors.Is(err, ErrSessionsInSQL) {
			t.Errorf("%s: %v", command, err)
		}
	}
	if got := s.calls(); len(got) != 1 || got[0] != "registered_vhosts {}" {
		t.Errorf("asked %q", got)
	}
	if n, err := c.Sessions(t.Context(), "chapril.org"); err != nil || n != 2 {
		t.Errorf("Sessions of a vhost in memory = %d, %v", n, err)
	}
}

func TestStatusAndVhostsAreKeptForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c cached[int]
		fetched, broken, turn := 0, error(nil), true
		get := func() (int, error) {
			return c.get(func() bool { return turn }, func() (int, error) { fetched++; return fetched, broken })
		}
		for _, step := range []struct {
			after int // seconds
			err   error
			want  int
		}{
			{0, nil, 1},
			{299, nil, 1},
			{2, errors.New("down"), 0},
			{0, nil, 3}, // a failure is not kept
			{299, nil, 3},
		} {
			wait(t, step.after)
			broken = step.err
			if got, err := get(); got != step.want || !errors.Is(err, step.err) {
				t.Errorf("%+v: %d, %v", step, got, err)
			}
		}
		turn = false // others ask
		for _, want := range []int{3, 4} {
			wait(t, 151) // after 450 s of age, and 601
			if got, _ := get(); got != want {
				t.Errorf("without a turn: %d, want %d", got, want)
			}
		}
	})
}

// TestOneRareQuestionInTenSeconds: the others wait.
func TestOneRareQuestionInTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Client
		for _, step := range []struct {
			after int
			want  bool
		}{{0, true}, {0, false}, {9, false}, {1, true}, {5, false}, {60, true}} {
			wait(t, step.after)
			if got := c.Turn(); got != step.want {
				t.Errorf("%+v: %v", step, got)
			}
		}
	})
}

// wait lets seconds of synctest's time pass.
func wait(t *testing.T, seconds int) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(seconds)*time.Second)
	defer cancel()
	<-ctx.Done()
}
