// SPDX-License-Identifier: Apache-2.0

package ejabberd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const canary = "canary-juliet"

// TestFailures plays every wrong answer to every call: the error says which command, what happened and what to do, and never
// what the server sent.
func TestFailures(t *testing.T) {
	const (
		refused403 = `{"status":"error","code":32,"message":"AccessRules: Account does not have the right ` + canary + `"}`
		refused401 = `{"status":"error","code":10,"message":"You are not authorized to call this command."}`
		page       = "<html><body>" + canary + "</body></html>"
	)
	for _, c := range []struct {
		name   string
		status int
		kind   string
		body   string
		want   error  // wrapped by the error; nil for *Refused
		text   string // contained in the error
		up     bool
	}{
		{"no permission", 403, "application/json", refused403, nil, "api_permissions", true},
		{"bad account", 401, "application/json", refused401, nil, "password is wrong", true},
		{"older server", 404, "application/json", `{"status":"error","code":40,"message":"Endpoint not found."}`, ErrUnknownCommand, "release", true},
		{"unknown command", 400, "application/json", `"unknown_command"`, ErrUnknownCommand, "release", true},
		{"no handler", 404, "text/html", page, ErrNoAPI, "request_handlers", true},
		{"other arguments", 400, "application/json", `"Request have missing argument: ` + canary + `"`, ErrFailed, "log", true},
		{"internal error", 500, "application/json", `"internal_error"`, ErrFailed, "log", true},
		{"proxy, ejabberd down", 502, "text/html", page, ErrProxy, "proxy", false},
		{"proxy, overloaded", 503, "text/html", page, ErrProxy, "proxy", false},
		{"proxy, ejabberd hangs", 504, "text/html", page, ErrProxy, "proxy", false},
		{"proxy limits", 429, "text/html", page, ErrAnswer, "--ejabberd.url", false},
		{"redirect", 302, "text/html", page, ErrAnswer, "--ejabberd.url", false},
		{"page instead of an answer", 200, "text/html; charset=utf-8", page, ErrAnswer, "--ejabberd.url", false},
		{"empty", 200, "application/json", "", ErrAnswer, "--ejabberd.url", true},
		{"null", 200, "application/json", "null", ErrAnswer, "--ejabberd.url", true},
		{"cut JSON", 200, "application/json", `{"stat":`, ErrAnswer, "--ejabberd.url", true},
		{"other key", 200, "application/json", `{"` + canary + `":1}`, ErrAnswer, "--ejabberd.url", true},
		{"null in key", 200, "application/json", `{"stat":null}`, ErrAnswer, "--ejabberd.url", true},
		{"two keys", 200, "application/json", `{"stat":1,"num_sessions":1,"s2s_incoming":1}`, ErrAnswer, "--ejabberd.url", true},
		{"negative", 200, "application/json", `-1`, ErrAnswer, "--ejabberd.url", true},
		{"fraction", 200, "application/json", `1.5`, ErrAnswer, "--ejabberd.url", true},
		{"huge", 200, "application/json", `99999999999999999999999`, ErrAnswer, "--ejabberd.url", true},
		{"number and more", 200, "application/json", `1 ` + canary, ErrAnswer, "--ejabberd.url", true},
		{"text", 200, "application/json", `"` + canary + `"`, ErrAnswer, "--ejabberd.url", true},
		{"list of numbers", 200, "application/json", `[1]`, ErrAnswer, "--ejabberd.url", true},
		{"list with null", 200, "application/json", `[null]`, ErrAnswer, "--ejabberd.url", true},
		{"list of texts", 200, "application/json", `["` + canary + `",]`, ErrAnswer, "--ejabberd.url", true},
		{"list without end", 200, "application/json", `[`, ErrAnswer, "--ejabberd.url", true},
		{"too long", 200, "application/json", strings.Repeat(" ", maxAnswer+1), ErrAnswer, "--ejabberd.url", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", c.kind)
				w.Header().Set("Location", "/elsewhere/"+canary)
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			for command, call := range calls {
				client := client(t, s.URL)
				err := call(t.Context(), client)
				if err == nil {
					t.Errorf("%s: no error", command)
					continue
				}
				var refused *Refused
				switch {
				case c.want != nil && !errors.Is(err, c.want):
					t.Errorf("%s: %v, want %v", command, err, c.want)
				case c.want == nil && (!errors.As(err, &refused) || refused.Status != c.status || refused.Command != command):
					t.Errorf("%s: %v, want *Refused", command, err)
				}
				for _, part := range []string{"ejabberd " + command + ": ", c.text} {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("%s: %q lacks %q", command, err, part)
					}
				}
				if c.status != 200 && !strings.Contains(err.Error(), fmt.Sprintf("HTTP %d", c.status)) {
					t.Errorf("%s: %q lacks the status", command, err)
				}
				if strings.Contains(err.Error(), canary) {
					t.Errorf("%s: the error quotes the answer: %v", command, err)
				}
				if up, known := client.Up(); up != c.up || !known {
					t.Errorf("%s: Up = %t, %t; want %t", command, up, known, c.up)
				}
			}
			for _, call := range s.calls() {
				if strings.Contains(call, "elsewhere") {
					t.Errorf("followed the redirect: %s", call)
				}
			}
		})
	}
}

func TestConnectionRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	c := client(t, "http://"+address)
	if _, known := c.Up(); known {
		t.Error("known before the first call")
	}
	_, err = c.Uptime(t.Context())
	if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "connection refused") || strings.Contains(err.Error(), address) {
		t.Errorf("Uptime: %v", err)
	}
	if up, known := c.Up(); up || !known {
		t.Errorf("Up = %t, %t; want false, true", up, known)
	}
	if got := c.Requests(); len(got) != 1 || got[0].Command != "stats" || got[0].Code != "error" || got[0].N != 1 {
		t.Errorf("Requests = %+v", got)
	}
}

// TestDeadline lets the server hang before the answer, in its head, and without an end.
func TestDeadline(t *testing.T) {
	short := func(o *Options) { o.Timeout = 30 * time.Millisecond }
	for name, handler := range map[string]http.HandlerFunc{
		"no answer": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"half an answer": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "[")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
		"drops": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, " ")
				w.(http.Flusher).Flush()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, handler)
			for command, call := range calls {
				c := client(t, s.URL, short)
				begin := time.Now()
				err := call(t.Context(), c)
				if !errors.Is(err, ErrTimeout) && !errors.Is(err, ErrAnswer) { // drops may reach the bound first
					t.Errorf("%s: %v, want ErrTimeout", command, err)
				}
				if took := time.Since(begin); took > 2*time.Second {
					t.Errorf("%s took %s", command, took)
				}
				if got := c.Requests(); errors.Is(err, ErrTimeout) && got[0].Code != "timeout" {
					t.Errorf("%s: Requests = %+v", command, got)
				}
			}
		})
	}
}

func TestSlowListsDoNotMeanDown(t *testing.T) {
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	c := client(t, s.URL, func(o *Options) { o.Timeout = 5 * time.Millisecond })
	if err := c.ConnectedUsers(t.Context(), func(string, Account) {}); !errors.Is(err, ErrTimeout) {
		t.Fatal(err)
	}
	if up, known := c.Up(); known {
		t.Errorf("Up = %t, %t after a slow list; want unknown", up, known)
	}
	if _, err := c.Uptime(t.Context()); !errors.Is(err, ErrTimeout) {
		t.Fatal(err)
	}
	if up, known := c.Up(); up || !known {
		t.Errorf("Up = %t, %t after a timeout; want false", up, known)
	}
}

func TestCancelledCallTeachesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
	c := client(t, s.URL)
	if _, err := c.Uptime(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Uptime: %v, want context.Canceled", err)
	}
	if _, known := c.Up(); known {
		t.Error("a cancelled call decided whether ejabberd is up")
	}
}

func TestCutConnection(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, "[")
	}))
	t.Cleanup(s.Close)
	for command, call := range calls {
		err := call(t.Context(), client(t, s.URL))
		if !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %v, want ErrUnreachable", command, err)
		}
	}
}
