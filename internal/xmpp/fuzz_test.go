// SPDX-License-Identifier: Apache-2.0

package xmpp

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"testing"
	"testing/iotest"
	"unicode"
	"unicode/utf8"
)

// FuzzStream reads what strangers send; testdata/fuzz holds what to begin with. Whatever it is, it is bounded, it is the same in one piece and byte by byte, and what
// is repeated of it stands on one line.
func FuzzStream(f *testing.F) {
	f.Fuzz(func(t *testing.T, sent []byte) {
		whole := drain(bytes.NewReader(sent))
		pieces := drain(iotest.OneByteReader(bytes.NewReader(sent)))
		if !reflect.DeepEqual(whole, pieces) {
			t.Errorf("in one piece %+v, byte by byte %+v", whole, pieces)
		}
		for _, e := range whole.elements {
			check(t, e, 1)
			line(t, streamError(e).Error())
			line(t, ErrorOf(e).Error())
			for _, name := range append(features(e).Mechanisms, features(e).ChannelBindings...) {
				line(t, name)
			}
		}
		line(t, whole.err)
	})
}

// drained is all that a stream held.
type drained struct {
	header   Header
	elements []*Element
	err      string
}

func drain(src io.Reader) (d drained) {
	r := newReader(src, maxClear)
	r.restart()
	header, err := r.open()
	for d.header = header; err == nil; {
		var e *Element
		if e, err = r.next(); err == nil {
			d.elements = append(d.elements, e)
		}
	}
	d.err = fmt.Sprint(Network(err))
	return d
}

func check(t *testing.T, e *Element, depth int) {
	t.Helper()
	if depth > maxDepth {
		t.Errorf("%d elements inside each other", depth)
	}
	if !utf8.ValidString(e.Text) || !utf8.ValidString(e.Name.Local) {
		t.Errorf("not UTF-8: %q %q", e.Name.Local, e.Text)
	}
	for _, c := range e.Children {
		check(t, c, depth+1)
	}
}

// line tells whether text may stand on a plugin's first line.
func line(t *testing.T, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("not UTF-8: %q", text)
	}
	for _, r := range text {
		if r == '|' || !unicode.IsGraphic(r) {
			t.Errorf("%q stands in %q", r, text)
		}
	}
}
