// SPDX-License-Identifier: Apache-2.0

package page

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// What a page may have. The largest real ones have some megabytes; a help line is longer than any series.
const (
	maxPage = 32 << 20
	maxLine = 64 << 10
)

// sample is one series of a page.
type sample struct {
	name   string
	labels []label // as the page has them
	value  float64
	text   string // the whole line
}

type label struct{ name, value string }

// label is the value of a label, empty without one.
func (s *sample) label(name string) string {
	for _, l := range s.labels {
		if l.name == name {
			return l.value
		}
	}
	return ""
}

// parse reads a page in the text format of Prometheus and keeps the series that are wanted, by name. Every line must be right: a
// page that is cut off, or none at all, shall not be taken for one without alarms.
func parse(in io.Reader, wanted map[string]bool) (kept []sample, err error) {
	limited := &io.LimitedReader{R: in, N: maxPage}
	lines := bufio.NewReaderSize(limited, maxLine)
	series := 0
	for number := 1; ; number++ {
		raw, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF) && limited.N == 0:
			return nil, fmt.Errorf("the page is larger than %d MiB", maxPage>>20)
		case errors.Is(err, io.EOF) && len(raw) == 0 && series == 0:
			return nil, errors.New("no series stands there: it is no page of metrics")
		case errors.Is(err, io.EOF) && len(raw) == 0:
			return kept, nil
		case errors.Is(err, io.EOF):
			return nil, fmt.Errorf("it ends in the middle of line %d", number)
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("line %d is longer than %d KiB: it is no page of metrics", number, maxLine>>10)
		case err != nil:
			return nil, err
		}
		text := strings.TrimSpace(string(raw))
		if text == "" || text[0] == '#' { // help, types, comments
			continue
		}
		series++
		s, err := readSample(text)
		if err != nil {
			return nil, fmt.Errorf("line %d is no metric (%w): it is no page of metrics", number, err)
		}
		if wanted[s.name] {
			kept = append(kept, s)
		}
	}
}

// readSample reads name{label="value",…} value [timestamp].
func readSample(text string) (s sample, err error) {
	s.text = text
	s.name, text = word(text, true)
	if s.name == "" {
		return s, errors.New("no name")
	}
	text = strings.TrimLeft(text, " \t")
	if labels, some := strings.CutPrefix(text, "{"); some {
		if s.labels, text, err = readLabels(labels); err != nil {
			return s, err
		}
	}
	fields := strings.Fields(text)
	if len(fields) != 1 && len(fields) != 2 {
		return s, errors.New("no value")
	}
	if s.value, err = strconv.ParseFloat(fields[0], 64); err != nil || strings.ContainsAny(fields[0], "_xXpP") {
		return s, errors.New("no number")
	}
	if len(fields) == 2 {
		if _, err := strconv.ParseFloat(fields[1], 64); err != nil {
			return s, errors.New("no timestamp")
		}
	}
	return s, nil
}

// readLabels reads what stands between braces, and the closing one.
func readLabels(text string) (labels []label, rest string, err error) {
	for {
		text = strings.TrimLeft(text, " \t")
		if rest, ended := strings.CutPrefix(text, "}"); ended {
			return labels, rest, nil
		}
		var l label
		if l.name, text = word(text, false); l.name == "" {
			return nil, "", errors.New("no name of a label")
		}
		value, given := strings.CutPrefix(strings.TrimLeft(text, " \t"), "=")
		if l.value, text, err = readQuoted(strings.TrimLeft(value, " \t")); err != nil || !given {
			return nil, "", errors.New("a label without a value")
		}
		labels = append(labels, l)
		text = strings.TrimLeft(text, " \t")
		more, comma := strings.CutPrefix(text, ",")
		if !comma && !strings.HasPrefix(text, "}") {
			return nil, "", errors.New("labels without an end")
		}
		text = more
	}
}

// readQuoted reads a value in quotes, in which \\, \" and \n are escaped.
func readQuoted(text string) (value, rest string, err error) {
	if !strings.HasPrefix(text, `"`) {
		return "", "", errors.New("no quote")
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return b.String(), text[i+1:], nil
		case '\\':
			i++
			if i == len(text) {
				break
			}
			switch text[i] {
			case 'n':
				b.WriteByte('\n')
			case '"', '\\':
				b.WriteByte(text[i])
			default:
				return "", "", errors.New("an escape that means nothing")
			}
		default:
			b.WriteByte(text[i])
		}
	}
	return "", "", errors.New("no end")
}

// word cuts a name off: letters, digits, underscores, and colons for a metric.
func word(text string, colons bool) (name, rest string) {
	for i := range len(text) {
		c := text[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_', '0' <= c && c <= '9' && i > 0, c == ':' && colons:
			continue
		}
		return text[:i], text[i:]
	}
	return text, ""
}
