// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/service"
)

// TestThousandsOfTargets: ten thousand probes leave no goroutine behind, keep no memory beyond what one round took, and
// ask the DNS once for each name while the TTLs last. Nobody listens where the targets point, so that a probe costs next to
// nothing. Not parallel: goroutines and memory of other tests would count.
func TestThousandsOfTargets(t *testing.T) {
	const domains, rounds, questions = 1000, 10, 3 // two SRV records that share a host, one address
	ports, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	names, err := service.StartResolver()
	if err != nil {
		t.Fatal(err)
	}
	defer names.Stop()
	names.SetTTL(3600)
	for i := range domains {
		domain := fmt.Sprintf("d%03d.many.test", i)
		names.SetHost("xmpp."+domain, "127.0.0.1")
		names.SetSRV("_xmpp-client._tcp."+domain, "xmpp."+domain, ports[0])
		names.SetSRV("_xmpps-client._tcp."+domain, "xmpp."+domain, ports[0])
	}
	p := prober(t, "--probe.target=*.many.test", "--probe.private", "--probe.resolver="+names.Addr())
	round := func() {
		queue := make(chan int)
		var asking sync.WaitGroup
		for range 100 { // more than run at a time
			asking.Go(func() {
				for i := range queue {
					answer := httptest.NewRecorder()
					url := fmt.Sprintf("/probe?module=c2s&use-ipv4=true&target=d%03d.many.test", i)
					p.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, url, nil))
					page := answer.Body.String()
					if !strings.Contains(page, "probe_success 0\n") || !strings.Contains(page, `probe_xmpp_failure_info{phase="connect",reason="refused"} 1`) {
						t.Errorf("d%03d: %d %s", i, answer.Code, page)
					}
				}
			})
		}
		for i := range domains {
			queue <- i
		}
		close(queue)
		asking.Wait()
	}
	round()
	goroutines, heap := runtime.NumGoroutine(), heapInUse()
	if asked := names.Asked(); asked != domains*questions {
		t.Errorf("the first round asked the DNS %d times, want %d", asked, domains*questions)
	}
	for range rounds - 1 {
		round()
	}
	if asked := names.Asked(); asked != domains*questions {
		t.Errorf("%d rounds asked the DNS %d times, want %d", rounds, asked, domains*questions)
	}
	eventually(t, 10*time.Second, "no more goroutines than after the first round", func() bool { return runtime.NumGoroutine() <= goroutines })
	after := heapInUse()
	t.Logf("heap: %d KiB after the first round, %d KiB after %d probes", heap>>10, after>>10, rounds*domains)
	if after > heap+1<<20 {
		t.Errorf("the heap grew from %d to %d KiB", heap>>10, after>>10)
	}
}

// prober is /probe of an exporter with these flags, that watches no ejabberd.
func prober(t *testing.T, args ...string) *probing {
	t.Helper()
	s, _ := parse(args, io.Discard, t.Output())
	if s == nil {
		t.Fatal("the flags are no good")
	}
	logger := slog.New(slog.DiscardHandler)
	exporter := collector.New(nil, &collector.Sources{}, build(), logger)
	t.Cleanup(func() { closeExporter(exporter) })
	p, err := s.probing(exporter, logger)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// heapInUse is the memory that is still needed.
func heapInUse() uint64 {
	runtime.GC()
	runtime.GC() // what pools held back
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestForeignTargetsWithPrivateAddresses: the DNS of a domain that ejabberd does not serve cannot send probes into our own network.
func TestForeignTargetsWithPrivateAddresses(t *testing.T) {
	names, err := service.StartResolver()
	if err != nil {
		t.Fatal(err)
	}
	defer names.Stop()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	visited := make(chan struct{}, 100)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			visited <- struct{}{}
			_ = conn.Close()
		}
	}()
	port := listener.Addr().(*net.TCPAddr).Port
	names.SetHost("router.evil.test", "127.0.0.1")
	for _, srv := range []string{"_xmpp-client._tcp.", "_xmpps-client._tcp.", "_xmpp-server._tcp.", "_xmpps-server._tcp."} {
		names.SetSRV(srv+"evil.test", "router.evil.test", port)
	}
	for _, module := range []string{"c2s", "s2s", "cert", "register", "exposed", "turn", "web"} {
		ask := func(args ...string) string {
			p := prober(t, append(args, "--probe.target=evil.test", "--probe.resolver="+names.Addr())...)
			answer := httptest.NewRecorder()
			p.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/probe?debug=true&target=evil.test&module="+module, nil))
			return answer.Body.String()
		}
		said := ask()
		if len(visited) > 0 {
			t.Fatalf("%s went there:\n%s", module, said)
		}
		if module == "c2s" && !strings.Contains(said, "connect: a private address") {
			t.Errorf("%s does not say why it fails:\n%s", module, said)
		}
		if module == "c2s" {
			if said = ask("--probe.private"); len(visited) == 0 {
				t.Errorf("--probe.private does not let it:\n%s", said)
			}
			for len(visited) > 0 {
				<-visited
			}
		}
	}
}

// TestTheZoneIsAskedAnew: the module that is about the name servers does not take what others were told.
func TestTheZoneIsAskedAnew(t *testing.T) {
	names, err := service.StartResolver()
	if err != nil {
		t.Fatal(err)
	}
	defer names.Stop()
	names.SetTTL(3600)
	names.SetHost("one.test", "127.0.0.1")
	p := prober(t, "--probe.target=one.test", "--probe.resolver="+names.Addr())
	for range 2 {
		before := names.Asked()
		answer := httptest.NewRecorder()
		p.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/probe?module=dns&target=one.test", nil))
		if !strings.Contains(answer.Body.String(), "probe_success ") {
			t.Fatalf("%d %s", answer.Code, answer.Body)
		}
		if names.Asked() == before {
			t.Error("the DNS was not asked")
		}
	}
}
