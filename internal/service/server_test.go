// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What the fault suite does to the servers: stop, start, kill, freeze, reload.
func TestServers(t *testing.T) {
	s := ForTest(t, Options{})
	ctx := t.Context()
	t.Run("ejabberdctl", func(t *testing.T) {
		if out, err := s.Ejabberd.Ctl(ctx, "registered_users", s.Domains[0]); err != nil || !strings.Contains(out, exporterUser) {
			t.Errorf("registered_users: %q, %v", out, err)
		}
		if out, err := s.Ejabberd.Ctl(ctx, "no_such_command"); err == nil {
			t.Errorf("an unknown command: %q and no error", out)
		}
		if os.Getuid() != 0 { // ejabberdctl itself wants root or its own account
			return
		}
		out, err := exec.Command("/usr/sbin/ejabberdctl", "--config-dir", s.Ejabberd.Dir, "registered_users", s.Domains[0]).Output()
		if err != nil || !strings.Contains(string(out), exporterUser) {
			t.Errorf("registered_users by ejabberdctl itself: %q, %v", out, err)
		}
	})
	t.Run("access", func(t *testing.T) { checkAccess(t, s) })
	t.Run("reload", func(t *testing.T) { checkReload(t, s) })
	t.Run("captcha", func(t *testing.T) { checkCaptcha(t, s) })
	t.Run("freeze ejabberd", func(t *testing.T) {
		if err := s.Ejabberd.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		if err := s.Ejabberd.Call(short, "status", nil, nil); err == nil {
			t.Error("a frozen ejabberd answers")
		}
		if err := s.Ejabberd.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		call(t, s, "status", nil, nil)
	})
	t.Run("freeze PostgreSQL", func(t *testing.T) {
		if err := s.Postgres.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		if _, err := s.Database.Count(short, "SELECT 1"); err == nil {
			t.Error("a frozen PostgreSQL answers")
		}
		if err := s.Postgres.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		count(t, s, "SELECT 1")
	})
	t.Run("restart a frozen PostgreSQL", func(t *testing.T) {
		before := descendants(t)
		if err := s.Postgres.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		s.Postgres.Stop()
		after := descendants(t)
		for _, pid := range before {
			if !slices.Contains(after, pid) && !gone(pid) {
				t.Errorf("process %d of PostgreSQL outlives it", pid)
			}
		}
		if _, err := s.Database.Count(ctx, "SELECT 1"); err == nil {
			t.Error("a stopped PostgreSQL answers")
		}
		if err := s.Postgres.Start(ctx); err != nil {
			t.Fatal(err)
		}
		if n := count(t, s, "SELECT count(*) FROM users"); n < 2 {
			t.Errorf("%d accounts after the restart", n)
		}
	})
	t.Run("kill ejabberd", func(t *testing.T) {
		s.Ejabberd.Kill()
		if err := s.Ejabberd.Call(ctx, "status", nil, nil); err == nil {
			t.Error("a killed ejabberd answers")
		}
		if err := s.Ejabberd.Start(ctx); err != nil {
			t.Fatal(err)
		}
		call(t, s, "status", nil, nil)
	})
	t.Run("Prometheus", func(t *testing.T) {
		if _, err := s.StartPrometheus(ctx, "scrape_configs: []\n"); err != nil {
			t.Error(err)
		}
	})
	t.Run("stop", func(t *testing.T) { checkStop(t, s) })
}

// checkReload asserts that a new certificate is served once ejabberd has read it again.
func checkReload(t *testing.T, s *Service) {
	t.Helper()
	expiry := time.Now().AddDate(0, 0, 5).Truncate(time.Second)
	if got := servedUntil(t, s); got.Equal(expiry) {
		t.Fatal("the certificate is already the new one")
	}
	names := []string{s.Domains[0], "*." + s.Domains[0], s.Domains[1], "*." + s.Domains[1]}
	if err := s.WriteCertificate(filepath.Join(s.Dir, "xmpp.pem"), CertOptions{Names: names, NotAfter: expiry}); err != nil {
		t.Fatal(err)
	}
	if err := s.Ejabberd.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := servedUntil(t, s); !got.Equal(expiry) {
		t.Errorf("the certificate that is served expires on %v, want %v", got, expiry)
	}
}

// servedUntil is when the certificate expires that ejabberd shows on its port for direct TLS.
func servedUntil(t *testing.T, s *Service) time.Time {
	t.Helper()
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Ejabberd.Config.Ports.C2STLS))
	conn, err := tls.Dial("tcp", address, &tls.Config{RootCAs: s.CA.Pool(), ServerName: s.Domains[0]})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].NotAfter
}
