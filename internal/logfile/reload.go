// SPDX-License-Identifier: Apache-2.0

package logfile

import "time"

// Reloads is what a log tells of reloads of the configuration.
type Reloads struct {
	Since time.Time // the log begins here; zero: it has no line with a time
	Last  time.Time // the last reload that succeeded; zero: there is none in it
}

// reloaded is how the message begins that ends a reload.
const reloaded = "Configuration reloaded successfully"

// ReadReloads reads a log from its beginning, once. It keeps nothing but times.
func ReadReloads(path string) (Reloads, error) {
	t, info, err := open(path, false)
	if err != nil {
		return Reloads{}, pathless(err)
	}
	defer func() { _ = t.file.Close() }()
	var found Reloads
	buffer := make([]byte, chunk)
	// What is written while we read is for the next time.
	for before := int64(-1); t.offset < info.Size() && t.offset != before; {
		before = t.offset
		if err := t.read(buffer, func(text []byte) {
			l, ok := parse(text)
			if !ok {
				return
			}
			if found.Since.IsZero() {
				found.Since, _ = written(l.time)
			}
			if len(l.message) >= len(reloaded) && string(l.message[:len(reloaded)]) == reloaded {
				found.Last, _ = written(l.time)
			}
		}); err != nil {
			return Reloads{}, err
		}
	}
	return found, nil
}
