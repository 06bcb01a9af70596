// SPDX-License-Identifier: Apache-2.0

package nagios_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chapril/ejabberd_exporter/probes"
)

// deaf ignores its context, and reports on when nobody listens any more.
func deaf(forHowLong time.Duration) probes.Run {
	return func(_ context.Context, _ probes.Target, out *probes.Report) error {
		time.Sleep(forHowLong)
		out.Set.Add(seconds, 1)
		out.Note(probes.OK, "late", "never shown")
		return nil
	}
}

// patient waits for its context and says where it was.
func patient(ctx context.Context, _ probes.Target, out *probes.Report) error {
	out.Note(probes.OK, "a:5222 ip4", "fine")
	<-ctx.Done()
	return &probes.Failure{Phase: probes.Connect, Reason: probes.Timeout, Err: errors.New("no answer")}
}

// noting is like patient, but tells it in a Note.
func noting(ctx context.Context, target probes.Target, out *probes.Report) error {
	err := patient(ctx, target, out)
	out.Notes = append(out.Notes, probes.Note{State: probes.Critical, Subject: "b:5222 ip4", Text: err.Error(), Reason: probes.Timeout})
	return nil
}

// confused fails with an error of its own when its context ends.
func confused(ctx context.Context, _ probes.Target, _ *probes.Report) error {
	<-ctx.Done()
	return errors.New("interrupted")
}

func TestTimeout(t *testing.T) {
	const perf = " | time=U;;;0 cert_days=U"
	for name, c := range map[string]struct {
		run   probes.Run
		args  []string
		code  int
		first string
		after time.Duration // the plugin answers no later
	}{
		"abandoned":    {deaf(time.Hour), nil, 2, "CRITICAL - no result within 10s: the probe did not stop in time and was abandoned" + perf, 10 * time.Second},
		"bare number":  {deaf(time.Hour), []string{"-t", "3"}, 2, "CRITICAL - no result within 3s: the probe did not stop in time and was abandoned" + perf, 3 * time.Second},
		"with a unit":  {deaf(time.Hour), []string{"-t", "3s"}, 2, "CRITICAL - no result within 3s: the probe did not stop in time and was abandoned" + perf, 3 * time.Second},
		"glued":        {deaf(time.Hour), []string{"-t0.5"}, 2, "CRITICAL - no result within 500ms: the probe did not stop in time and was abandoned" + perf, 500 * time.Millisecond},
		"state":        {deaf(time.Hour), []string{"--timeout-state", "unknown"}, 3, "UNKNOWN - no result within 10s: the probe did not stop in time and was abandoned" + perf, 10 * time.Second},
		"state number": {deaf(time.Hour), []string{"--timeout-state=1"}, 1, "WARNING - no result within 10s: the probe did not stop in time and was abandoned" + perf, 10 * time.Second},
		"stops itself": {patient, nil, 2, "CRITICAL - no result within 10s: connect: no answer" + perf, 9500 * time.Millisecond},
		"itself, warning": {
			patient, []string{"--timeout-state", "WARNING"}, 1, "WARNING - no result within 10s: connect: no answer" + perf, 9500 * time.Millisecond,
		},
		"noted":        {noting, nil, 2, "CRITICAL - b:5222 ip4: connect: no answer" + perf, 9500 * time.Millisecond},
		"noted, state": {noting, []string{"--timeout-state", "unknown"}, 3, "UNKNOWN - b:5222 ip4: connect: no answer" + perf, 9500 * time.Millisecond},
		"own error":    {confused, nil, 2, "CRITICAL - no result within 10s: interrupted" + perf, 9500 * time.Millisecond},
		"in time":      {deaf(9 * time.Second), nil, 0, "OK - nothing to complain about | time=1s;;;0 cert_days=U", 9 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				code, output := ask(t, literal(c.run), append([]string{"--domain", "example.org"}, c.args...)...)
				took := time.Since(start)
				time.Sleep(time.Hour) // a late probe writes into its own Report
				first, _, _ := strings.Cut(output, "\n")
				if code != c.code || first != "XMPP_C2S "+c.first {
					t.Errorf("\n got %d %s\nwant %d XMPP_C2S %s", code, first, c.code, c.first)
				}
				if took != c.after {
					t.Errorf("took %s, want %s", took, c.after)
				}
			})
		})
	}
}
