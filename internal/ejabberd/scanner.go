// SPDX-License-Identifier: Apache-2.0

package ejabberd

import (
	"errors"
	"io"
)

// scanner reads JSON from a stream, in constant memory and without an allocation per value, where encoding/json would build
// every string. It is strict about what it returns; in what is skipped it only follows strings and brackets.
type scanner struct {
	r    io.Reader
	room []byte // buffer; a text that is returned must fit in
	data []byte // part of room that was read and not yet used
	key  []byte // the last key of an object
	err  error  // of the last read, told once data is used up
}

func newScanner(r io.Reader) *scanner { return &scanner{r: r, room: make([]byte, 64<<10)} }

// more reads on, keeping data. It is an error where data fills the whole buffer.
func (s *scanner) more() error {
	if s.err != nil {
		return s.err
	}
	if len(s.data) == len(s.room) {
		return errShape
	}
	kept := copy(s.room, s.data)
	n, err := s.r.Read(s.room[kept:])
	if n == 0 && err == nil {
		err = io.ErrNoProgress
	}
	s.data, s.err = s.room[:kept+n], err
	if n > 0 {
		return nil
	}
	return err
}

// peek returns the next byte that is no white space.
func (s *scanner) peek() (byte, error) {
	for {
		for i, b := range s.data {
			if b != ' ' && b != '\n' && b != '\t' && b != '\r' {
				s.data = s.data[i:]
				return b, nil
			}
		}
		s.data = nil
		if err := s.more(); err != nil {
			return 0, err
		}
	}
}

// next uses the next byte that is no white space.
func (s *scanner) next() (byte, error) {
	b, err := s.peek()
	if err == nil {
		s.data = s.data[1:]
	}
	return b, err
}

// want uses the next byte, which must be b.
func (s *scanner) want(b byte) error {
	got, err := s.next()
	if err == nil && got != b {
		return errShape
	}
	return err
}

// end makes sure that nothing follows.
func (s *scanner) end() error {
	_, err := s.peek()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err == nil:
		return errShape
	}
	return err
}

// array has each element read.
func (s *scanner) array(each func() error) error { return s.members('[', ']', each) }

// object has each value read; the key is valid until then.
func (s *scanner) object(each func(key []byte) error) error {
	return s.members('{', '}', func() error {
		key, err := s.text()
		if err != nil {
			return err
		}
		s.key = append(s.key[:0], key...)
		if err := s.want(':'); err != nil {
			return err
		}
		return each(s.key)
	})
}

func (s *scanner) members(open, shut byte, each func() error) error {
	if err := s.want(open); err != nil {
		return err
	}
	switch b, err := s.peek(); {
	case err != nil:
		return err
	case b == shut:
		return s.want(shut)
	}
	for {
		if err := each(); err != nil {
			return err
		}
		switch b, err := s.next(); {
		case err != nil:
			return err
		case b == shut:
			return nil
		case b != ',':
			return errShape
		}
	}
}
