// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
)

// TestNoAnswer: whoever is not there, or says nothing, is not asked again, and the error says what to look at, without an address.
func TestNoAnswer(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // the kernel takes connections, nobody else does
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() }) // after the parallel ones
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	for want, at := range map[string]net.Listener{"ejabberd hangs or is overloaded": silent, "check that ejabberd runs": closed} {
		for _, module := range []string{"ejabberd_http", "ejabberd_c2s", "ejabberd_s2s_in"} {
			t.Run(want+" "+module, func(t *testing.T) {
				t.Parallel()
				l := ejabberdconf.Listener{
					Port: at.Addr().(*net.TCPAddr).Port, IP: "127.0.0.1", Transport: "tcp", Module: module,
					TLS: module == "ejabberd_http", StartTLS: module != "ejabberd_http",
				}
				_, err := Served(t.Context(), l, "a.example")
				if !errors.Is(err, ErrNoAnswer) || !strings.HasSuffix(err.Error(), want) || strings.Contains(err.Error(), "127.0.0.1") {
					t.Errorf("got %v, want %s", err, want)
				}
			})
		}
	}
}
