// SPDX-License-Identifier: Apache-2.0

package exposition_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/exposition"
	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/probes"
)

var answered = &metric.Metric{Name: "probe_xmpp_answered", Help: "Whether it answered", Source: "test", Scope: metric.Probe}

// echo is a probe that fails when it is told to.
func echo() probes.Probe {
	return probes.Probe{Name: "echo", Settings: func(s *probes.Settings) probes.Run {
		var fail, panics bool
		var address string
		s.Bool(&fail, probes.Safe, "fail", "whether to fail")
		s.Bool(&panics, probes.Safe, "panic", "whether to panic")
		s.String(&address, probes.Local, "hostname", "", "address to connect to")
		return func(_ context.Context, target probes.Target, out *probes.Report) error {
			out.Set.Add(answered, 1)
			out.Note(probes.OK, "host.example:5222", "answered for "+target.Domain+address)
			if panics {
				panic("evil")
			}
			if fail {
				return &probes.Failure{Phase: probes.Connect, Reason: probes.Refused, Err: errors.New("connection refused")}
			}
			return nil
		}
	}}
}

func prober(t *testing.T, local map[string]string) http.Handler {
	t.Helper()
	p, err := exposition.NewProber(probes.Modules([]probes.Probe{echo()}), exposition.ProberOptions{
		Local: local, Logger: quiet,
		Allowed: func(domain string) bool { return domain == "good.example" },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTheOperatorsSettingsReachTheProbe(t *testing.T) {
	handler := prober(t, map[string]string{"hostname": " by 192.0.2.1"})
	if _, body := get(t, handler, "/probe?module=echo&target=good.example&debug=true"); !strings.Contains(body, "answered for good.example by 192.0.2.1") {
		t.Errorf("got %s", body)
	}
	_, err := exposition.NewProber(probes.Modules([]probes.Probe{echo()}), exposition.ProberOptions{Local: map[string]string{"fail": "perhaps"}})
	if err == nil || !strings.Contains(err.Error(), "--probe.fail") {
		t.Errorf("a bad setting gives %v", err)
	}
}

func TestProbe(t *testing.T) {
	for _, c := range []struct {
		query  string
		status int
		want   []string
	}{
		{"module=echo&target=good.example", 200, []string{"probe_success 1\n", "probe_xmpp_answered 1\n", "probe_duration_seconds "}},
		{"module=echo&target=GOOD.example.", 200, []string{"probe_success 1\n"}},
		{"module=echo&target=good.example&fail=true", 200, []string{"probe_success 0\n", "probe_xmpp_answered 1\n"}},
		{"module=echo&target=good.example&fail=true&debug=true", 200, []string{"CRITICAL - connect: connection refused", "host.example:5222: answered for good.example"}},
		{"module=echo&target=good.example&panic=true&debug=true", 200, []string{"CRITICAL - panic: this is a bug", "probe_success 0\n"}},
		{"module=echo", 400, []string{"target is not allowed"}},
		{"module=echo&target=evil.example", 400, []string{"--probe.target"}},
		{"module=echo&target=127.0.0.1:5432", 400, []string{"target is not allowed"}},
		{"module=nosuch&target=good.example", 400, []string{"there are: echo"}},
		{"module=echo&target=good.example&hostname=127.0.0.1", 400, []string{"unknown parameter", "fail"}},
		{"module=echo&target=good.example&fail=perhaps", 400, []string{"parameter fail has a value"}},
	} {
		status, body := get(t, prober(t, nil), "/probe?"+c.query)
		if status != c.status {
			t.Errorf("%s: status %d, want %d: %s", c.query, status, c.status, body)
		}
		for _, want := range c.want {
			if !strings.Contains(body, want) {
				t.Errorf("%s: the answer lacks %q:\n%s", c.query, want, body)
			}
		}
		if strings.Contains(body, "# HELP") && strings.Contains(body, "host.example") {
			t.Errorf("%s: a note reached the page:\n%s", c.query, body)
		}
		for _, never := range []string{"evil", "5432", "hostname", "perhaps"} {
			if strings.Contains(body, never) {
				t.Errorf("%s: the answer repeats %q:\n%s", c.query, never, body)
			}
		}
	}
}

// FuzzProbe: whatever stands in the query, the answer comes, only the allowed target is probed, and nothing is repeated.
func FuzzProbe(f *testing.F) {
	for _, seed := range []string{
		"module=echo&target=good.example", "module=echo&target=good.example&fail=true&debug=true", "module=echo&target=GOOD.example.&target=canary.example",
		"module=canary&target=good.example", "module=echo&target=canary%00", "canary;&&==%zz", "module=echo&target=good.example&fail=canary", "module=echo&target=good.example&hostname=canary",
	} {
		f.Add(seed)
	}
	var probed string
	probe := probes.Probe{Name: "echo", Settings: func(s *probes.Settings) probes.Run {
		var fail bool
		s.Bool(&fail, probes.Safe, "fail", "whether to fail")
		return func(_ context.Context, target probes.Target, _ *probes.Report) error {
			probed = target.Domain
			return nil
		}
	}}
	handler, err := exposition.NewProber(probes.Modules([]probes.Probe{probe}), exposition.ProberOptions{
		Logger: quiet, Allowed: func(domain string) bool { return domain == "good.example" },
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, query string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/probe", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.URL.RawQuery, probed = query, "good.example"
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		if answer.Code != http.StatusOK && answer.Code != http.StatusBadRequest || probed != "good.example" || strings.Contains(answer.Body.String(), "canary") {
			t.Errorf("%q: status %d, probed %s: %s", query, answer.Code, probed, answer.Body)
		}
	})
}
