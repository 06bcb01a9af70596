// SPDX-License-Identifier: Apache-2.0

package nagios_test

import (
	"context"
	"flag"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/probes"
)

// lister is a probe with settings of every sort, which says what it got.
func lister() probes.Probe {
	p := literal(nil)
	p.Settings = func(s *probes.Settings) probes.Run {
		var host, startTLS string
		var port int
		var mechanisms []string
		var only4 bool
		s.String(&host, probes.Local, "host", "", "Address or name to connect to").Short = 'H'
		s.Int(&port, probes.Local, "port", 0, "Port to connect to").Short = 'p'
		s.String(&startTLS, probes.Safe, "starttls", "required", "Whether STARTTLS is required")
		s.List(&mechanisms, probes.Safe, "require-mech", "Mechanism that must be offered")
		s.Bool(&only4, probes.Safe, "ipv4", "Probe IPv4 alone").Short = '4'
		s.Var(flag.Value(&stubborn{}), probes.Safe, "stubborn", "Takes nothing")
		return func(_ context.Context, target probes.Target, out *probes.Report) error {
			out.Summary = strings.Join([]string{target.Domain, host, startTLS, strings.Join(mechanisms, "+")}, " ")
			if only4 {
				out.Summary += " only4"
			}
			return nil
		}
	}
	return p
}

// stubborn accepts no value.
type stubborn struct{}

func (*stubborn) String() string   { return "" }
func (*stubborn) Set(string) error { return context.Canceled }

func TestFlags(t *testing.T) {
	for _, c := range []struct{ args, summary string }{
		{"--domain example.org", "example.org  required "},
		{"--domain=Example.ORG. -H 192.0.2.1 -p 5222", "example.org 192.0.2.1 required "},
		{"-H xmpp.example.org", "xmpp.example.org xmpp.example.org required "},
		{"--domain café.example --starttls off", "xn--caf-dma.example  off "},
		{"--domain XN--CAF-DMA.example", "xn--caf-dma.example  required "},
		{"--domain a.org --require-mech A --require-mech B", "a.org  required A+B"},
		{"--domain a.org --require-mech A -4", "a.org  required A only4"},
		{"-4vvv --domain a.org", "a.org  required  only4"},
		{"--domain a.org --no-ipv4 -v -v", "a.org  required"},
		{"--domain 192.0.2.1", "192.0.2.1  required "},
		{"--domain localhost", "localhost  required "},
		{"-Hlocalhost -p5222 -t1 --output=nagios", "localhost localhost required "},
		{"-4H localhost", "localhost localhost required  only4"},
	} {
		code, output := ask(t, lister(), strings.Fields(c.args)...)
		want := "XMPP_C2S OK - " + strings.Join(strings.Fields(c.summary), " ") + " |"
		if code != 0 || !strings.HasPrefix(output, want) {
			t.Errorf("%s: got %d %s, want %s", c.args, code, output, want)
		}
	}
}

func TestUsageErrors(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{nil, "--domain is missing"},
		{[]string{"-H", "192.0.2.1"}, "--domain is missing"},
		{[]string{"-H", "2001:db8::1"}, "--domain is missing"},
		{[]string{"--domain", ""}, "--domain is missing"},
		{[]string{"--domain", "user@example.org"}, "is no domain name"},
		{[]string{"--domain", "exa mple.org"}, "is no domain name"},
		{[]string{"--domain", "a..org"}, "is no domain name"},
		{[]string{"--domain", "."}, "is no domain name"},
		{[]string{"--domain", "a\nb|c"}, "is no domain name"},
		{[]string{"--domain", strings.Repeat("a", 64) + ".org"}, "is no domain name"},
		{[]string{"--domain", strings.Repeat("abc.", 80) + "org"}, "is no domain name"},
		{[]string{"--domain", "a.org", "-w", "abc"}, `range "abc"`},
		{[]string{"--domain", "a.org", "-w", "20:10"}, "starts above its end"},
		{[]string{"--domain", "a.org", "-w", ""}, `range ""`},
		{[]string{"--domain", "a.org", "-w", "25%:"}, "time cannot be given in percent"},
		{[]string{"--domain", "a.org", "-w"}, "expected argument for flag '-w'"},
		{[]string{"--domain", "a.org", "-w", "1", "-w", "2"}, "cannot be repeated"},
		{[]string{"--domain", "a.org", "-t", "0"}, `timeout "0"`},
		{[]string{"--domain", "a.org", "-t", "-5"}, `timeout "-5"`},
		{[]string{"--domain", "a.org", "-t", "-w"}, "expected argument for flag '-t'"},
		{[]string{"--domain", "a.org", "--timeout"}, "expected argument for flag '--timeout'"},
		{[]string{"--domain", "a.org", "--ipv4=maybe"}, "parse error"},
		{[]string{"--domain", "a.org", "--no-port"}, "unknown long flag '--no-port'"},
		{[]string{"--domain", "a.org", "-4x"}, "unknown short flag '-x'"},
		{[]string{"--domain", "a.org", "-4", "--ipv4"}, "cannot be repeated"},
		{[]string{"--domain", "a.org", "--"}, "unexpected argument"},
		{[]string{"--domain", "a.org", "-"}, "unexpected argument"},
		{[]string{"--domain", "a.org", ""}, "unexpected argument"},
		{[]string{"--domain", "a.org", "-t=-5"}, `timeout "=-5"`},
		{[]string{"--domain", "a.org", "-t", "soon"}, `timeout "soon"`},
		{[]string{"--domain", "a.org", "-t", "10 s"}, `timeout "10 s"`},
		{[]string{"--domain", "a.org", "--timeout-state", "fine"}, `state "fine"`},
		{[]string{"--domain", "a.org", "--timeout-state", "4"}, `state "4"`},
		{[]string{"--domain", "a.org", "--output", "xml"}, "must be one of"},
		{[]string{"--domain", "a.org", "--bogus"}, "unknown long flag '--bogus'"},
		{[]string{"--domain", "a.org", "-x"}, "unknown short flag '-x'"},
		{[]string{"--domain", "a.org", "positional"}, `unexpected argument "positional"`},
		{[]string{"--domain", "a.org", "@/etc/passwd"}, `unexpected argument "@/etc/passwd"`},
		{[]string{"--domain", "a.org", "--port", "http"}, "parse error"},
		{[]string{"--domain", "a.org", "--stubborn", "x"}, "context canceled"},
	} {
		code, output := ask(t, lister(), c.args...)
		first, rest, _ := strings.Cut(output, "\n")
		if code != 3 || !strings.HasPrefix(first, "XMPP_C2S UNKNOWN - ") || !strings.Contains(first, c.says) {
			t.Errorf("%q: got %d %s, want 3 and %q", c.args, code, output, c.says)
		}
		if !strings.Contains(first, "see check_xmpp_c2s --help") && len(first) < 300 || rest != "" {
			t.Errorf("%q: no pointer to the help, or more than a line: %s", c.args, output)
		}
	}
}

func TestHelpAndVersion(t *testing.T) {
	for _, args := range [][]string{{"-h"}, {"--help"}, {"--domain", "a.org", "-h"}, {"-h", "-w", "abc"}} {
		code, output := ask(t, lister(), args...)
		if code != 3 || !strings.HasPrefix(output, "Usage: check_xmpp_c2s ") || strings.Contains(output, "|") {
			t.Errorf("%q: got %d %s", args, code, output)
		}
		for _, part := range []string{
			"Proves that a client can open an encrypted stream.", "Exit codes: 0 OK", "  check_xmpp_c2s --domain example.org\n", "-H, --host=HOST",
			"-w, --warning=RANGE", "    --warning-days=25%:", "    --starttls=required", "-4, --ipv4 ", "offered; may be repeated.", "-t, --timeout=10s", "-V, --version",
		} {
			if !strings.Contains(output, part) {
				t.Errorf("%q: no %q in\n%s", args, part, output)
			}
		}
	}
	for _, args := range [][]string{{"-V"}, {"--version"}, {"--domain", "a.org", "-V"}} {
		code, output := ask(t, lister(), args...)
		if code != 3 || !strings.HasPrefix(output, "check_xmpp_c2s ") || strings.Count(output, "\n") != 1 {
			t.Errorf("%q: got %d %q", args, code, output)
		}
	}
}

func TestBrokenDeclarationIsUnknown(t *testing.T) {
	for name, p := range map[string]probes.Probe{
		"default":  {Name: "c2s", Settings: lister().Settings, Figures: literal(nil).Figures, Thresholds: []probes.Threshold{{Flag: "warning", Figure: "time", Default: "20:10"}}},
		"figure":   {Name: "c2s", Settings: lister().Settings, Thresholds: []probes.Threshold{{Flag: "warning", Figure: "nothing"}}},
		"settings": {Name: "c2s"},
	} {
		if code, output := ask(t, p, "--domain", "a.org"); code != 3 || !strings.HasPrefix(output, "XMPP_C2S UNKNOWN - ") {
			t.Errorf("%s: got %d %s", name, code, output)
		}
	}
}
