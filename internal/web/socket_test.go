// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/chapril/ejabberd_exporter/internal/web"
)

// TestSocket speaks with a server that others wrote: pieces, pings and long messages.
func TestSocket(t *testing.T) {
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"xmpp"}})
		if err != nil {
			return
		}
		defer func() { _ = conn.CloseNow() }()
		conn.SetReadLimit(1 << 20)
		for {
			kind, text, err := conn.Read(r.Context())
			if err != nil || string(text) == "bye" {
				_ = conn.Close(websocket.StatusNormalClosure, "")
				return
			}
			out, err := conn.Writer(r.Context(), kind) // which sends pieces
			if err != nil {
				return
			}
			_, _ = out.Write(text[:len(text)/2])
			_, _ = out.Write(text[len(text)/2:])
			if out.Close() != nil {
				return
			}
		}
	}))
	defer echo.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	socket := upgrade(ctx, t, echo.Listener.Addr().String())
	if socket.Subprotocol != "xmpp" {
		t.Errorf("subprotocol %q", socket.Subprotocol)
	}
	for _, size := range []int{0, 1, 125, 126, 1 << 16, 200 << 10} {
		text := strings.Repeat("é", size/2)
		if err := socket.Send(ctx, text); err != nil {
			t.Fatal(err)
		}
		if got, err := socket.Receive(ctx); err != nil || string(got) != text {
			t.Errorf("%d bytes came back as %d, %v", len(text), len(got), err)
		}
	}
	if err := socket.Send(ctx, "bye"); err != nil {
		t.Fatal(err)
	}
	if _, err := socket.Receive(ctx); !errors.Is(err, web.ErrClosed) {
		t.Errorf("a server that closes: %v", err)
	}
}

func upgrade(ctx context.Context, t *testing.T, address string) *web.Socket {
	t.Helper()
	raw, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	socket, _, err := web.New(raw).Upgrade(ctx, address, "/ws", "xmpp")
	if err != nil || socket == nil {
		t.Fatalf("no upgrade: %v", err)
	}
	return socket
}

// TestBrokenSockets: what a server may say after the upgrade.
func TestBrokenSockets(t *testing.T) {
	for _, c := range []struct {
		name, frames string
		err          error
	}{
		{"a masked frame", "\x81\x81\x00\x00\x00\x00a", web.ErrMalformed},
		{"an extension nobody asked for", "\xc1\x01a", web.ErrMalformed},
		{"bytes", "\x82\x01a", web.ErrMalformed},
		{"a piece of nothing", "\x80\x01a", web.ErrMalformed},
		{"a message inside another", "\x01\x01a\x81\x01b", web.ErrMalformed},
		{"a long ping", "\x89\x7e\x01\x00", web.ErrMalformed},
		{"a message too large", "\x81\x7f\x00\x00\x00\xff\x00\x00\x00\x00", web.ErrTooLarge},
		{"a size below zero", "\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff", web.ErrTooLarge},
		{"a message that never ends", "\x01\x7e\xff\xff" + strings.Repeat("a", 0xffff) + "…", web.ErrMalformed},
		{"pings without end", "\x89\x00…", web.ErrTooLarge},
		{"closed", "\x88\x02\x03\xe8", web.ErrClosed},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			ours, theirs := net.Pipe()
			defer ours.Close()
			go serveFrames(theirs, c.frames)
			socket, _, err := web.New(ours).Upgrade(ctx, "example.org", "/ws", "xmpp")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := socket.Receive(ctx); !errors.Is(err, c.err) {
				t.Errorf("error %v, want %v", err, c.err)
			}
		})
	}
}

// serveFrames agrees to an upgrade and sends frames, again and again where they end with "…".
func serveFrames(conn net.Conn, frames string) {
	defer conn.Close()
	buffer := make([]byte, 4096)
	n, _ := conn.Read(buffer)
	_, key, _ := strings.Cut(string(buffer[:n]), "Sec-WebSocket-Key: ")
	key, _, _ = strings.Cut(key, "\r\n")
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	text, endless := strings.CutSuffix(frames, "…")
	_, _ = conn.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n"))
	go func() { // pongs
		for {
			if _, err := conn.Read(buffer); err != nil {
				return
			}
		}
	}()
	for {
		if _, err := conn.Write([]byte(text)); err != nil || !endless {
			return
		}
	}
}

// TestNoSocket: a 101 that is not the answer to our key.
func TestNoSocket(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, _, err := scripted(t, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: abc\r\n\r\n").
		Upgrade(ctx, "example.org", "/ws", "xmpp")
	if !errors.Is(err, web.ErrNoSocket) {
		t.Errorf("error %v", err)
	}
	socket, a, err := scripted(t, "HTTP/1.1 502 Bad Gateway\r\n\r\n").Upgrade(ctx, "example.org", "/ws", "xmpp")
	if socket != nil || err != nil || a.Status != 502 {
		t.Errorf("502: %v %v %v", socket, a, err)
	}
}
