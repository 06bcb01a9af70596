// SPDX-License-Identifier: Apache-2.0

package xmpp

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// What a peer may send. Real servers stay far below: the features of a loaded server are about 2 KiB.
const (
	maxStanza = 256 << 10 // bytes of one element below the stream
	maxClear  = 64 << 10  // bytes in all before TLS
	maxGuest  = 256 << 10 // bytes in all after TLS from a peer that came to us
	maxDepth  = 32        // elements inside each other
	unlimited = int64(1) << 62
)

// reader reads a stream's XML. It holds one element in memory, never more, and consumes no byte beyond what it returns.
type reader struct {
	src   *bufio.Reader
	xml   *xml.Decoder
	left  int    // bytes that the current element may still take
	total int64  // bytes that the connection may still send
	most  int64  // total at first
	while string // what total is for
}

func newReader(src io.Reader, total int64) *reader {
	return &reader{src: bufio.NewReaderSize(src, 4096), total: total, most: total, while: "before TLS"}
}

// restart begins a new document on the same connection.
func (r *reader) restart() {
	r.xml = xml.NewDecoder(r)
	r.xml.Strict = true
}

// ReadByte serves the decoder, byte by byte, so that it cannot read ahead.
func (r *reader) ReadByte() (byte, error) {
	switch {
	case r.left <= 0:
		return 0, fmt.Errorf("%w: more than %d KiB at once", ErrMalformed, maxStanza>>10)
	case r.total <= 0:
		return 0, fmt.Errorf("%w: more than %d KiB %s", ErrMalformed, r.most>>10, r.while)
	}
	r.left--
	r.total--
	return r.src.ReadByte()
}

// Read exists because the decoder asks for an io.Reader; it calls ReadByte alone.
func (r *reader) Read(p []byte) (int, error) {
	b, err := r.ReadByte()
	if err != nil || len(p) == 0 {
		return 0, err
	}
	p[0] = b
	return 1, nil
}

// open reads the opening tag.
func (r *reader) open() (Header, error) {
	r.left = maxStanza
	first, err := r.src.Peek(1)
	if err != nil {
		return Header{}, err
	}
	switch first[0] {
	case '<', ' ', '\t', '\r', '\n':
	case 0x15, 0x16: // a TLS alert or handshake record
		return Header{}, fmt.Errorf("%w: the peer speaks TLS at once, this is a direct TLS port", ErrMalformed)
	default:
		return Header{}, fmt.Errorf("%w: the peer does not speak XML", ErrMalformed)
	}
	for begun := false; ; begun = true {
		token, err := r.token()
		if err != nil {
			return Header{}, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if t.Name.Space != nsStream || t.Name.Local != "stream" {
				return Header{}, fmt.Errorf("%w: it begins with <%s>", ErrMalformed, Clean(t.Name.Local))
			}
			return header(t), nil
		case xml.ProcInst:
			if begun || t.Target != "xml" {
				return Header{}, fmt.Errorf("%w: processing instruction", ErrMalformed)
			}
		case xml.CharData:
			if err := blank(t); err != nil {
				return Header{}, err
			}
		}
	}
}

func header(tag xml.StartElement) Header {
	var h Header
	for _, a := range tag.Attr {
		switch {
		case a.Name.Space == "xmlns":
			h.Dialback = h.Dialback || a.Value == Dialback
		case a.Name.Space != "":
		case a.Name.Local == "xmlns":
			h.Namespace = a.Value
		case a.Name.Local == "to":
			h.To = a.Value
		case a.Name.Local == "from":
			h.From = a.Value
		case a.Name.Local == "id":
			h.ID = a.Value
		case a.Name.Local == "version":
			h.Version = a.Value
		}
	}
	return h
}

// await waits for something else than the whitespace that keeps connections alive. The decoder must not wait itself: an error ends it
// for good, and that nothing came in time must not.
func (r *reader) await() error {
	for {
		first, err := r.src.Peek(1)
		if err != nil {
			return err
		}
		switch first[0] {
		case ' ', '\t', '\r', '\n':
		default:
			return nil
		}
		if _, err := r.ReadByte(); err != nil {
			return err
		}
	}
}

// next reads the next element below the stream.
func (r *reader) next() (*Element, error) {
	r.left = maxStanza
	if err := r.await(); err != nil {
		return nil, err
	}
	for {
		token, err := r.token()
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			return r.element(t, 1)
		case xml.EndElement:
			return nil, fmt.Errorf("%w the stream", ErrClosed)
		case xml.CharData: // whitespace keeps connections alive
			if err := blank(t); err != nil {
				return nil, err
			}
		case xml.ProcInst:
			return nil, fmt.Errorf("%w: processing instruction", ErrMalformed)
		}
	}
}

// element reads the rest of an element.
func (r *reader) element(tag xml.StartElement, depth int) (*Element, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: more than %d elements inside each other", ErrMalformed, maxDepth)
	}
	e := &Element{Name: tag.Name, Attr: tag.Attr}
	var text strings.Builder
	for {
		token, err := r.token()
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			child, err := r.element(t, depth+1)
			if err != nil {
				return nil, err
			}
			e.Children = append(e.Children, child)
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			e.Text = text.String()
			return e, nil
		case xml.ProcInst:
			return nil, fmt.Errorf("%w: processing instruction", ErrMalformed)
		}
	}
}

// token reads one token and refuses what RFC 6120, 11.1 forbids in streams.
func (r *reader) token() (xml.Token, error) {
	token, err := r.xml.Token()
	if syntax, ok := errors.AsType[*xml.SyntaxError](err); ok {
		if syntax.Msg == "unexpected EOF" {
			return nil, io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("%w: %s", ErrMalformed, Clean(syntax.Msg))
	}
	switch token.(type) {
	case xml.Directive:
		return nil, fmt.Errorf("%w: document type definition", ErrMalformed)
	case xml.Comment:
		return nil, fmt.Errorf("%w: comment", ErrMalformed)
	}
	return token, err
}

func blank(text xml.CharData) error {
	if strings.TrimSpace(string(text)) != "" {
		return fmt.Errorf("%w: text between elements", ErrMalformed)
	}
	return nil
}
