// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// TestProbeFederation: module federation is there only where --probe.config sets it up, and those who ask at the same time share
// the place where servers dial back.
func TestProbeFederation(t *testing.T) {
	s := service.ForTest(t, service.Options{NoSQL: true})
	makeDocroots(t, s)
	ports, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	s.Resolver.SetSRV("_xmpp-server._tcp.probe.test", "localhost", ports[0])
	var doors []string
	for _, address := range service.Loopback() {
		doors = append(doors, strconv.Quote(net.JoinHostPort(address, strconv.Itoa(ports[0]))))
	}
	flags := []string{"--ejabberd.config=" + s.Ejabberd.ConfigPath, "--probe.resolver=" + s.Resolver.Addr(), "--probe.ca-file=" + s.CAFile}

	bare := serve(t, flags...)
	if status, page := bare.get(t, "/probe?module=federation&target="+s.Domains[0], 10*time.Second); status != http.StatusBadRequest || !strings.Contains(page, "unknown module") {
		t.Errorf("without a configuration: %d %s", status, page)
	}

	config := file(t, "probe.yml", fmt.Sprintf("modules:\n  federation: {probe-domain: probe.test, listen: [%[1]s]}\n  again: {probe: federation, probe-domain: probe.test, listen: [%[1]s]}\n",
		strings.Join(doors, ", ")))
	d := serve(t, append(flags, "--probe.config="+config)...)
	for _, setting := range []string{"listen=:5269", "probe-domain=other.test", "cert=/etc/passwd", "key=/etc/passwd", "hostname=127.0.0.1"} {
		if status, page := d.get(t, "/probe?module=federation&target="+s.Domains[0]+"&"+setting, 10*time.Second); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", setting, status, page)
		}
	}
	var running sync.WaitGroup
	for range 3 {
		for _, module := range []string{"federation", "again"} {
			for _, domain := range s.Domains {
				running.Go(func() {
					_, page := d.get(t, "/probe?module="+module+"&target="+domain, 20*time.Second)
					for _, direction := range []string{"out", "back", "ping"} {
						if !strings.Contains(page, fmt.Sprintf("probe_xmpp_federation_success{direction=%q} 1\n", direction)) {
							t.Errorf("%s of %s: %s\n%s", module, domain, direction, page)
						}
					}
				})
			}
		}
	}
	running.Wait()
}
