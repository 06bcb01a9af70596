// SPDX-License-Identifier: Apache-2.0

package probes_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
	"github.com/chapril/ejabberd_exporter/internal/xmpp/sasl"
	"github.com/chapril/ejabberd_exporter/probes"
)

// TestCoturn: a relay that others wrote, over UDP and TCP, with both sorts of credentials, IPv4 and IPv6.
func TestCoturn(t *testing.T) {
	t.Parallel()
	service.Require(t)
	const secret = "turn-" + service.Canary
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	byUser, err := service.StartCoturn(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(byUser.Stop)
	bySecret, err := service.StartCoturn(ctx, secret)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bySecret.Stop)
	for _, c := range []struct {
		name     string
		relay    *service.Coturn
		settings []string
		state    probes.State
		allocate bool
		says     []string
	}{
		{
			"user and password", byUser,
			[]string{"turn-username=" + byUser.User, "turn-password-file=" + secretFile(t, byUser.Password)},
			probes.OK, true,
			[]string{"ip4: STUN over UDP", "ip4: STUN over TCP", "ip4: TURN allocation over UDP", "ip4: TURN allocation over TCP"},
		},
		{"shared secret", bySecret, []string{"secret-file=" + secretFile(t, secret)}, probes.OK, true, []string{"TURN allocation over UDP", "TURN allocation over TCP"}},
		{
			"wrong password", byUser,
			[]string{"turn-username=" + byUser.User, "turn-password-file=" + secretFile(t, "wrong")},
			probes.Critical, false,
			[]string{"auth: error 401"},
		},
		{"wrong secret", bySecret, []string{"secret-file=" + secretFile(t, "wrong")}, probes.Critical, false, []string{"auth: error 401"}},
	} {
		for _, host := range []string{"127.0.0.1", "::1"} {
			t.Run(c.name+" "+host, func(t *testing.T) {
				p := probes.TURN(sasl.Authenticate)
				r, err := runOn(t, p, domain, append([]string{"hostname=" + host, "port=" + strconv.Itoa(c.relay.Port)}, c.settings...)...)
				said := texts(r)
				if err != nil || r.Worst() != c.state {
					t.Errorf("%v\n%s", err, said)
				}
				for _, text := range c.says {
					if host == "::1" {
						text = strings.Replace(text, "ip4", "ip6", 1)
					}
					if !strings.Contains(said, text) {
						t.Errorf("nothing says %q:\n%s", text, said)
					}
				}
				if _, ok := figure(t, p, r, "allocate"); ok != c.allocate {
					t.Errorf("allocated: %v", ok)
				}
				if strings.Contains(said+r.Set.Text(), service.Canary) {
					t.Errorf("a secret is told:\n%s", said)
				}
			})
		}
	}
}
