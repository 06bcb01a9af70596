// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/web"
)

// scripted is a connection to a server that reads whatever comes, and writes answer, what stands behind "…" again and again.
func scripted(t *testing.T, answer string) *web.Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	first, again, endless := strings.Cut(answer, "…")
	go func() { _, _ = io.Copy(io.Discard, theirs) }()
	go func() {
		defer theirs.Close()
		_, err := io.WriteString(theirs, first)
		for err == nil && endless {
			_, err = io.WriteString(theirs, again)
		}
	}()
	t.Cleanup(func() { ours.Close() })
	return web.New(ours)
}

func TestAnswers(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	lot := strings.Repeat("a", 4096)
	for _, c := range []struct {
		name, answer string
		status       int
		body         string
		last         bool
		err          error
	}{
		{"a length", ok + "Content-Length: 3\r\n\r\nabc", 200, "abc", false, nil},
		{"no length", ok + "\r\nabc", 200, "abc", true, nil},
		{"chunks", ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\nA: b\r\n\r\n", 200, "abc", false, nil},
		{"nothing", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", false, nil},
		{"a hint before", "HTTP/1.1 103 Early Hints\r\n\r\n" + ok + "Content-Length: 1\r\n\r\na", 200, "a", false, nil},
		{"an old server", "HTTP/1.0 404 Not Found\r\nContent-Length: 1\r\n\r\na", 404, "a", true, nil},
		{"the last answer", ok + "Connection: close\r\nContent-Length: 0\r\n\r\n", 200, "", true, nil},
		{"another protocol", "SSH-2.0-OpenSSH_9.2\r\n", 0, "", false, web.ErrMalformed},
		{"a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", 0, "", false, web.ErrMalformed},
		{"a header without a name", ok + ": x\r\n\r\n", 0, "", false, web.ErrMalformed},
		{"a length that is none", ok + "Content-Length: -1\r\n\r\n", 0, "", false, web.ErrMalformed},
		{"a chunk that is none", ok + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 0, "", false, web.ErrMalformed},
		{"a chunk that is longer", ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", 0, "", false, web.ErrMalformed},
		{"a body cut off", ok + "Content-Length: 3\r\n\r\na", 0, "", false, io.ErrUnexpectedEOF},
		{"silence, then the end", "", 0, "", false, io.EOF},
		{"a body too large", ok + "Content-Length: 1000000000\r\n\r\n", 0, "", false, web.ErrTooLarge},
		{"an endless body", ok + "\r\n…" + lot, 0, "", false, web.ErrTooLarge},
		{"an endless header", ok + "…A: " + lot + "\r\n", 0, "", false, web.ErrTooLarge},
		{"an endless status line", "HTTP/1.1 200…" + lot, 0, "", false, web.ErrTooLarge},
		{"hints without end", "…HTTP/1.1 103 Early Hints\r\nA: " + lot + "\r\n\r\n", 0, "", false, web.ErrTooLarge},
		{"chunks without end", ok + "Transfer-Encoding: chunked\r\n\r\n…1000\r\n" + lot + "\r\n", 0, "", false, web.ErrTooLarge},
		{"a chunk too large", ok + "Transfer-Encoding: chunked\r\n\r\nffffffffffff\r\n", 0, "", false, web.ErrTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			a, err := scripted(t, c.answer).Do(ctx, web.Request{Method: "GET", Host: "example.org", Path: "/"})
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if err == nil && (a.Status != c.status || string(a.Body) != c.body || a.Last != c.last) {
				t.Errorf("got %d %.20q %v", a.Status, a.Body, a.Last)
			}
		})
	}
}

// TestSlowServer: one byte a second keeps no call alive beyond its context.
func TestSlowServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		ours, theirs := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, theirs) }()
		go func() {
			tick := time.NewTicker(time.Second)
			defer tick.Stop()
			for ctx.Err() == nil {
				select {
				case <-tick.C:
					_, _ = theirs.Write([]byte("H"))
				case <-ctx.Done():
				}
			}
		}()
		began := time.Now()
		_, err := web.New(ours).Do(ctx, web.Request{Method: "GET", Host: "example.org", Path: "/"})
		if late, ok := errors.AsType[net.Error](err); !ok || !late.Timeout() || time.Since(began) != 5*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		ours.Close()
		theirs.Close()
	})
}
