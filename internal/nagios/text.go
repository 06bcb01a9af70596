// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean makes a text safe to stand in plugin output, whoever wrote it: one line, no control characters, no "|", which would
// start perfdata, no marks that reverse the direction of writing. Valid UTF-8 is kept.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			return ' '
		case r == '|', r == utf8.RuneError, unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// shorten cuts a text to at most limit bytes, between characters, and says so with an ellipsis.
func shorten(text string, limit int) string {
	const ellipsis = "…"
	if len(text) <= limit {
		return text
	}
	cut := limit - len(ellipsis)
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + ellipsis
}
