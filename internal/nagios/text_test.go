// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"math"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for text, want := range map[string]string{
		"connection refused":           "connection refused",
		"a|b":                          "ab",
		"line one\r\nline two\n":       "line one line two",
		"tab\tnull\x00bell\a\x1b[31m":  "tab nullbell[31m",
		"c1\u0085next\u009bline":       "c1 nextline",
		"para\u2029graph\u2028line":    "para graph line",
		"évêque 日本 👩‍💻":                "évêque 日本 👩‍💻",
		"invalid \xff\xfe bytes":       "invalid bytes",
		"half \xe2\x82":                "half",
		"\u202egnp.exe":                "gnp.exe",
		"  many   spaces  ":            "many spaces",
		"replacement \ufffd character": "replacement character",
	} {
		if got := clean(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestShorten(t *testing.T) {
	for _, c := range []struct {
		text  string
		limit int
		want  string
	}{{"abcdef", 6, "abcdef"}, {"abcdef", 5, "ab…"}, {"éééé", 6, "é…"}, {"日本語", 8, "日…"}} {
		if got := shorten(c.text, c.limit); got != c.want {
			t.Errorf("%q to %d: got %q, want %q", c.text, c.limit, got, c.want)
		}
	}
}

func TestPerfdata(t *testing.T) {
	for _, c := range []struct {
		figure figure
		want   string
	}{
		{figure{label: "time", unit: "s", min: "0", value: 0.021, known: true, warning: "1", critical: "~:5"}, "time=0.021s;1;~:5;0"},
		{figure{label: "time", unit: "s", min: "0", warning: "1", critical: "5"}, "time=U;1;5;0"},
		{figure{label: "endpoints", value: 4, known: true}, "endpoints=4"},
		{figure{label: "rest", min: "0"}, "rest=U;;;0"},
		{figure{label: "size", unit: "B", value: 1e21, known: true}, "size=1000000000000000000000B"},
		{figure{label: "tiny", value: 1.25e-9, known: true}, "tiny=0.00000000125"},
		{figure{label: "third", value: 1.0 / 3, known: true}, "third=0.3333333333333333"},
		{figure{label: "zero", value: math.Copysign(0, -1), known: true}, "zero=0"},
		{figure{label: "two words", value: 1, known: true}, "'two words'=1"},
		{figure{label: "it's=so|odd\n", value: 1, known: true}, "it_s_soodd=1"},
		{figure{label: "é", value: 1, known: true}, "'é'=1"},
	} {
		if got := perfdata([]figure{c.figure}); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	if got := perfdata([]figure{{label: "a"}, {label: "b"}}); got != "a=U b=U" {
		t.Errorf("got %q", got)
	}
}

var perfItem = regexp.MustCompile(`^('[^'=|\n]*'|[A-Za-z0-9_.-]+)=(U|-?[0-9]+(\.[0-9]+)?s?)$`)

// FuzzOutput: whatever a server says, it stays on its line and starts no perfdata.
func FuzzOutput(f *testing.F) {
	for _, seed := range []string{"fine", "a|b\nc", "\x00\x1b[0m", "日本\xff", "\u2028\u202e", "'=;"} {
		f.Add(seed, 1.5, 20)
	}
	f.Add("", math.MaxFloat64, 4)
	f.Add("", math.SmallestNonzeroFloat64, 0)
	f.Fuzz(func(t *testing.T, text string, value float64, limit int) {
		got := clean(text)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return r == '|' || unicode.IsControl(r) }) {
			t.Errorf("clean(%q) = %q", text, got)
		}
		if again := clean(got); again != got {
			t.Errorf("clean(%q) = %q", got, again)
		}
		if limit = max(limit, len("…")); len(shorten(got, limit)) > limit || !utf8.ValidString(shorten(got, limit)) {
			t.Errorf("shorten(%q, %d) = %q", got, limit, shorten(got, limit))
		}
		item := perfdata([]figure{{label: text, unit: "s", value: value, known: finite(value)}})
		if !perfItem.MatchString(item) {
			t.Errorf("perfdata %q", item)
		}
	})
}
