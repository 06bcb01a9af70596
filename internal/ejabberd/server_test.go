// SPDX-License-Identifier: Apache-2.0

package ejabberd

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server plays mod_http_api: it answers by "COMMAND BODY" and writes down what it was asked.
type server struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

func serve(t *testing.T, handler http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		call := strings.TrimPrefix(r.URL.Path, "/api/") + " " + string(body)
		s.mu.Lock()
		s.asked = append(s.asked, call)
		s.mu.Unlock()
		r.Pattern = call
		handler(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// answers plays a server with fixed answers.
func answers(t *testing.T, by map[string]string) *server {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		text, ok := by[r.Pattern]
		w.Header().Set("Content-Type", "application/json")
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			text = `{"status":"error","code":40,"message":"Endpoint not found."}`
		}
		_, _ = io.WriteString(w, text)
	})
}

func (s *server) calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.asked...)
}

// client makes a client with a short deadline; edit may change its options.
func client(t *testing.T, url string, edit ...func(*Options)) *Client {
	t.Helper()
	o := Options{URL: url + "/api", Timeout: 2 * time.Second}
	for _, e := range edit {
		e(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// calls of the whole API of the package, by the command that they send first.
var calls = map[string]func(context.Context, *Client) error{
	"status":                 func(ctx context.Context, c *Client) error { _, _, err := c.Status(ctx); return err },
	"registered_vhosts":      func(ctx context.Context, c *Client) error { _, err := c.Vhosts(ctx); return err },
	"stats":                  func(ctx context.Context, c *Client) error { _, err := c.Uptime(ctx); return err },
	"connected_users_number": func(ctx context.Context, c *Client) error { _, err := c.SessionCount(ctx); return err },
	"incoming_s2s_number":    func(ctx context.Context, c *Client) error { _, _, err := c.S2S(ctx); return err },
	"connected_users": func(ctx context.Context, c *Client) error {
		return c.ConnectedUsers(ctx, func(string, Account) {})
	},
	"connected_users_info": func(ctx context.Context, c *Client) error {
		return c.ConnectedUsersInfo(ctx, func(Session) {})
	},
	"muc_online_rooms_count": func(ctx context.Context, c *Client) error { _, err := c.RoomCount(ctx); return err },
	"muc_online_rooms": func(ctx context.Context, c *Client) error {
		return c.OnlineRooms(ctx, func(string) {})
	},
}
