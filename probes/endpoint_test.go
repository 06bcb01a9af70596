// SPDX-License-Identifier: Apache-2.0

package probes_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/chapril/ejabberd_exporter/internal/service"
	. "github.com/chapril/ejabberd_exporter/internal/xmpp/xmpptest"
	"github.com/chapril/ejabberd_exporter/probes"
)

const (
	domain = "example.org"
	host   = "xmpp.example.org"
)

// authority is a certificate authority with the file that makes probes trust it.
type authority struct {
	*service.CA
	file string
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	ca, err := service.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	a := authority{ca, filepath.Join(t.TempDir(), "ca.pem")}
	if err := os.WriteFile(a.file, ca.PEM, 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

// config is the TLS configuration of a server with a certificate of this authority.
func (a authority) config(t *testing.T, options service.CertOptions) *tls.Config {
	t.Helper()
	if options.Names == nil {
		options.Names = []string{domain}
	}
	cert, err := a.Issue(options)
	if err != nil {
		t.Fatal(err)
	}
	return With(cert.TLS)
}

// lasting is a certificate that is in the middle of a life of 90 days.
func lasting(days int) service.CertOptions {
	end := time.Now().Add(time.Duration(days)*24*time.Hour + time.Hour)
	return service.CertOptions{NotBefore: end.AddDate(0, 0, -90), NotAfter: end}
}

// zone is a resolver that knows the addresses of host.
func zone(t *testing.T, addresses ...string) *service.Resolver {
	t.Helper()
	r, err := service.StartResolver()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Stop)
	r.SetHost(host, addresses...)
	return r
}

// serveAll serves on one port of all loopback addresses that this machine has: without IPv6, of 127.0.0.1 alone.
func serveAll(t *testing.T, script Script) netip.AddrPort {
	t.Helper()
	ports, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range service.Loopback() {
		Serve(t, net.JoinHostPort(address, strconv.Itoa(ports[0])), script)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(ports[0]))
}

// run runs a probe on example.org with settings "name=value".
func run(t *testing.T, p probes.Probe, settings ...string) (*probes.Report, error) {
	t.Helper()
	return runOn(t, p, domain, settings...)
}

func runOn(t *testing.T, p probes.Probe, domain string, settings ...string) (*probes.Report, error) {
	t.Helper()
	return runWithin(t, 5*time.Second, p, domain, settings...)
}

func runWithin(t *testing.T, limit time.Duration, p probes.Probe, domain string, settings ...string) (*probes.Report, error) {
	t.Helper()
	var declared probes.Settings
	runProbe := p.Settings(&declared)
	for _, s := range settings {
		name, value, _ := strings.Cut(s, "=")
		i := slices.IndexFunc(declared.All, func(d probes.Setting) bool { return d.Name == name })
		if i < 0 {
			t.Fatalf("%s has no setting %s", p.Name, name)
		}
		if err := declared.All[i].Value.Set(value); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	out := probes.NewReport()
	err := runProbe(ctx, probes.Target{Domain: domain}, out)
	if ctx.Err() != nil {
		t.Error("the report came too late")
	}
	return out, err
}

// at are the settings that lead to one address.
func at(addr netip.AddrPort, more ...string) []string {
	return append([]string{"hostname=" + addr.Addr().String(), "port=" + strconv.Itoa(int(addr.Port()))}, more...)
}

// texts are the Notes as lines.
func texts(r *probes.Report) string {
	var b strings.Builder
	for _, n := range r.Notes {
		b.WriteString(n.State.String() + " " + n.Subject + ": " + n.Text + "\n")
	}
	return b.String()
}

// figure reads a figure; ok is false where it is unknown.
func figure(t *testing.T, p probes.Probe, r *probes.Report, label string) (value float64, ok bool) {
	t.Helper()
	for _, f := range p.Figures {
		if f.Label == label {
			return f.Value(r.Set)
		}
	}
	t.Fatalf("%s has no figure %s", p.Name, label)
	return 0, false
}

// wantFigures compares figures; "U" is unknown.
func wantFigures(t *testing.T, p probes.Probe, r *probes.Report, want map[string]string) {
	t.Helper()
	for label, text := range want {
		got := "U"
		if v, ok := figure(t, p, r, label); ok {
			got = strconv.FormatFloat(v, 'g', -1, 64)
		}
		if got != text {
			t.Errorf("figure %s is %s, want %s", label, got, text)
		}
	}
}

// srv is a record of a service at host.
func srv(r *service.Resolver, name string, addr netip.AddrPort) {
	r.SetSRV("_"+name+"._tcp."+domain, host, int(addr.Port()))
}

// notProvided is the SRV record that says so.
func notProvided(r *service.Resolver, name string) {
	r.Set("_"+name+"._tcp."+domain, dnsmessage.TypeSRV, &dnsmessage.SRVResource{Target: dnsmessage.MustNewName(".")})
}

func port(addr netip.AddrPort) string { return net.JoinHostPort(host, strconv.Itoa(int(addr.Port()))) }

// showable writes a certificate for domain, for a server to show.
func showable(t *testing.T, ca *service.CA, domain string) (cert, key string) {
	t.Helper()
	made, err := ca.Issue(service.CertOptions{Names: []string{domain}})
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for rest := made.PEM; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		files[block.Type] = append(files[block.Type], pem.EncodeToMemory(block)...)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, kind := range map[string]string{cert: "CERTIFICATE", key: "PRIVATE KEY"} {
		if err := os.WriteFile(name, files[kind], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}
