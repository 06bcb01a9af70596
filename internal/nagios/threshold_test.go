// SPDX-License-Identifier: Apache-2.0

package nagios_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/probes"
)

func TestThresholds(t *testing.T) {
	for name, c := range map[string]struct {
		run   probes.Run
		args  []string
		code  int
		first string
	}{
		"above":           {found(2.1, 69, 90), []string{"-w", "1"}, 1, "WARNING - time 2.1 s is above 1 s; 4 endpoints, TLS 1.3 | time=2.1s;1;;0 cert_days=69;22.5:;9:"},
		"below":           {found(2, 69, 90), []string{"-c", "3:"}, 2, "CRITICAL - time 2 s is below 3 s; 4 endpoints, TLS 1.3 | time=2s;;3:;0 cert_days=69;22.5:;9:"},
		"at the limit":    {found(1, 9, 90), []string{"-w", "1", "--warning-days", "9:"}, 0, "OK - 4 endpoints, TLS 1.3 | time=1s;1;;0 cert_days=9;9:;9:"},
		"critical first":  {found(6, 69, 90), []string{"-c", "5", "-w", "1"}, 2, "CRITICAL - time 6 s is above 5 s; 4 endpoints, TLS 1.3 | time=6s;1;5;0 cert_days=69;22.5:;9:"},
		"negative start":  {found(2, 69, 90), []string{"-w", "-5:1"}, 1, "WARNING - time 2 s is above 1 s; 4 endpoints, TLS 1.3 | time=2s;-5:1;;0 cert_days=69;22.5:;9:"},
		"long, negative":  {found(2, 69, 90), []string{"--warning", "-5:5"}, 0, "OK - 4 endpoints, TLS 1.3 | time=2s;-5:5;;0 cert_days=69;22.5:;9:"},
		"glued":           {found(2, 69, 90), []string{"-w-5:1", "--critical=-5:5"}, 1, "WARNING - time 2 s is above 1 s; 4 endpoints, TLS 1.3 | time=2s;-5:1;-5:5;0 cert_days=69;22.5:;9:"},
		"inside":          {found(15, 69, 90), []string{"-w", "@10:20"}, 1, "WARNING - time 15 s is between 10 s and 20 s; 4 endpoints, TLS 1.3 | time=15s;@10:20;;0 cert_days=69;22.5:;9:"},
		"inside, no file": {found(5, 69, 90), []string{"-w", "@10:20", "-c", "@~:1"}, 0, "OK - 4 endpoints, TLS 1.3 | time=5s;@10:20;@~:1;0 cert_days=69;22.5:;9:"},
		"not above":       {found(5, 69, 90), []string{"-w", "@~:10"}, 1, "WARNING - time 5 s is not above 10 s; 4 endpoints, TLS 1.3 | time=5s;@~:10;;0 cert_days=69;22.5:;9:"},
		"not below":       {found(5, 69, 90), []string{"-w", "@2:"}, 1, "WARNING - time 5 s is not below 2 s; 4 endpoints, TLS 1.3 | time=5s;@2:;;0 cert_days=69;22.5:;9:"},
		"never":           {found(5, 69, 90), []string{"-w", "@~:"}, 1, "WARNING - time 5 s is never wanted; 4 endpoints, TLS 1.3 | time=5s;@~:;;0 cert_days=69;22.5:;9:"},
		"percent default": {found(1, 8.9, 90), nil, 2, "CRITICAL - certificate: 8 days left, wanted 9:; 4 endpoints, TLS 1.3 | time=1s;;;0 cert_days=8.9;22.5:;9:"},
		"percent warning": {found(1, 22, 90), nil, 1, "WARNING - certificate: 22 days left, wanted 22.5:; 4 endpoints, TLS 1.3 | time=1s;;;0 cert_days=22;22.5:;9:"},
		"percent, 45 day": {found(1, 20, 45), nil, 0, "OK - 4 endpoints, TLS 1.3 | time=1s;;;0 cert_days=20;11.25:;4.5:"},
		"days":            {found(1, 5, 90), []string{"--critical-days", "9:", "--warning-days", "~:"}, 2, "CRITICAL - certificate: 5 days left, wanted 9:; 4 endpoints, TLS 1.3 | time=1s;;;0 cert_days=5;~:;9:"},
		"one day":         {found(1, 1.5, 90), []string{"--critical-days", "2:"}, 2, "CRITICAL - certificate: 1 day left, wanted 2:; 4 endpoints, TLS 1.3 | time=1s;;;0 cert_days=1.5;22.5:;2:"},
		"two figures":     {found(7, 5, 90), []string{"-w", "1"}, 2, "CRITICAL - certificate: 5 days left, wanted 9: (and 1 more); 4 endpoints, TLS 1.3 | time=7s;1;;0 cert_days=5;22.5:;9:"},
		"unknown figures": {found(-1, -1, -1), []string{"-w", "1", "-c", "@~:"}, 0, "OK - 4 endpoints, TLS 1.3 | time=U;1;@~:;0 cert_days=U"},
		"unknown value":   {found(1, -1, 90), nil, 0, "OK - 4 endpoints, TLS 1.3 | time=1s;;;0 cert_days=U;22.5:;9:"},
		"unknown whole":   {found(1, 5, -1), nil, 3, "UNKNOWN - cert_days cannot be judged in percent: the whole is unknown; 4 endpoints, TLS 1.3 | time=1s;;;0 cert_days=5"},
		"no whole":        {found(1, 5, 0), nil, 3, "UNKNOWN - cert_days cannot be judged in percent: the whole is unknown; 4 endpoints, TLS 1.3 | time=1s;;;0 cert_days=5"},
		"close to it":     {found(1.00001, 69, 90), []string{"-w", "1"}, 1, "WARNING - time 1.00001 s is above 1 s; 4 endpoints, TLS 1.3 | time=1.00001s;1;;0 cert_days=69;22.5:;9:"},
		"infinite":        {found(math.Inf(1), 69, 90), []string{"-w", "1"}, 0, "OK - 4 endpoints, TLS 1.3 | time=U;1;;0 cert_days=69;22.5:;9:"},
	} {
		t.Run(name, func(t *testing.T) {
			code, output := ask(t, literal(c.run), append([]string{"--domain", "example.org"}, c.args...)...)
			first, _, _ := strings.Cut(output, "\n")
			if code != c.code || first != "XMPP_C2S "+c.first {
				t.Errorf("\n got %d %s\nwant %d XMPP_C2S %s", code, first, c.code, c.first)
			}
		})
	}
}

func TestExpiredCertificateInWords(t *testing.T) {
	_, output := ask(t, literal(func(_ context.Context, _ probes.Target, out *probes.Report) error {
		out.Set.Add(days, -3.5)
		out.Set.Add(lifetime, 90)
		return nil
	}), "--domain", "example.org")
	if want := "XMPP_C2S CRITICAL - certificate: expired 3 days ago, wanted 9: | time=U;;;0 cert_days=-3.5;22.5:;9:\n"; output != want {
		t.Errorf("got %s, want %s", output, want)
	}
}

// TestWhereAPartPanicked: -vvv shows that place, not the one that waited for the part.
func TestWhereAPartPanicked(t *testing.T) {
	p := literal(func(context.Context, probes.Target, *probes.Report) error {
		panic(&probes.Crash{Stack: []byte("in a part of it")})
	})
	if code, output := ask(t, p, "--domain", "example.org", "-vvv"); code != 3 || !strings.Contains(output, "in a part of it") {
		t.Errorf("exit code %d, %s", code, output)
	}
}

// The labels are the same in every state, so that graphs have no second set of lines.
func TestSameLabelsInEveryState(t *testing.T) {
	failing := func(err error) probes.Run {
		return func(context.Context, probes.Target, *probes.Report) error { return err }
	}
	domain := []string{"--domain", "example.org"}
	for name, c := range map[string]struct {
		probe probes.Probe
		args  []string
	}{
		"ok":      {literal(healthy), domain},
		"warning": {literal(found(3, 69, 90)), append(domain, "-w", "1")},
		"failure": {literal(failing(&probes.Failure{Phase: probes.Resolve, Reason: probes.DNS, Err: errors.New("SERVFAIL")})), domain},
		"unknown": {literal(failing(errors.New("no CA file"))), domain},
		"panic":   {literal(func(context.Context, probes.Target, *probes.Report) error { panic(1) }), domain},
		"usage":   {literal(healthy), []string{"--bogus"}},
		"broken figure": {func() probes.Probe {
			p := literal(healthy)
			p.Figures[0].Value = func(*metric.Set) (float64, bool) { panic("figure") }
			return p
		}(), domain},
	} {
		_, output := ask(t, c.probe, c.args...)
		_, perf, _ := strings.Cut(strings.SplitN(output, "\n", 2)[0], " | ")
		var labels []string
		for _, item := range strings.Fields(perf) {
			label, _, _ := strings.Cut(item, "=")
			labels = append(labels, label)
		}
		if got := strings.Join(labels, " "); got != "time cert_days" {
			t.Errorf("%s: labels %q in %s", name, got, output)
		}
		if n := strings.Count(output, "|"); n != 1 {
			t.Errorf("%s: %d times | in %s", name, n, output)
		}
	}
}
