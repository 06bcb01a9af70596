// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// ofScrapers is what those do who scrape, and what happens to the exporter itself.
var ofScrapers = []fault{
	{
		name: "fifty scrape at once",
		begin: func(t *testing.T, s *stage) (end func()) {
			return repeatedly(t, func() error {
				var all sync.WaitGroup
				for range 50 {
					all.Go(func() {
						if status, _, _ := s.veteran.get(t, "/metrics"); status != http.StatusOK {
							t.Errorf("one of fifty got status %d", status)
						}
					})
				}
				all.Wait()
				return nil
			})
		},
	},
	{
		name: "Prometheus hangs up before the answer",
		begin: func(t *testing.T, s *stage) (end func()) {
			return repeatedly(t, func() error {
				conn, err := s.veteran.ask(t.Context())
				if err != nil {
					return err
				}
				<-time.After(20 * time.Millisecond) // fifty in a second: not a flood
				return conn.Close()
			})
		},
	},
	{
		name: "twenty read a byte in a second", quick: true,
		begin: func(t *testing.T, s *stage) (end func()) {
			var slow []net.Conn
			for range 20 {
				conn, err := s.veteran.ask(t.Context())
				must(t, err)
				must(t, conn.(*net.TCPConn).SetReadBuffer(1))
				slow = append(slow, conn)
			}
			stop := repeatedly(t, func() error {
				for _, conn := range slow {
					_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
					_, _ = io.ReadFull(conn, make([]byte, 1)) // the exporter may have given up on us, as it should
				}
				return nil
			})
			return func() {
				stop()
				for _, conn := range slow {
					_ = conn.Close()
				}
			}
		},
	},
	{
		name: "the exporter is killed in mid-scrape", gone: true, alone: true,
		begin: func(t *testing.T, s *stage) (end func()) {
			<-time.After(lasts)                            // until it has nothing left to serve without a question
			deliver(t, s.Ejabberd.Signal, syscall.SIGSTOP) // so that the scrape lasts
			conn, err := s.veteran.ask(t.Context())
			must(t, err)
			eventually(t, patience, "call of the API", func() bool { _, most := s.relay.count(); return most > 0 })
			s.veteran.kill()
			_ = conn.Close()
			deliver(t, s.Ejabberd.Signal, syscall.SIGCONT)
			return func() { s.veteran = s.launch(t, "--ejabberd.url="+s.relay.url) }
		},
	},
}

// ask sends the question of a scrape, and does not wait for the answer.
func (e *exporter) ask(ctx context.Context) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", strings.TrimPrefix(e.url, "http://"))
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(conn, "GET /metrics HTTP/1.1\r\nHost: exporter\r\nX-Prometheus-Scrape-Timeout-Seconds: %v\r\n\r\n", deadline.Seconds())
	return conn, err
}
