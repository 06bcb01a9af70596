// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path"
	"sync"
	"testing"
)

// relay stands between exporter and API, and counts. Where ejabberd cannot be reached it hangs up. What was sent counts until
// ejabberd has answered: it carries a command out whether somebody waits for it or not.
type relay struct {
	url string

	mu    sync.Mutex
	open  map[string]int
	most  int // requests of one command at a time
	calls int
}

func newRelay(t *testing.T, api string) *relay {
	t.Helper()
	target, err := url.Parse(api)
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{open: map[string]int{}}
	proxy := &httputil.ReverseProxy{
		Transport: &http.Transport{MaxIdleConnsPerHost: 4},
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host = target.Scheme, target.Host
		},
		ErrorLog:     slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug), // it says what the tests break
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		command := path.Base(q.URL.Path)
		r.add(command, 1)
		defer r.add(command, -1)
		ctx, cancel := context.WithCancel(context.WithoutCancel(q.Context()))
		defer cancel()
		proxy.ServeHTTP(w, q.WithContext(ctx))
	}))
	t.Cleanup(server.Close)
	r.url = server.URL + target.Path
	return r
}

func (r *relay) add(command string, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open[command] += n
	r.most = max(r.most, r.open[command])
	if n > 0 {
		r.calls++
	}
}

// count gives the calls so far and the most of one command at a time since the last count.
func (r *relay) count() (calls, most int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls, most = r.calls, r.most
	r.most = 0
	for _, open := range r.open {
		r.most = max(r.most, open)
	}
	return calls, most
}
