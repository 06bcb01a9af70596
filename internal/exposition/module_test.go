// SPDX-License-Identifier: Apache-2.0

package exposition_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/exposition"
	"github.com/chapril/ejabberd_exporter/internal/xmpp"
	"github.com/chapril/ejabberd_exporter/probes"
)

// visitor is a probe that logs in, and takes its time.
type visitor struct {
	logins  int
	refused bool
	takes   time.Duration
}

func (v *visitor) module(password string) probes.Module {
	return probes.Module{Name: "login", Set: []probes.Assignment{{Name: "password", Value: password}}, Probe: probes.Probe{
		Name: "login", LogsIn: true, Settings: func(s *probes.Settings) probes.Run {
			s.String(new(string), probes.Secret, "password", "", "password")
			return func(ctx context.Context, target probes.Target, out *probes.Report) error {
				if target.Domain != "good.example" {
					return probes.ErrOtherDomain
				}
				v.logins++
				time.Sleep(v.takes)
				if v.refused {
					return &probes.Failure{Phase: probes.Auth, Reason: probes.Refused, Err: &xmpp.AuthError{Condition: "not-authorized"}}
				}
				return ctx.Err()
			}
		},
	}}
}

func (v *visitor) prober(t *testing.T) *exposition.Prober {
	t.Helper()
	p, err := exposition.NewProber([]probes.Module{v.module("a")}, exposition.ProberOptions{
		Allowed: func(string) bool { return true }, Logger: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const logIn = "/probe?module=login&target=good.example"

// TestLoginsAreRare: 30 s after a login that went well; after a refusal ten minutes and then ever longer, so that at most six
// failures fall into the hour that mod_fail2ban remembers.
func TestLoginsAreRare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &visitor{}
		p := v.prober(t)
		during := func(d time.Duration) int {
			before := v.logins
			for range int(d / (5 * time.Second)) {
				if status, _ := get(t, p, logIn); status != http.StatusOK {
					t.Fatalf("status %d", status)
				}
				time.Sleep(5 * time.Second)
			}
			return v.logins - before
		}
		if n := during(5 * time.Minute); n != 10 {
			t.Errorf("%d logins in five minutes", n)
		}
		v.refused = true
		for i, d := range []time.Duration{10, 20, 40, 80, 80, 80} {
			if n := during(d * time.Minute); n != 1 {
				t.Errorf("period %d: %d logins in %d minutes", i, n, d)
			}
		}
		v.refused = false
		if n := during(time.Minute); n != 2 {
			t.Errorf("%d logins in a minute once the password was right", n)
		}
		v.refused = true
		if n := during(10 * time.Minute); n != 1 {
			t.Errorf("%d logins in ten minutes once it was wrong again", n)
		}
	})
}

// TestReload: what is held back stays so, unless the module changed or the operator asks.
func TestReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &visitor{refused: true}
		p := v.prober(t)
		for i, c := range []struct {
			password string
			forget   bool
			logins   int
		}{{"a", false, 1}, {"b", false, 2}, {"b", false, 2}, {"b", true, 3}} {
			if err := p.Replace([]probes.Module{v.module(c.password)}, c.forget); err != nil {
				t.Fatal(err)
			}
			get(t, p, logIn)
			if i == 0 {
				get(t, p, logIn)
			}
			if v.logins != c.logins {
				t.Errorf("step %d: %d logins, want %d", i, v.logins, c.logins)
			}
		}
	})
}

// TestOneLoginAtATime: who asks meanwhile gets the same answer, if there is time for it; who leaves spoils nothing.
func TestOneLoginAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &visitor{takes: 2 * time.Second}
		p := v.prober(t)
		var asking sync.WaitGroup
		for _, c := range []struct {
			seconds string
			status  int
		}{{"8", 200}, {"8", 200}, {"1", 503}} {
			asking.Go(func() {
				if c.seconds == "1" {
					time.Sleep(time.Second / 2)
				}
				status, page := get(t, p, logIn, "X-Prometheus-Scrape-Timeout-Seconds", c.seconds)
				if status != c.status || status == 200 && !strings.Contains(page, "probe_success 1\n") {
					t.Errorf("%s s: status %d\n%s", c.seconds, status, page)
				}
			})
		}
		asking.Wait()
		if v.logins != 1 {
			t.Errorf("%d logins", v.logins)
		}
		if status, page := get(t, p, "/probe?module=login&target=other.example"); status != http.StatusBadRequest || strings.Contains(page, "other") && !strings.Contains(page, "of another domain") {
			t.Errorf("another domain: %d %s", status, page)
		}
	})
}
