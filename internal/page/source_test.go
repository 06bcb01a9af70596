// SPDX-License-Identifier: Apache-2.0

package page_test

import (
	"context"
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSources: whatever does not give a page is UNKNOWN, and says what to do.
func TestSources(t *testing.T) {
	elsewhere := 0
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
	t.Cleanup(target.Close)
	stop, stopped := context.WithCancel(context.Background())
	t.Cleanup(stopped)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/metrics":
			_, _ = w.Write([]byte(written(well...)))
		case "/private":
			if user, password, _ := r.BasicAuth(); user != "monitor" || password != "secret" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			_, _ = w.Write([]byte(written(well...)))
		case "/moved":
			http.Redirect(w, r, target.URL, http.StatusFound)
		case "/forbidden":
			w.WriteHeader(http.StatusForbidden)
		case "/broken":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/html":
			_, _ = w.Write([]byte("<html>Please log in</html>\n"))
		case "/cut":
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write([]byte(written(well...)))
		case "/hang":
			select {
			case <-r.Context().Done():
			case <-stop.Done():
			}
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)
	t.Setenv("CHECK_EJABBERD_PASSWORD", "")
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	host := strings.TrimPrefix(server.URL, "http://")
	for _, c := range []struct {
		args, says string
	}{
		{"--url URL/metrics", "ejabberd 23.01 is up"},
		{"--url URL/private", "the exporter answers 401 instead of its page: --username and --password-file say who asks"},
		{"--url URL/private --username monitor", "--password-file is missing, or empty, and CHECK_EJABBERD_PASSWORD is not set"},
		{"--url URL/private --username monitor --password-file " + password, "ejabberd 23.01 is up"},
		{"--url URL/private --password-file " + password, "--username is missing"},
		{"--url URL/private --username monitor --password-file /no/such/file", "--password-file: no such file or directory"},
		{"--url http://monitor:secret@" + host + "/private", "everybody on this machine can read a command line"},
		{"--url URL/moved", "the exporter answers 302 instead of its page: it redirects, which is not followed"},
		{"--url URL/forbidden", "the exporter answers 403"},
		{"--url URL/nothing", "--url needs the path of the page, /metrics unless --web.telemetry-path says otherwise"},
		{"--url URL/broken", "the exporter answers 503 instead of its page: its log may say why"},
		{"--url URL/html", "the page at --url: line 1 is no metric (no name)"},
		{"--url URL/cut", "the page at --url: unexpected EOF"},
		{"--url URL/hang -t 1", "the exporter does not answer at " + host + ": timeout"},
		{"--url https://" + host, "the exporter does not answer at " + host + ": "},
		{"--url ftp://example.org/", "--url: want an address such as http://127.0.0.1:9334/metrics"},
		{"--url metrics", "--url: want an address"},
		{"--url http://\u007f/", "--url: want an address"},
		{"--url URL/metrics --ca-file /no/such/file", "--ca-file: no such file or directory"},
		{"--url URL/metrics --ca-file " + password, "--ca-file: no certificate in it"},
		{"--file /no/such/file", "--file: no such file or directory"},
		{"--file /dev/zero", "--file: it is no file"},
		{"--file " + password, "--file: line 1 is no metric (no value)"},
	} {
		code, output := check(t, strings.Fields(strings.ReplaceAll(c.args, "URL", server.URL))...)
		want := 3
		if strings.HasPrefix(c.says, "ejabberd") {
			want = 0
		}
		if first, _, _ := strings.Cut(output, "\n"); code != want || !strings.Contains(first, c.says) || strings.Contains(output, "secret") {
			t.Errorf("%s: got %d %s, want %d and %s", c.args, code, output, want, c.says)
		}
	}
	if elsewhere > 0 {
		t.Error("a redirect was followed")
	}
}

func TestTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(written(well...))) }))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(server.Close)
	code, output := check(t, "--url", server.URL)
	if code != 3 || !strings.Contains(output, "certificate signed by unknown authority") {
		t.Errorf("got %d %s", code, output)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(ca, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, output := check(t, "--url", server.URL, "--ca-file", ca); code != 0 {
		t.Errorf("got %d %s", code, output)
	}
}

// TestFile: a page that was written, as long as somebody still writes it.
func TestFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ejabberd.prom")
	if err := os.WriteFile(file, []byte(written(well...)), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, output := check(t, "--file", file); code != 0 {
		t.Errorf("got %d %s", code, output)
	}
	yesterday := time.Now().AddDate(0, 0, -1)
	if err := os.Chtimes(file, yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	const says = "--file: it was written 24h0m0s ago, and --max-age is 3m0s: does whatever writes it still run?"
	if code, output := check(t, "--file", file); code != 3 || !strings.Contains(output, says) {
		t.Errorf("got %d %s", code, output)
	}
	if code, output := check(t, "--file", file, "--max-age", "48h"); code != 0 {
		t.Errorf("got %d %s", code, output)
	}
}

// TestSecondLook: what was old is counted anew when somebody looks, so that a rare check finds it at the second look.
func TestSecondLook(t *testing.T) {
	looks := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		looks++
		page := well
		if looks == 1 {
			page = but(`ejabberd_exporter_collector_last_success_timestamp_seconds{collector="accounts"}`, works("accounts", 1000))
		}
		_, _ = w.Write([]byte(written(page...)))
	}))
	t.Cleanup(server.Close)
	if code, output := check(t, "--url", server.URL); code != 0 || looks != 2 {
		t.Errorf("got %d %s after %d looks", code, output, looks)
	}
}
