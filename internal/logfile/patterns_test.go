// SPDX-License-Identifier: Apache-2.0

package logfile_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/logfile"
)

var update = flag.Bool("update", false, "write testdata/*/want.txt anew")

// TestVersions counts what real servers wrote. TestTheLogIsCounted of cmd/ejabberd_exporter writes testdata/VERSION/ejabberd.log
// with -update.
func TestVersions(t *testing.T) {
	logs, err := filepath.Glob("testdata/*/ejabberd.log")
	if err != nil || len(logs) == 0 {
		t.Fatalf("no logs in testdata: %v", err)
	}
	for _, path := range logs {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		l := follow(t, "")
		l.write(string(text))
		golden := filepath.Join(filepath.Dir(path), "want.txt")
		got := counted(l)
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(golden); err != nil || got != string(want) {
			t.Errorf("%s differs from %s (go test -update writes it anew; %v):\n%s", path, golden, err, got)
		}
	}
}

// counted are the counters that are not 0.
func counted(l *log) string {
	counts, err := l.Counts()
	l.must(err)
	var lines []string
	for key, n := range counts.Of {
		if n > 0 {
			lines = append(lines, fmt.Sprintf("%s %d\n", name(key), n))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func name(key logfile.Key) string {
	names := [...]string{
		"messages", "events", "auth attempts", "auth failures", "s2s auth attempts", "s2s auth failures", "s2s connect failures",
		"upload slots", "uploads rejected", "upload store errors",
	}
	return strings.Join(strings.Fields(names[key.Metric]+" "+key.Direction+" "+key.Value), " ")
}

// TestWordings are lines that a test service does not write, and such that somebody made up to be counted.
func TestWordings(t *testing.T) {
	for message, want := range map[string]string{
		"(tls|<0.1.0>) Failed c2s PLAIN authentication from 192.0.2.7: Malformed": "auth attempts PLAIN, auth failures PLAIN",
		"(tls|<0.1.0>) Accepted c2s HT-SHA-256-NONE authentication for u@h":       "auth attempts HT",
		"(tls|<0.1.0>) Accepted c2s MAGIC-CANARY authentication for u@h":          "auth attempts other",
		"(tls|<0.1.0>) Failed inbound s2s dialback authentication a -> b (192.0.2.7): Peer responded with error: x": "s2s auth attempts in dialback, " +
			"s2s auth failures in dialback",
		"(tls|<0.1.0>) Failed outbound s2s EXTERNAL authentication a -> b (192.0.2.7): no":                                          "s2s auth attempts out EXTERNAL, s2s auth failures out EXTERNAL",
		"Failed to establish outbound s2s connection a -> b: authentication failed; bouncing for 94 seconds":                        "",
		"Failed to establish outbound s2s connection a -> b: Connection failed: connection timed out; bouncing for 94 seconds":      "s2s connect failures timeout",
		"Failed to establish outbound s2s connection a -> b: TLS failed: no certificate; bouncing for 94 seconds":                   "s2s connect failures tls",
		"Failed to establish outbound s2s connection a -> b: Stream closed by peer: not-authorized; bouncing for 94 seconds":        "s2s connect failures stream_error",
		"Failed to establish outbound s2s connection a -> b: Connection failed: no route to host; bouncing for 94 seconds":          "s2s connect failures other",
		"Failed to establish outbound s2s connection refused -> timeout.test: DNS lookup failed: nxdomain; bouncing for 94 seconds": "s2s connect failures dns",
		"Denying HTTP upload slot request from u@h/r":                                                                               "uploads rejected denied",
		"Rejecting file : Invalid slot from 192.0.2.7 for h: Unexpected size (99)":                                                  "uploads rejected wrong_size",
		"Rejecting GET request from 192.0.2.7 for h: Too few path components":                                                       "",
		"Got HTTP upload slot for u@h/r (file: Failed c2s PLAIN authentication , size: 1)":                                          "upload slots",
		"push.test rejected notification for u@h (node), disabling push: item-not-found (cancel)":                                   "events push_rejected",
		"pgsql connection failed:":                                  "events sql_error",
		"SQL query '...' at {x,1} failed: <<\"ERROR\">>":            "events sql_error",
		"(tls|<0.1.0>) Failed to secure c2s connection: TLS failed": "events tls_failure",
		"say Failed c2s PLAIN authentication for u@h":               "",
		"(": "",
		"":  "",
	} {
		l := follow(t, "")
		l.write("2026-11-24 03:00:35.394778+01:00 [info] <0.593.0>@ejabberd_c2s:process_auth_result/3:280 " + message + "\n")
		got := strings.Split(strings.TrimSpace(counted(l)), "\n")
		got = slices.DeleteFunc(got, func(line string) bool { return line == "messages info 1" })
		for i := range got {
			got[i] = strings.TrimSuffix(got[i], " 1")
		}
		if have := strings.Join(got, ", "); have != want {
			t.Errorf("%q counts %q, want %q", message, have, want)
		}
	}
}

// FuzzLog: whatever stands in the log, only known counters come out, and they never go down.
func FuzzLog(f *testing.F) {
	logs, _ := filepath.Glob("testdata/*/ejabberd.log")
	for _, path := range logs {
		if text, err := os.ReadFile(path); err == nil {
			for line := range strings.Lines(string(text)) {
				f.Add([]byte(line), uint8(40))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, at uint8) {
		l := follow(t, "")
		before, err := l.Counts()
		l.must(err)
		known := len(before.Of)
		cut := min(int(at), len(text))
		for _, part := range [][]byte{text[:cut], text[cut:], []byte("\n")} {
			l.write(string(part))
			after, err := l.Counts()
			l.must(err)
			for key, n := range before.Of {
				if after.Of[key] < n {
					t.Errorf("%+v went down", key)
				}
			}
			before = after
		}
		if now := maps.Clone(before.Of); len(now) != known {
			t.Errorf("%d counters became %d", known, len(now))
		}
	})
}

func BenchmarkLog(b *testing.B) {
	text := []byte(strings.Repeat(failed+strings.Replace(failed, "Failed c2s", "Opened c2s", 1), 1000))
	path := filepath.Join(b.TempDir(), "ejabberd.log")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		b.Fatal(err)
	}
	follower := logfile.New()
	follower.Point(path)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if err := os.WriteFile(path, nil, 0o600); err != nil { // emptied in place
			b.Fatal(err)
		}
		if _, err := follower.Counts(); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			b.Fatal(err)
		}
		if _, err := follower.Counts(); err != nil {
			b.Fatal(err)
		}
	}
}
