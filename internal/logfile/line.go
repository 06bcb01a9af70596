// SPDX-License-Identifier: Apache-2.0

package logfile

import (
	"bytes"
	"time"
)

// line is one that begins a message: TIME [LEVEL] <PID>@MODULE:FUNCTION/ARITY:LINE (SOCKET) MESSAGE. Location and socket may be
// missing. Its parts lie in the line: whoever keeps one copies it.
type line struct{ time, level, message []byte }

// maxTime is longer than 2006-01-02 15:04:05.000000+00:00.
const maxTime = 36

// parse takes a line apart. Lines that continue a message have no level and are not ok.
func parse(text []byte) (l line, ok bool) {
	before, rest, ok := bytes.Cut(text[:min(len(text), maxTime+16)], []byte(" ["))
	if !ok || len(before) < len(time.DateTime) || len(before) > maxTime || before[4] != '-' || before[10] != ' ' {
		return line{}, false
	}
	level, _, ok := bytes.Cut(rest, []byte("] "))
	if !ok {
		return line{}, false
	}
	message := text[len(before)+len(" [")+len(level)+len("] "):]
	if bytes.HasPrefix(message, []byte("<")) {
		message = after(message, " ")
	}
	if bytes.HasPrefix(message, []byte("(")) {
		message = after(message, ") ")
	}
	return line{before, level, message}, true
}

func after(text []byte, end string) []byte {
	_, rest, _ := bytes.Cut(text, []byte(end))
	return rest
}

// written is when a line was, by its own time; without a zone it is local.
func written(text []byte) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02 15:04:05.999999Z07:00", "2006-01-02 15:04:05.999999"} {
		if t, err := time.ParseInLocation(layout, string(text), time.Local); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// count counts a line and gives its time; nil for one that only continues another.
func (f *Follower) count(text []byte) (at []byte) {
	l, ok := parse(text)
	if !ok {
		return nil
	}
	for _, level := range levels {
		if string(l.level) == level {
			f.counts[Key{Metric: Messages, Value: level}]++
		}
	}
	for i := range patterns {
		p := &patterns[i]
		rest, ok := p.rest(l.message)
		if !ok {
			continue
		}
		value := ""
		if p.value != nil {
			if value = p.value(rest); value == "" {
				break
			}
		}
		for _, key := range p.counts {
			if value != "" {
				key.Value = value
			}
			if key.Metric.dated() {
				f.lately[key] = append(f.lately[key][:0], l.time...)
			} else {
				f.counts[key]++
			}
		}
		break
	}
	return l.time
}

var levels = Levels()
