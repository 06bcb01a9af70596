// SPDX-License-Identifier: Apache-2.0

package nagios_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/nagios"
	"github.com/chapril/ejabberd_exporter/probes"
)

var (
	seconds  = &metric.Metric{Name: "probe_seconds", Help: "Seconds"}
	days     = &metric.Metric{Name: "probe_days", Help: "Days left"}
	lifetime = &metric.Metric{Name: "probe_lifetime_days", Help: "Whole lifetime"}
)

func reader(m *metric.Metric) func(*metric.Set) (float64, bool) {
	return func(s *metric.Set) (float64, bool) { return s.Get(m) }
}

// literal is a probe that does what run does, with figures and thresholds like those of check_xmpp_c2s.
func literal(run probes.Run) probes.Probe {
	return probes.Probe{
		Name: "c2s", Help: "Proves that a client can open an encrypted stream",
		Settings: func(s *probes.Settings) probes.Run {
			var host string
			s.String(&host, probes.Local, "host", "", "Address or name to connect to").Short = 'H'
			return run
		},
		Figures: []probes.Figure{
			{Label: "time", Unit: "s", Min: "0", Value: reader(seconds)},
			{Label: "cert_days", Value: reader(days), Whole: reader(lifetime)},
		},
		Thresholds: []probes.Threshold{
			{Flag: "warning", Figure: "time", State: probes.Warning, Help: "Seconds"},
			{Flag: "critical", Figure: "time", State: probes.Critical, Help: "Seconds"},
			{Flag: "warning-days", Figure: "cert_days", State: probes.Warning, Default: "25%:", Help: "Days left"},
			{Flag: "critical-days", Figure: "cert_days", State: probes.Critical, Default: "10%:", Help: "Days left"},
		},
	}
}

// found is a run that finds this many seconds, days and days of lifetime; negative ones are unknown.
func found(time, left, whole float64) probes.Run {
	return func(_ context.Context, _ probes.Target, out *probes.Report) error {
		for m, v := range map[*metric.Metric]float64{seconds: time, days: left, lifetime: whole} {
			if v >= 0 {
				out.Set.Add(m, v)
			}
		}
		out.Summary = "4 endpoints, TLS 1.3"
		return nil
	}
}

// healthy is a run in which everything is well.
var healthy = found(0.021, 69, 90)

// ask runs the plugin and returns its exit code and output.
func ask(t *testing.T, p probes.Probe, args ...string) (code int, output string) {
	t.Helper()
	var out strings.Builder
	code = nagios.Run(p, args, &out)
	if out.Len() == 0 {
		t.Errorf("%q: empty output", args)
	}
	return code, out.String()
}

// want checks code and output.
func want(t *testing.T, p probes.Probe, args []string, code int, output string) {
	t.Helper()
	gotCode, got := ask(t, p, args...)
	if gotCode != code || got != output {
		t.Errorf("%q:\n got %d %s\nwant %d %s", args, gotCode, got, code, output)
	}
}

func TestStatus(t *testing.T) {
	const perf = " | time=0.021s;;;0 cert_days=69;22.5:;9:\n"
	refused := &probes.Failure{Phase: probes.Connect, Reason: probes.Refused, Err: errors.New("connection refused")}
	for name, c := range map[string]struct {
		run    func(*probes.Report) error
		code   int
		output string
	}{
		"ok": {
			func(out *probes.Report) error { out.Note(probes.OK, "a:5222 ip4", "TLS 1.3"); return nil },
			0, "XMPP_C2S OK - 4 endpoints, TLS 1.3" + perf + "[OK] a:5222 ip4: TLS 1.3\n",
		},
		"worst first": {
			func(out *probes.Report) error {
				out.Note(probes.OK, "a:5222 ip4", "fine")
				out.Note(probes.Warning, "a:5222 ip6", "slow")
				out.Note(probes.Critical, "a:5223 ip4", "PLAIN before TLS")
				out.Note(probes.Unknown, "a:5223 ip6", "not testable from here")
				out.Note(probes.Critical, "b:5222 ip4", "closed")
				return nil
			},
			2, "XMPP_C2S CRITICAL - a:5223 ip4: PLAIN before TLS (and 3 more); 4 endpoints, TLS 1.3" + perf +
				"[CRITICAL] a:5223 ip4: PLAIN before TLS\n[CRITICAL] b:5222 ip4: closed\n[UNKNOWN] a:5223 ip6: not testable from here\n" +
				"[WARNING] a:5222 ip6: slow\n[OK] a:5222 ip4: fine\n",
		},
		"failure": {
			func(*probes.Report) error { return refused },
			2, "XMPP_C2S CRITICAL - connect: connection refused; 4 endpoints, TLS 1.3" + perf,
		},
		"failure that a note tells too": {
			func(out *probes.Report) error {
				out.Note(probes.Critical, "a:5222 ip4", "connect: connection refused")
				return refused
			},
			2, "XMPP_C2S CRITICAL - a:5222 ip4: connect: connection refused; 4 endpoints, TLS 1.3" + perf +
				"[CRITICAL] a:5222 ip4: connect: connection refused\n",
		},
		"no verdict": {
			func(*probes.Report) error { return errors.New("cannot read the CA file: permission denied") },
			3, "XMPP_C2S UNKNOWN - cannot read the CA file: permission denied; 4 endpoints, TLS 1.3" + perf,
		},
		"panic": {
			func(*probes.Report) error { panic("lost") },
			3, "XMPP_C2S UNKNOWN - panic: this is a bug of the plugin, please report what -vvv shows; 4 endpoints, TLS 1.3" + perf,
		},
		"hostile text": {
			func(out *probes.Report) error {
				out.Note(probes.Critical, "a:5222|x=1", "bad\n\x1b[31mOK - all is well | time=0\r\n")
				out.Summary = "4 | 5\nendpoints"
				return nil
			},
			2, "XMPP_C2S CRITICAL - a:5222x=1: bad [31mOK - all is well time=0; 4 5 endpoints" + perf +
				"[CRITICAL] a:5222x=1: bad [31mOK - all is well time=0\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			want(t, literal(func(ctx context.Context, target probes.Target, out *probes.Report) error {
				return errors.Join(healthy(ctx, target, out), c.run(out))
			}), []string{"--domain", "example.org"}, c.code, c.output)
		})
	}
}
