// SPDX-License-Identifier: Apache-2.0

package exposition_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/exposition"
	"github.com/chapril/ejabberd_exporter/probes"
)

// watched is a probe of which a test knows how often it ran.
type watched struct {
	mu                 sync.Mutex
	runs, atOnce, most int
	takes              time.Duration
	err                error
	panics             bool
}

func (w *watched) enter(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.runs += max(n, 0)
	w.atOnce += n
	w.most = max(w.most, w.atOnce)
}

// ran is how often it ran, and how often at once.
func (w *watched) ran() (runs, most int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.runs, w.most
}

func (w *watched) module(name string, configured bool) probes.Module {
	return probes.Module{Name: name, Configured: configured, Probe: probes.Probe{Name: name, Settings: func(*probes.Settings) probes.Run {
		return func(ctx context.Context, _ probes.Target, _ *probes.Report) error {
			w.enter(1)
			defer w.enter(-1)
			if w.panics {
				panic("anybody's data")
			}
			select {
			case <-time.After(w.takes):
			case <-ctx.Done():
				return ctx.Err()
			}
			return w.err
		}
	}}}
}

func lookout(t *testing.T, modules ...probes.Module) (see func(time.Duration, ...string) []exposition.Sight, prober *exposition.Prober) {
	t.Helper()
	prober, err := exposition.NewProber(modules, exposition.ProberOptions{
		Allowed: func(domain string) bool { return domain != "evil.example" }, Logger: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	l := exposition.NewLookout(prober)
	t.Cleanup(func() { l.Close(context.Background()) })
	return func(patience time.Duration, targets ...string) []exposition.Sight {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return l.Look(ctx, targets...)
	}, prober
}

// TestLookingProbesOnceAMinute: whoever looks, and however often; what is not configured, not allowed or not looked at never runs.
func TestLookingProbesOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, other := &watched{takes: time.Second}, &watched{}
		see, _ := lookout(t, w.module("c2s", true), other.module("cert", false))
		for range 30 {
			seen := see(5*time.Second, "good.example", "evil.example")
			if len(seen) != 1 || seen[0].Target != "good.example" || !seen[0].Good || seen[0].Report == nil {
				t.Fatalf("seen %+v", seen)
			}
			time.Sleep(10 * time.Second)
		}
		if runs, _ := w.ran(); runs != 5 {
			t.Errorf("%d runs in five minutes", runs)
		}
		time.Sleep(time.Hour)
		if runs, _ := w.ran(); runs != 5 {
			t.Errorf("%d runs while nobody looked", runs-5)
		}
		if runs, _ := other.ran(); runs != 0 {
			t.Errorf("%d runs of what is not configured", runs)
		}
	})
}

// TestLookingDoesNotWaitForEver: what is late is told as running, with what was found before, and goes on meanwhile.
func TestLookingDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watched{takes: 3 * time.Second, err: &probes.Failure{Phase: probes.Connect, Reason: probes.Refused, Err: errors.New("refused")}}
		see, _ := lookout(t, w.module("c2s", true))
		if seen := see(time.Second, "good.example"); len(seen) != 1 || !seen[0].Running || seen[0].Report != nil {
			t.Fatalf("during the first run %+v", seen)
		}
		seen := see(5*time.Second, "good.example")
		if seen[0].Running || seen[0].Good || len(seen[0].Failures()) != 1 || seen[0].Failures()[0].Reason != probes.Refused {
			t.Fatalf("after it %+v", seen)
		}
		time.Sleep(time.Minute)
		if seen := see(time.Second, "good.example"); !seen[0].Running || seen[0].Report == nil || time.Since(seen[0].Began) < time.Minute {
			t.Fatalf("during the second run %+v", seen)
		}
		if runs, _ := w.ran(); runs != 2 {
			t.Errorf("%d runs", runs)
		}
	})
}

// TestLookingIsNoStorm: however many hosts there are, few are probed at a time.
func TestLookingIsNoStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watched{takes: time.Second}
		see, _ := lookout(t, w.module("c2s", true), w.module("s2s", true))
		var hosts []string
		for c := 'a'; c < 'a'+10; c++ {
			hosts = append(hosts, string(c)+".example")
		}
		if seen := see(time.Minute, hosts...); len(seen) != 20 || seen[0].Target != "a.example" || seen[1].Module != "s2s" {
			t.Errorf("seen %d: %+v", len(seen), seen)
		}
		if runs, most := w.ran(); runs != 20 || most != 4 {
			t.Errorf("%d runs, %d at a time", runs, most)
		}
	})
}

// TestLookingWithAnAccount: it is tried on its own domain, and told once where there is none.
func TestLookingWithAnAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &visitor{}
		m := v.module("a")
		m.Configured = true
		see, _ := lookout(t, m)
		if seen := see(time.Second, "bad.example", "good.example", "worse.example"); len(seen) != 1 || seen[0].Target != "good.example" || !seen[0].Good {
			t.Errorf("seen %+v", seen)
		}
		if seen := see(time.Second, "bad.example", "worse.example"); len(seen) != 1 || seen[0].Target != "" || !errors.Is(seen[0].Err, probes.ErrOtherDomain) {
			t.Errorf("seen %+v", seen)
		}
		if v.logins != 1 {
			t.Errorf("%d logins", v.logins)
		}
	})
}

// TestLookingSurvives: a probe that panics, a configuration that changes.
func TestLookingSurvives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &watched{panics: true}
		see, prober := lookout(t, w.module("c2s", true))
		if seen := see(time.Second, "good.example"); len(seen) != 1 || seen[0].Good || seen[0].Err == nil || seen[0].Err.Error() != "panic: this is a bug of the exporter, please report it" {
			t.Fatalf("seen %+v", seen)
		}
		next := &watched{}
		if err := prober.Replace([]probes.Module{next.module("other", true)}, false); err != nil {
			t.Fatal(err)
		}
		if seen := see(time.Second, "good.example"); len(seen) != 1 || seen[0].Module != "other" || !seen[0].Good {
			t.Errorf("after a reload %+v", seen)
		}
	})
}
