// SPDX-License-Identifier: Apache-2.0

package page

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	const page = `# HELP a_total Something, with "quotes" and {braces}
# TYPE a_total counter
a_total 1
a:b{} 2.5e3 1700000000000
b{x="1",y="two words",} -1
	b { x = "\"\\\n" , y="}" }   +Inf
ignored{x="1"} 3
nan NaN

# EOF
`
	got, err := parse(strings.NewReader(page), map[string]bool{"a_total": true, "a:b": true, "b": true, "nan": true, "absent": true})
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, s := range got {
		said = append(said, fmt.Sprintf("%s %q %v", s.name, s.labels, s.value))
	}
	want := []string{
		`a_total [] 1`, `a:b [] 2500`, `b [{"x" "1"} {"y" "two words"}] -1`, `b [{"x" "\"\\\n"} {"y" "}"}] +Inf`, `nan [] NaN`,
	}
	if fmt.Sprint(said) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", said, want)
	}
}

// TestParseRefuses: what is not understood to its end is no page.
func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ page, says string }{
		{"", "no series stands there"},
		{"# only a comment\n", "no series stands there"},
		{"a 1\nb 2", "it ends in the middle of line 2"},
		{"a 1\n# cut o", "it ends in the middle of line 2"},
		{"<!DOCTYPE html>\n", "line 1 is no metric (no name)"},
		{"a 1\na\n", "line 2 is no metric (no value)"},
		{"a 1 2 3\n", "no value"},
		{"a one\n", "no number"},
		{"a 0x1p-2\n", "no number"},
		{"a 1_000\n", "no number"},
		{"a 1 soon\n", "no timestamp"},
		{"9a 1\n", "no name"},
		{"a{ 1\n", "no name of a label"},
		{"a{x} 1\n", "a label without a value"},
		{"a{x=1} 1\n", "a label without a value"},
		{"a{x=\"1} 1\n", "a label without a value"},
		{`a{x="1` + "\\\n", "a label without a value"},
		{"a{x=\"\\t\"} 1\n", "a label without a value"},
		{"a{x=\"1\" y=\"2\"} 1\n", "labels without an end"},
		{"a{x=\"1\"\n", "labels without an end"},
		{"a{,} 1\n", "no name of a label"},
		{"a{x:y=\"1\"} 1\n", "a label without a value"},
		{"a " + strings.Repeat("1", maxLine) + "\n", "longer than 64 KiB"},
	} {
		if got, err := parse(strings.NewReader(c.page), map[string]bool{"a": true}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%.40q: got %v, %v; want %q", c.page, got, err, c.says)
		}
	}
}

// endless is a page without end.
type endless struct{ line string }

func (e endless) Read(p []byte) (int, error) {
	for n := 0; n < len(p); {
		n += copy(p[n:], e.line)
	}
	return len(p) - len(p)%len(e.line), nil
}

func TestParseIsBounded(t *testing.T) {
	if _, err := parse(endless{"# " + strings.Repeat("a", 29) + "\n"}, nil); err == nil || !strings.Contains(err.Error(), "larger than 32 MiB") {
		t.Errorf("got %v", err)
	}
	broken := io.MultiReader(strings.NewReader("a 1\n"), failing{})
	if _, err := parse(broken, nil); !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
}

var errBroken = errors.New("connection reset")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errBroken }

// FuzzParse: whatever comes, it ends without a panic, and what is kept can be read again.
func FuzzParse(f *testing.F) {
	f.Add("a{x=\"1\",y=\"\\\\\\\"\\n\"} 1 2\n# HELP b c\nb NaN\n")
	f.Add("a{x=\"\\")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := readSample(text)
		if err != nil {
			return
		}
		if s.name == "" || s.text != text {
			t.Fatalf("%q is read as %+v", text, s)
		}
		again := s.name + "{"
		for _, l := range s.labels {
			again += l.name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(l.value) + `",`
		}
		again += fmt.Sprintf("} %v", s.value)
		twin, err := readSample(again)
		if err != nil || twin.name != s.name || fmt.Sprint(twin.labels) != fmt.Sprint(s.labels) ||
			twin.value != s.value && !(math.IsNaN(twin.value) && math.IsNaN(s.value)) {
			t.Fatalf("%q is read as %+v, %q as %+v: %v", text, s, again, twin, err)
		}
	})
}

// FuzzSelector: what is accepted means the same when it is written out.
func FuzzSelector(f *testing.F) {
	f.Add(`ejabberd_upload_accounts_near_quota{vhost="example.org",level=hard}`)
	f.Add("sum( ejabberd_sessions )")
	f.Add("days_left(a_timestamp_seconds{x=y})")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := readSelector(text)
		if err != nil {
			return
		}
		twin, err := readSelector(s.String())
		if err != nil || twin.String() != s.String() {
			t.Fatalf("%q is written %q: %v", text, s, err)
		}
	})
}
