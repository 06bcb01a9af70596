// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// What can go wrong with a WebSocket; test with errors.Is.
var (
	// ErrNoSocket says that the server agreed to an upgrade, but not to ours.
	ErrNoSocket = errors.New("the upgrade is not as RFC 6455 wants it")
	// ErrClosed says that the server closed the WebSocket.
	ErrClosed = errors.New("the server closes the connection")
)

// The kinds of frames.
const (
	continuation = 0x0
	textFrame    = 0x1
	closeFrame   = 0x8
	pingFrame    = 0x9
	pongFrame    = 0xa
)

// Socket is a WebSocket that speaks text.
type Socket struct {
	*Conn
	Subprotocol string // that the server agreed on
}

// Upgrade asks for a WebSocket. The socket is nil where the answer is another one than 101.
func (c *Conn) Upgrade(ctx context.Context, host, path, subprotocol string) (*Socket, *Answer, error) {
	defer c.guard(ctx)()
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	key := base64.StdEncoding.EncodeToString(random[:])
	a, err := c.exchange(Request{Method: "GET", Host: host, Path: path, Header: []string{
		"Connection", "Upgrade", "Upgrade", "websocket",
		"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", key, "Sec-WebSocket-Protocol", subprotocol,
	}})
	if err != nil || a.Status != 101 {
		return nil, a, err
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	if !strings.EqualFold(a.Header.Get("Upgrade"), "websocket") ||
		a.Header.Get("Sec-WebSocket-Accept") != base64.StdEncoding.EncodeToString(sum[:]) || a.Header.Get("Sec-WebSocket-Extensions") != "" {
		return nil, a, ErrNoSocket
	}
	return &Socket{c, a.Header.Get("Sec-WebSocket-Protocol")}, a, nil
}

// Send sends one text message.
func (s *Socket) Send(ctx context.Context, text string) error {
	defer s.guard(ctx)()
	return s.write(textFrame, []byte(text))
}

// Receive reads one text message.
func (s *Socket) Receive(ctx context.Context) ([]byte, error) {
	defer s.guard(ctx)()
	s.left = MaxBody + 4096 // pings on the way included
	var message []byte
	for begun := false; ; {
		kind, last, data, err := s.read(MaxBody - len(message))
		switch {
		case err != nil:
			return nil, err
		case kind == closeFrame:
			return nil, ErrClosed
		case kind == pingFrame:
			if err := s.write(pongFrame, data); err != nil {
				return nil, err
			}
			continue
		case kind == pongFrame:
			continue
		case begun != (kind == continuation) || !begun && kind != textFrame:
			return nil, fmt.Errorf("%w: a frame of kind %d", ErrMalformed, kind)
		}
		message, begun = append(message, data...), true
		if last {
			return message, nil
		}
	}
}

// read reads one frame.
func (s *Socket) read(limit int) (kind byte, last bool, data []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(s.in, head[:]); err != nil {
		return 0, false, nil, err
	}
	kind, last = head[0]&0x0f, head[0]&0x80 != 0
	size := uint64(head[1] & 0x7f)
	if head[0]&0x70 != 0 || head[1]&0x80 != 0 { // extensions were not agreed on; servers do not mask
		return 0, false, nil, fmt.Errorf("%w: a frame that no server sends", ErrMalformed)
	}
	switch more := map[uint64]int{126: 2, 127: 8}[size]; {
	case more > 0 && kind >= closeFrame:
		return 0, false, nil, fmt.Errorf("%w: a control frame that is too long", ErrMalformed)
	case more > 0:
		var long [8]byte
		if _, err := io.ReadFull(s.in, long[8-more:]); err != nil {
			return 0, false, nil, err
		}
		size = binary.BigEndian.Uint64(long[:])
	}
	if size > uint64(limit) {
		return 0, false, nil, ErrTooLarge
	}
	data = make([]byte, size)
	_, err = io.ReadFull(s.in, data)
	return kind, last, data, err
}

// write sends one frame, masked as clients must.
func (s *Socket) write(kind byte, data []byte) error {
	frame := []byte{0x80 | kind}
	switch n := len(data); {
	case n < 126:
		frame = append(frame, 0x80|byte(n))
	case n < 1<<16:
		frame = binary.BigEndian.AppendUint16(append(frame, 0x80|126), uint16(n))
	default:
		frame = binary.BigEndian.AppendUint64(append(frame, 0x80|127), uint64(n))
	}
	var mask [4]byte
	_, _ = rand.Read(mask[:]) // never fails
	frame = append(frame, mask[:]...)
	for i, b := range data {
		frame = append(frame, b^mask[i%4])
	}
	_, err := s.net.Write(frame)
	return err
}
