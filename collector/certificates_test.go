// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"encoding/pem"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/certs"
	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// TestCertificatesOfOtherNames: what is served to who asks for a name that no certificate covers is not that name's certificate.
func TestCertificatesOfOtherNames(t *testing.T) {
	server := httptest.NewUnstartedServer(nil) // its certificate is for example.com
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	defer server.Close()
	file := filepath.Join(t.TempDir(), "chain.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o644); err != nil {
		t.Fatal(err)
	}
	address := netip.MustParseAddrPort(server.Listener.Addr().String())
	listener := ejabberdconf.Listener{Port: int(address.Port()), IP: "0.0.0.0", Transport: "tcp", Module: "ejabberd_http", TLS: true}
	src := &Sources{
		Config: &ejabberdconf.Config{Listeners: []ejabberdconf.Listener{listener}, CertFiles: []string{file}},
		Names:  []certs.Name{{Host: "example.com", Vhost: true}, {Host: "other.test", Vhost: true}},
		Bounds: metric.Bounds{},
	}
	src.Bounds.Bind("name", 0, "example.com", "other.test")
	out := metric.NewSet(src.Bounds)
	if err := Certificates.Collect(t.Context(), src, out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		metric *metric.Metric
		source string
		value  int64
	}{
		{certMatches, "https", 1},
		{certNotAfter, "https", server.Certificate().NotAfter.Unix()},
		{certNotBefore, "file", server.Certificate().NotBefore.Unix()},
	} {
		if got, ok := out.Get(want.metric, want.source, "example.com"); !ok || got != float64(want.value) {
			t.Errorf("%s of %s is %v (there: %v), want %d", want.metric.Name, want.source, got, ok, want.value)
		}
	}
	if strings.Contains(out.Text(), "other.test") {
		t.Errorf("other.test has no certificate:\n%s", out.Text())
	}
}

// TestCertificatesBehindProxy: a listener that answers proxies only is left alone, and what lies on disk is told all the same.
func TestCertificatesBehindProxy(t *testing.T) {
	server := httptest.NewUnstartedServer(nil)
	server.Config.ConnState = func(net.Conn, http.ConnState) { t.Error("somebody came without a PROXY header") }
	server.StartTLS()
	defer server.Close()
	file := filepath.Join(t.TempDir(), "chain.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o644); err != nil {
		t.Fatal(err)
	}
	port := int(netip.MustParseAddrPort(server.Listener.Addr().String()).Port())
	listener := ejabberdconf.Listener{Port: port, IP: "127.0.0.1", Transport: "tcp", Module: "ejabberd_http", TLS: true, ProxyProtocol: true}
	src := &Sources{
		Config: &ejabberdconf.Config{Listeners: []ejabberdconf.Listener{listener}},
		Names:  []certs.Name{{Host: "example.com", Vhost: true}},
		Bounds: metric.Bounds{},
	}
	src.Bounds.Bind("name", 0, "example.com")
	if err := Certificates.Collect(t.Context(), src, metric.NewSet(src.Bounds)); !IsOff(err) {
		t.Errorf("with nothing to look at: %v, want off", err)
	}
	if found, err := certificateNotReloaded.Look(t.Context(), src); len(found) > 0 || err == nil {
		t.Errorf("the doctor: %q, %v, want unknown", found, err)
	}
	src.Config.CertFiles = []string{file}
	out := metric.NewSet(src.Bounds)
	if err := Certificates.Collect(t.Context(), src, out); err != nil {
		t.Error(err)
	}
	if _, ok := out.Get(certNotAfter, "file", "example.com"); !ok {
		t.Errorf("the certificate on disk is not told:\n%s", out.Text())
	}
}
