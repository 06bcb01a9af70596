// SPDX-License-Identifier: Apache-2.0

package xmpp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"
)

// What a stream can fail of, beside a *StreamError, a *CertificateError and the errors of TLS and the network; test with
// errors.Is.
var (
	ErrTimeout   = errors.New("no answer in time")
	ErrClosed    = errors.New("the peer closed")
	ErrMalformed = errors.New("not an XMPP stream")
)

// StreamError is the error with which a peer ended the stream.
type StreamError struct {
	Condition string // "host-unknown", "system-shutdown" …
	Text      string // what else the peer said, cleaned
}

func (e *StreamError) Error() string {
	if e.Text == "" {
		return "stream error " + e.Condition
	}
	return "stream error " + e.Condition + " (" + e.Text + ")"
}

func streamError(e *Element) *StreamError {
	condition, text := said(e, nsStreamErrors)
	return &StreamError{condition, text}
}

// said reads what an error says, cleaned: its condition and, if there is one, its text.
func said(e *Element, namespace string) (condition, text string) {
	condition = "undefined-condition"
	for _, c := range e.Children {
		switch {
		case c.Name.Space != namespace:
		case c.Name.Local == "text":
			text = Clean(c.Text)
		default:
			condition = Clean(c.Name.Local)
		}
	}
	return condition, text
}

// failed types an error of the network, and keeps addresses out of its text.
func (s *Stream) failed(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	return Network(err)
}

// Network types an error of a connection or of dialling one: ErrTimeout, ErrClosed, a bare syscall.Errno. Addresses do not
// stand in its text. Other errors stay what they are.
func Network(err error) error {
	var errno syscall.Errno
	switch timeout, ok := errors.AsType[net.Error](err); {
	case ok && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return ErrTimeout
	case errors.As(err, &errno):
		return errno
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return errClosedConnection
	}
	return err
}

// errClosedConnection is ErrClosed for a connection that ended without a closing tag.
var errClosedConnection = fmt.Errorf("%w the connection", ErrClosed)

// maxText is how much of a peer's text is repeated.
const maxText = 160

// Clean makes a peer's text fit to be shown on one line: no control characters, no line breaks, no "|" (which ends the text
// of a plugin), valid UTF-8, not long.
func Clean(text string) string {
	cut := len(text) > 4*maxText
	if cut {
		text = text[:4*maxText]
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), r == '|':
			return ' '
		case !unicode.IsGraphic(r), r == utf8.RuneError:
			return -1
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > maxText {
		text, cut = string(runes[:maxText]), true
	}
	if cut {
		return text + "…"
	}
	return text
}
