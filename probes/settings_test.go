// SPDX-License-Identifier: Apache-2.0

package probes_test

import (
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/xmpp/sasl"
	"github.com/chapril/ejabberd_exporter/probes"
)

// TestScopes: what /probe takes from whoever asks. Nothing that names an address, a port, a name server or a file.
func TestScopes(t *testing.T) {
	const shared = "use-ipv4 use-ipv6 any-family require-family starttls tls-min"
	const accounts = "use-ipv4 use-ipv6 any-family require-family tls-min"
	want := map[string]string{
		"c2s": shared + " require-mech forbid-mech require-binding", "s2s": shared + " require", "cert": shared + " allow-different",
		"dns":     "use-ipv4 use-ipv6 any-family forbid-xmppconnect public",
		"web":     "use-ipv4 use-ipv6 any-family require-family tls-min require-hostmeta register-web",
		"turn":    "use-ipv4 use-ipv6 any-family require-family tls-min transport",
		"exposed": "use-ipv4 use-ipv6", "federation": shared,
		"login": accounts, "echo": accounts, "upload": accounts, "register": accounts + " expect",
	}
	for _, p := range probes.All(sasl.Authenticate) {
		var declared probes.Settings
		p.Settings(&declared)
		var safe []string
		for _, s := range declared.All {
			if s.Scope == probes.Safe {
				safe = append(safe, s.Name)
			}
		}
		if got := strings.Join(safe, " "); got != want[p.Name] {
			t.Errorf("%s takes %s", p.Name, got)
		}
	}
}

// TestValues: a value that makes no sense is refused when it is set, or by the run, without a verdict about the service.
func TestValues(t *testing.T) {
	for _, c := range []struct{ probe, name, value string }{
		{"c2s", "starttls", "sometimes"},
		{"c2s", "tls-min", "1.4"},
		{"c2s", "port", "0"},
		{"c2s", "port", "65536"},
		{"c2s", "port", "https"},
		{"cert", "ports", "80"},
		{"cert", "ports", "5222,"},
		{"cert", "ports", "80/http"},
		{"dns", "public", "perhaps"},
		{"web", "url", "http://example.org"},
		{"web", "bosh", "https://user:secret@example.org/bosh"},
		{"web", "websocket", "ws://example.org/ws"},
		{"web", "websocket", "wss://exa mple.org/ws"},
		{"web", "url", "https://example.org:0/"},
		{"web", "register-web", "open"},
		{"turn", "transport", "sctp"},
		{"turn", "port", "0"},
		{"exposed", "ports", "4369,0"},
		{"exposed", "distribution", "epmd"},
	} {
		for _, p := range probes.All(sasl.Authenticate) {
			var declared probes.Settings
			p.Settings(&declared)
			for _, s := range declared.All {
				if p.Name == c.probe && s.Name == c.name && s.Value.Set(c.value) == nil {
					t.Errorf("%s takes %s=%s", c.probe, c.name, c.value)
				}
			}
		}
	}
	for _, c := range []struct {
		settings []string
		want     string
	}{
		{[]string{"use-ipv4=true", "use-ipv6=true"}, "-4 and -6 exclude each other"},
		{[]string{"ca-file=/nonexistent/secret.pem"}, "--ca-file: no such file or directory"},
		{[]string{"ca-file=settings_test.go"}, "--ca-file: no PEM certificate in it"},
	} {
		r, err := run(t, probes.C2S(), c.settings...)
		if err == nil || err.Error() != c.want || len(r.Notes) > 0 {
			t.Errorf("%v: %v\n%s", c.settings, err, texts(r))
		}
	}
}
