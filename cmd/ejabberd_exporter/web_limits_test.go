// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// patience is how long the tests wait for the exporter to lose its own.
const patience = time.Minute

// dialed opens a bare connection to the exporter and says the first words.
func (d *daemon) dialed(t *testing.T, words string) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(d.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, words); err != nil {
		t.Fatal(err)
	}
	return conn
}

// hungUp waits until the exporter has closed the connection.
func hungUp(t *testing.T, conn net.Conn, what string) {
	t.Helper()
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%s: still connected after %v", what, patience)
	}
}

// TestLoopbackByDefault: who installs it and does nothing else shows it to nobody else.
func TestLoopbackByDefault(t *testing.T) {
	addresses := *parsed(t).web.WebListenAddresses
	for _, address := range addresses {
		if at, err := netip.ParseAddrPort(address); err != nil || !at.Addr().IsLoopback() {
			t.Errorf("it listens on %s", address)
		}
	}
	if len(addresses) == 0 {
		t.Error("it listens nowhere")
	}
}

// TestSlowClients: hundreds that never finish what they say keep nobody else from being served, and are hung up on.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	d := serve(t, "--ejabberd.config="+file(t, "ejabberd.yml", uploadsIn(t.TempDir())))
	slow := map[string]net.Conn{}
	for i := range 200 {
		slow[fmt.Sprint("header ", i)] = d.dialed(t, "GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: ")
	}
	slow["body"] = d.dialed(t, "POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx")
	slow["body in chunks"] = d.dialed(t, "GET /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\nx")
	success(t, d.scrape(t, scrapeTimeout))
	for what, conn := range slow {
		hungUp(t, conn, what)
	}
	success(t, d.scrape(t, scrapeTimeout))
}

// TestSlowReaders: who asks and does not read the answers is hung up on as well, for pages of any size.
func TestSlowReaders(t *testing.T) {
	t.Parallel()
	d := serve(t, "--ejabberd.config="+file(t, "ejabberd.yml", uploadsIn(t.TempDir())))
	for _, path := range []string{"/metrics", "/-/healthy", "/nothing"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			ask := "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"
			conn := d.dialed(t, ask)
			for {
				_, err := io.WriteString(conn, ask)
				if errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("still connected after %v", patience)
				}
				if err != nil {
					return
				}
			}
		})
	}
}

// TestLargeRequests: what is too large is refused before it is kept.
func TestLargeRequests(t *testing.T) {
	t.Parallel()
	d := serve(t, "--ejabberd.config="+file(t, "ejabberd.yml", uploadsIn(t.TempDir())))
	long := strings.Repeat("x", 64<<10)
	for what, c := range map[string]struct {
		request string
		status  int
	}{
		"header":  {"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Long: " + long + "\r\n\r\n", http.StatusRequestHeaderFieldsTooLarge},
		"address": {"GET /probe?module=" + long + " HTTP/1.1\r\nHost: x\r\n\r\n", http.StatusRequestHeaderFieldsTooLarge},
		"many":    {"GET /metrics HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-A: b\r\n", 8<<10) + "\r\n", http.StatusRequestHeaderFieldsTooLarge},
		"method":  {"DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n", http.StatusMethodNotAllowed},
		"body":    {"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n", http.StatusMethodNotAllowed},
		"usual":   {"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Short: " + long[:8<<10] + "\r\n\r\n", http.StatusOK},
	} {
		// The exporter answers before it has read everything, and may then reset the connection.
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(d.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, c.request)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%s: %v", what, err)
		} else if answer.StatusCode != c.status {
			t.Errorf("%s: status %d, want %d", what, answer.StatusCode, c.status)
		}
		_ = conn.Close()
	}
}

// TestPanicsSayNothing: what a page panics with could be anybody's data, so neither client nor log is told.
func TestPanicsSayNothing(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /probe", func(http.ResponseWriter, *http.Request) { panic("password of person-" + service.Canary) })
	var log lockedLog
	server := httptest.NewUnstartedServer(calm(mux, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	server.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(&log, nil), slog.LevelDebug)
	server.Start()
	defer server.Close()
	status, body := (&daemon{URL: server.URL}).get(t, "/probe?target=person-"+service.Canary, scrapeTimeout)
	if status != http.StatusInternalServerError || !strings.Contains(body, "this is a bug") {
		t.Errorf("status %d: %s", status, body)
	}
	if !strings.Contains(log.String(), `page="GET /probe"`) || strings.Contains(log.String(), "127.0.0.1") {
		t.Errorf("the log says\n%s", &log)
	}
	noSecrets(t, body, log.String())
}
