// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// statementLog reads what PostgreSQL logs of statements.
type statementLog struct {
	path string
	seen int64
}

// logged is a statement that was run, or with auto_explain its plan.
type logged struct {
	text    string
	seconds float64
	plan    string
}

func (l *statementLog) skip() {
	if info, err := os.Stat(l.path); err == nil {
		l.seen = info.Size()
	}
}

// entry is the beginning of what PostgreSQL logs at a time; the rest is indented by a tab.
var (
	entry    = regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\d [^\t\n]*\[(\d+)\] (?:\S+ )?LOG:  duration: ([0-9.]+) ms  (parse|bind|execute|statement|plan)(?: <unnamed>)?:\s`)
	anything = regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\d `)
	query    = regexp.MustCompile(`(?s)^Query Text: (.*?)\n((?:[A-Z][A-Za-z ]*|->).*\(cost=.*)$`)
	setting  = regexp.MustCompile(`^(SET|--|BEGIN|ROLLBACK|COMMIT)`)
)

// read gives the statements since the log was last read, with the time of parsing, binding and executing in one.
func (l *statementLog) read() ([]logged, error) {
	f, err := os.Open(l.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, err := f.Seek(l.seen, io.SeekStart); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	l.seen += int64(len(text))
	var all []logged
	pending := map[string]float64{} // by process: what parsing and binding took
	for _, at := range entry.FindAllSubmatchIndex(text, -1) {
		rest := text[at[1]:]
		if next := anything.FindIndex(rest); next != nil {
			rest = rest[:next[0]]
		}
		pid, kind := string(text[at[2]:at[3]]), string(text[at[6]:at[7]])
		ms, _ := strconv.ParseFloat(string(text[at[4]:at[5]]), 64)
		body := strings.TrimSpace(strings.ReplaceAll(string(rest), "\n\t", "\n"))
		switch kind {
		case "parse", "bind":
			pending[pid] += ms
		case "execute", "statement":
			if !setting.MatchString(body) {
				all = append(all, logged{text: oneLine(body), seconds: (ms + pending[pid]) / 1000})
			}
			pending[pid] = 0
		case "plan":
			if m := query.FindStringSubmatch(body); m != nil && !setting.MatchString(m[1]) {
				all = append(all, logged{text: oneLine(m[1]), seconds: ms / 1000, plan: m[2]})
			}
		}
	}
	return all, nil
}
