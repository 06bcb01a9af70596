// SPDX-License-Identifier: Apache-2.0

package nagios_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/nagios"
	"github.com/chapril/ejabberd_exporter/probes"
)

// refusing is a run that is refused, with one note and the time known.
func refusing(_ context.Context, _ probes.Target, out *probes.Report) error {
	out.Set.Add(seconds, 0.5)
	out.Note(probes.Critical, "a:5222 ip4", "refused | by \"them\"")
	return &probes.Failure{Phase: probes.Connect, Reason: probes.Refused, Err: errors.New("connection refused")}
}

var took = regexp.MustCompile(`(duration_seconds"?:? )[0-9.e-]+`)

func TestJSON(t *testing.T) {
	code, output := ask(t, literal(refusing), "--domain", "example.org", "--output", "json", "-w", "1", "--critical-days", "9:")
	if code != 2 {
		t.Errorf("exit code %d", code)
	}
	const golden = `{
  "plugin": "check_xmpp_c2s",
  "domain": "example.org",
  "state": "CRITICAL",
  "code": 2,
  "summary": "",
  "failure": {
    "phase": "connect",
    "reason": "refused",
    "text": "connect: connection refused"
  },
  "duration_seconds": 0,
  "notes": [
    {
      "state": "CRITICAL",
      "text": "connect: connection refused"
    },
    {
      "state": "CRITICAL",
      "subject": "a:5222 ip4",
      "text": "refused by \"them\""
    }
  ],
  "figures": [
    {
      "label": "time",
      "value": 0.5,
      "unit": "s",
      "warning": "1"
    },
    {
      "label": "cert_days",
      "value": null,
      "critical": "9:"
    }
  ]
}
`
	if got := took.ReplaceAllString(output, "${1}0"); got != golden {
		t.Errorf("got %s", got)
	}
}

func TestJSONOfUsageError(t *testing.T) {
	code, output := ask(t, literal(healthy), "--output=json")
	var doc struct {
		State   string
		Code    int
		Failure struct{ Text string }
	}
	if err := json.Unmarshal([]byte(output), &doc); err != nil {
		t.Fatal(err)
	}
	if code != 3 || doc.Code != 3 || doc.State != "UNKNOWN" || !strings.HasPrefix(doc.Failure.Text, "--domain is missing") {
		t.Errorf("got %d %+v", code, doc)
	}
}

func TestPrometheusOfUsageError(t *testing.T) {
	want(t, literal(healthy), []string{"--output=prometheus"}, 3, "# XMPP_C2S UNKNOWN - --domain is missing: the XMPP domain to probe, "+
		"such as example.org (see check_xmpp_c2s --help) | time=U;;;0 cert_days=U\n")
}

func TestPrometheus(t *testing.T) {
	for name, c := range map[string]struct {
		run    probes.Run
		args   []string
		code   int
		output string
	}{
		"works":        {healthy, nil, 0, "probe_success 1\nprobe_duration_seconds 0\nprobe_days 69\nprobe_lifetime_days 90\nprobe_seconds 0.021\n"},
		"no threshold": {healthy, []string{"-c", "0.001"}, 2, "probe_success 1\nprobe_duration_seconds 0\nprobe_days 69\nprobe_lifetime_days 90\nprobe_seconds 0.021\n"},
		"fails":        {refusing, nil, 2, "probe_success 0\nprobe_duration_seconds 0\nprobe_seconds 0.5\n"},
		"noted": {func(_ context.Context, _ probes.Target, out *probes.Report) error {
			out.Note(probes.Critical, "a", "b")
			return nil
		}, nil, 2, "probe_success 0\nprobe_duration_seconds 0\n"},
		"warning is well": {func(_ context.Context, _ probes.Target, out *probes.Report) error {
			out.Note(probes.Warning, "a", "b")
			return nil
		}, nil, 1, "probe_success 1\nprobe_duration_seconds 0\n"},
	} {
		code, output := ask(t, literal(c.run), append([]string{"--domain", "a.org", "--output", "prometheus"}, c.args...)...)
		if got := took.ReplaceAllString(output, "${1}0"); code != c.code || got != c.output {
			t.Errorf("%s: got %d %s", name, code, got)
		}
	}
}

func TestVerbosity(t *testing.T) {
	asked := regexp.MustCompile(`^asked about example\.org, time limit 10s, took [0-9.]+ s$`)
	for _, c := range []struct {
		flag  string
		lines []string // after the first; "asked" for that line
	}{
		{"-v", []string{"[CRITICAL] a:5222 ip4: refused by \"them\"", "asked"}},
		{"-vv", []string{"[CRITICAL] a:5222 ip4: refused by \"them\"", "asked", "probe_seconds 0.5"}},
		{"-vvv", []string{
			"[CRITICAL] a:5222 ip4: refused by \"them\"", "asked", "probe_seconds 0.5",
			"*probes.Failure: connect: connection refused", "*errors.errorString: connection refused",
		}},
	} {
		_, output := ask(t, literal(refusing), "--domain", "example.org", c.flag)
		lines := strings.Split(strings.TrimSpace(output), "\n")[1:]
		for i, line := range lines {
			if asked.MatchString(line) {
				lines[i] = "asked"
			}
		}
		if fmt.Sprint(lines) != fmt.Sprint(c.lines) {
			t.Errorf("%s: got %q, want %q", c.flag, lines, c.lines)
		}
	}
}

func TestSize(t *testing.T) {
	talkative := literal(func(_ context.Context, _ probes.Target, out *probes.Report) error {
		for i := range 100 {
			out.Note(probes.Critical, fmt.Sprintf("endpoint %d", i), strings.Repeat("é | ", 200))
		}
		out.Summary = strings.Repeat("summary ", 100)
		return nil
	})
	for _, c := range []struct {
		verbosity string
		limited   bool
	}{{"", true}, {"-v", true}, {"-vv", false}} {
		_, output := ask(t, talkative, strings.Fields("--domain a.org "+c.verbosity)...)
		if (len(output) < 4096) != c.limited {
			t.Errorf("%q: %d bytes", c.verbosity, len(output))
		}
		first, rest, _ := strings.Cut(output, "\n")
		if !strings.Contains(first, "… (and 99 more) | time=U;;;0") || len(first) > 400 {
			t.Errorf("%q: first line %q", c.verbosity, first)
		}
		if cut := regexp.MustCompile(`\n… [0-9]+ more lines, see -vv\n$`).MatchString(rest); cut != c.limited {
			t.Errorf("%q: output ends in %q", c.verbosity, rest[len(rest)-50:])
		}
		if !c.limited && strings.Count(rest, "[CRITICAL] endpoint ") != 100 {
			t.Errorf("%q: endpoints are missing", c.verbosity)
		}
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestOutputThatNobodyReads(t *testing.T) {
	if code := nagios.Run(literal(healthy), []string{"--domain", "a.org"}, brokenPipe{}); code != 3 {
		t.Errorf("exit code %d, want 3", code)
	}
}
