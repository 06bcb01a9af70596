// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"net"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
)

// stranger listens and answers whoever comes with something that epmd would not say.
func stranger(t *testing.T, address string) (port int) {
	t.Helper()
	l, err := net.Listen("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n"))
			_ = conn.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

// TestDistributionExposed: what is known to be exposed is told, whatever else is not known. No ejabberd runs in the spool directory.
func TestDistributionExposed(t *testing.T) {
	everywhere, here, spool := stranger(t, ":0"), stranger(t, "127.0.0.1:0"), t.TempDir()
	closed, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.Addr().(*net.TCPAddr).Port
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		config      ejabberdconf.Config
		found, fail string
	}{
		"port of its own, open":            {config: ejabberdconf.Config{DistPort: everywhere, EpmdPort: here}, found: "Erlang's distribution listens on all addresses"},
		"port of its own, closed":          {config: ejabberdconf.Config{DistPort: here, EpmdPort: everywhere}},
		"port of its own, nobody there":    {config: ejabberdconf.Config{DistPort: nobody, EpmdPort: everywhere}},
		"epmd that does not answer, open":  {config: ejabberdconf.Config{EpmdPort: everywhere}, found: "epmd listens on all addresses"},
		"epmd that does not answer, inner": {config: ejabberdconf.Config{EpmdPort: here}, fail: "epmd"},
		"no epmd":                          {config: ejabberdconf.Config{EpmdPort: nobody}},
	} {
		c.config.Spool = spool
		found, err := distributionExposed.Look(t.Context(), &Sources{Config: &c.config})
		if told := strings.Join(found, "\n"); (told == "") != (c.found == "") || !strings.HasPrefix(told, c.found) {
			t.Errorf("%s: found %q, want %q", name, told, c.found)
		}
		if (err == nil) != (c.fail == "") || err != nil && !strings.Contains(err.Error(), c.fail) {
			t.Errorf("%s: %v, want %q", name, err, c.fail)
		}
	}
}
