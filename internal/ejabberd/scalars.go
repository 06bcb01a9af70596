// SPDX-License-Identifier: Apache-2.0

package ejabberd

import (
	"bytes"
	"encoding/json"
)

// text reads a string, which is valid until the next call. It must fit into the buffer.
func (s *scanner) text() ([]byte, error) {
	if err := s.want('"'); err != nil {
		return nil, err
	}
	for from := 0; ; {
		i := bytes.IndexByte(s.data[from:], '"')
		if i < 0 {
			from = len(s.data)
			if err := s.more(); err != nil {
				return nil, err
			}
			continue
		}
		end := from + i
		if escaped(s.data[:end]) {
			from = end + 1
			continue
		}
		text := s.data[:end]
		s.data = s.data[end+1:]
		if bytes.IndexByte(text, '\\') < 0 {
			return text, nil
		}
		var plain string // rare: let the standard library know the escapes
		if err := json.Unmarshal(append(append([]byte{'"'}, text...), '"'), &plain); err != nil {
			return nil, errShape
		}
		return []byte(plain), nil
	}
}

// integer reads a whole number.
func (s *scanner) integer() (n int, err error) {
	b, err := s.peek()
	negative := b == '-'
	if negative {
		s.data = s.data[1:]
		b, err = s.peek()
	}
	if err != nil {
		return 0, err
	}
	if b < '0' || b > '9' {
		return 0, errShape
	}
	for digits := 0; b >= '0' && b <= '9'; digits++ {
		if digits == 18 {
			return 0, errShape
		}
		n = n*10 + int(b-'0')
		s.data = s.data[1:]
		if len(s.data) == 0 {
			if err := s.more(); err != nil {
				return 0, err
			}
		}
		b = s.data[0]
	}
	if negative {
		n = -n
	}
	return n, nil
}

// skip passes over a value, however long it is.
func (s *scanner) skip() error {
	for depth := 0; ; {
		b, err := s.peek()
		if err != nil {
			return err
		}
		switch b {
		case '"':
			err = s.skipText()
		case '[', '{':
			depth++
			s.data = s.data[1:]
		case ']', '}':
			depth--
			s.data = s.data[1:]
		case ',', ':':
			s.data = s.data[1:]
			if depth == 0 {
				return errShape
			}
			continue
		default:
			err = s.skipWord()
		}
		switch {
		case err != nil:
			return err
		case depth < 0:
			return errShape
		case depth == 0:
			return nil
		}
	}
}

// skipText passes over a string. Of a part without its end only a backslash that concerns the next part is kept.
func (s *scanner) skipText() error {
	s.data = s.data[1:]
	for {
		i := bytes.IndexByte(s.data, '"')
		if i < 0 {
			kept := 0
			if escaped(s.data) {
				kept = 1
			}
			s.data = s.data[len(s.data)-kept:]
			if err := s.more(); err != nil {
				return err
			}
			continue
		}
		end := !escaped(s.data[:i])
		s.data = s.data[i+1:]
		if end {
			return nil
		}
	}
}

// skipWord passes over a number, true, false or null.
func (s *scanner) skipWord() error {
	for {
		for i, b := range s.data {
			switch b {
			case ',', ':', ']', '}', '[', '{', '"', ' ', '\n', '\t', '\r':
				s.data = s.data[i:]
				return nil
			}
		}
		s.data = nil
		if err := s.more(); err != nil {
			return err
		}
	}
}

// escaped tells whether the byte after text is escaped: an odd number of backslashes stands before it.
func escaped(text []byte) bool {
	n := len(text)
	for n > 0 && text[n-1] == '\\' {
		n--
	}
	return (len(text)-n)%2 == 1
}
