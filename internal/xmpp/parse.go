// SPDX-License-Identifier: Apache-2.0

package xmpp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Parse reads one element that came alone, as those of BOSH and WebSocket do, within the same bounds as one of a stream. A
// stream error becomes a *StreamError.
func Parse(text []byte) (*Element, error) {
	in := newReader(bytes.NewReader(text), int64(len(text)))
	in.restart()
	e, err := in.next()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("%w: it ends too early", ErrMalformed)
	}
	if err == nil && e.Name.Space == nsStream && e.Name.Local == "error" {
		return nil, streamError(e)
	}
	return e, err
}
