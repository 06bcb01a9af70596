// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/chapril/ejabberd_exporter/probes"
)

const (
	probeTurns  = 200
	probedTimes = 1000
)

// handshakes measures a probe of clients' port beside the least that can be done there, and what many of them cost.
func (b *bench) handshakes(ctx context.Context, p *part) error {
	domain, address := b.service.Domains[0], net.JoinHostPort("127.0.0.1", strconv.Itoa(b.service.Ejabberd.Config.Ports.C2S))
	var ours, bare, whole sample
	for range b.shorter(probeTurns) {
		took, err := timed(func() error { return b.probe(ctx, domain) })
		if err != nil {
			return err
		}
		ours.add(took)
		if took, err = timed(func() error { return b.bareHandshake(ctx, domain, address, false) }); err != nil {
			return err
		}
		bare.add(took)
		if took, err = timed(func() error { return b.bareHandshake(ctx, domain, address, true) }); err != nil {
			return err
		}
		whole.add(took)
	}
	e, err := startExporter(ctx, b.service, b.bin, "--probe.max=8")
	if err != nil {
		return err
	}
	defer e.stop()
	before, err := cpuOf(e.pid())
	if err != nil {
		return err
	}
	began := time.Now()
	if err := manyProbes(ctx, e, b.service.Domains); err != nil {
		return err
	}
	took := time.Since(began)
	after, err := cpuOf(e.pid())
	if err != nil {
		return err
	}
	p.write("\nOn one port of ejabberd with STARTTLS; medians with quartiles of %d turns. Beyond the handshake, ours opens a second stream, reads what is "+
		"offered in it and ends it, which are two more answers of ejabberd to wait for, judges certificate, chain and protocol, and makes the samples.\n", b.shorter(probeTurns))
	p.table([]string{"way", "time", "to the first"}, [][]string{
		{"bare dial, STARTTLS, handshake", bare.spread(), "1"},
		{"the same with the second stream, and its end", whole.spread(), fmt.Sprintf("%.2f", whole.over(bare).median())},
		{"module c2s", ours.spread(), fmt.Sprintf("%.2f", ours.over(bare).median())},
	})
	cpu := (after - before).Seconds()
	p.write("\n%d probes over HTTP, eight at a time: %s, and %s of processor time of the exporter for each.\n", probedTimes, seconds(took.Seconds()), seconds(cpu/probedTimes))
	ratio := ours.over(bare)
	p.asked("one c2s probe and a bare dial, STARTTLS, handshake", "at most 1.3x", ratio.median() <= 1.3,
		"%.2fx (%.2f … %.2f); %.2fx of one that does the same", ratio.median(), ratio.quantile(0.25), ratio.quantile(0.75), ours.over(whole).median())
	p.asked("1,000 targets every 60 s", "on one core", cpu < 60 && took < time.Minute, "%.1f %% of a core; all done in %s", cpu/60*100, seconds(took.Seconds()))
	return nil
}

// probe runs the module as /probe does, on one port.
func (b *bench) probe(ctx context.Context, domain string) error {
	var settings probes.Settings
	run := probes.C2S().Settings(&settings)
	for name, value := range map[string]string{
		"hostname": "127.0.0.1", "port": strconv.Itoa(b.service.Ejabberd.Config.Ports.C2S), "ca-file": b.service.CAFile,
	} {
		if err := settings.Find(name).Value.Set(value); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	out := probes.NewReport()
	if err := run(ctx, probes.Target{Domain: domain}, out); err != nil {
		return err
	}
	if state := out.Worst(); state != probes.OK {
		return fmt.Errorf("the probe says %v: %+v", state, out.Notes)
	}
	return nil
}

// bareHandshake is what a few lines of Go do; to the end means that a second stream is opened and ended, as a probe does.
func (b *bench) bareHandshake(ctx context.Context, domain, address string, toTheEnd bool) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	header := "<?xml version='1.0'?><stream:stream to='" + domain + "' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
	if err := ask(conn, header, "</stream:features>"); err != nil {
		return err
	}
	if err := ask(conn, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "<proceed"); err != nil {
		return err
	}
	encrypted := tls.Client(conn, &tls.Config{ServerName: domain, RootCAs: b.service.CA.Pool(), MinVersion: tls.VersionTLS12})
	if err := encrypted.HandshakeContext(ctx); err != nil || !toTheEnd {
		return err
	}
	if err := ask(encrypted, header, "</stream:features>"); err != nil {
		return err
	}
	return ask(encrypted, "</stream:stream>", "</stream:stream>")
}

// ask sends something and waits for an answer that ends so.
func ask(conn net.Conn, question, answer string) error {
	if _, err := io.WriteString(conn, question); err != nil {
		return err
	}
	var said []byte
	buf := make([]byte, 4096)
	for !bytes.Contains(said, []byte(answer)) {
		n, err := conn.Read(buf)
		if err != nil {
			return err
		}
		said = append(said, buf[:n]...)
	}
	return nil
}

// manyProbes asks for probes over HTTP.
func manyProbes(ctx context.Context, e *exporter, domains []string) error {
	waiting := make(chan string)
	failed := make(chan error, 8)
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() {
			for domain := range waiting {
				page, err := e.get(ctx, "/probe?module=c2s&target="+domain, 20*time.Second)
				if err == nil && !bytes.Contains(page, []byte("\nprobe_success 1\n")) {
					err = errors.New("a probe failed")
				}
				if err != nil {
					select {
					case failed <- err:
					default:
					}
				}
			}
		})
	}
	for i := range probedTimes {
		waiting <- domains[i%len(domains)]
	}
	close(waiting)
	running.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}
