// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"errors"
	"fmt"
	"strings"

	"github.com/chapril/ejabberd_exporter/probes"
)

// Sizes in bytes. NRPE passes 4 KiB, pagers and mail subjects much less.
const (
	outputLimit = 4096 - 1
	headLimit   = 300 // of the first line, without perfdata
	lineLimit   = 500
)

// nagios renders the result for Nagios: the status line with perfdata, then one line per Note, the worst first. More verbosity
// says more, and from 2 on without limits of size.
func (r result) nagios(prefix string, verbosity int) string {
	first := prefix + " " + r.state.String() + " - " + r.headline(headLimit-len(prefix))
	if perf := perfdata(r.figures); perf != "" {
		first += " | " + perf
	}
	lines := make([]string, 0, len(r.notes))
	for i, n := range r.notes {
		if i == 0 && n.Subject == "" && strings.Contains(first, " - "+n.Text) {
			continue // said in full
		}
		lines = append(lines, "["+n.State.String()+"] "+sentence(n))
	}
	if verbosity >= 1 {
		about := ""
		if r.domain != "" {
			about = "asked about " + r.domain + ", "
		}
		lines = append(lines, fmt.Sprintf("%stime limit %s, took %s s", about, r.limit, rounded(r.took.Seconds())))
	}
	if verbosity >= 2 {
		lines = append(lines, strings.Split(strings.TrimSpace(r.metrics), "\n")...)
	}
	if verbosity >= 3 {
		lines = append(lines, internals(r.failure)...)
	}
	if verbosity >= 2 {
		return first + "\n" + joined(lines)
	}
	return first + "\n" + fit(lines, outputLimit-len(first)-1)
}

// headline says the reason first, if there is one, and then what was found, as far as it fits.
func (r result) headline(limit int) string {
	var bad []probes.Note
	for _, n := range r.notes {
		if n.State != probes.OK {
			bad = append(bad, n)
		}
	}
	if len(bad) == 0 {
		if r.summary == "" {
			return "nothing to complain about"
		}
		return shorten(r.summary, limit)
	}
	more := ""
	if len(bad) > 1 {
		more = fmt.Sprintf(" (and %d more)", len(bad)-1)
	}
	text := shorten(sentence(bad[0]), limit-len(more)) + more
	if r.summary != "" && !strings.HasPrefix(text, r.summary) && len(text)+2+len(r.summary) <= limit {
		text += "; " + r.summary
	}
	return text
}

func sentence(n probes.Note) string {
	if n.Subject == "" {
		return n.Text
	}
	return n.Subject + ": " + n.Text
}

// internals are the stack of a panic, or the sorts of errors that a failure is made of.
func internals(failure error) (lines []string) {
	if c, ok := errors.AsType[*crash](failure); ok {
		return strings.Split(string(c.stack), "\n")
	}
	for err := failure; err != nil; err = errors.Unwrap(err) {
		lines = append(lines, fmt.Sprintf("%T: %s", err, err))
	}
	return lines
}

// joined ends every line with a newline; empty ones are left out.
func joined(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		if line = clean(line); line != "" {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

// fit joins as many lines as fit into limit bytes and says how many are missing.
func fit(lines []string, limit int) string {
	const rest = "… %d more lines, see -vv\n"
	text := ""
	for i, line := range lines {
		line = shorten(line, lineLimit)
		room := limit - len(text) - len(line) - 1
		if last := i == len(lines)-1; room < 0 || !last && room < len(rest)+3 {
			if missing := fmt.Sprintf(rest, len(lines)-i); len(missing) <= limit-len(text) {
				text += missing
			}
			break
		}
		text += line + "\n"
	}
	return text
}
