// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// door stands between the exporter and its name server.
type door struct {
	address string
	answer  atomic.Pointer[func(question []byte) (reply []byte)] // nil: the name server's
}

func newDoor(t *testing.T, resolver string) *door {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	d := &door{address: conn.LocalAddr().String()}
	go func() {
		for {
			question := make([]byte, 4096)
			n, from, err := conn.ReadFrom(question)
			if err != nil {
				return
			}
			go func() {
				answer := d.ask
				if other := d.answer.Load(); other != nil {
					answer = func(question []byte, _ string) []byte { return (*other)(question) }
				}
				if reply := answer(question[:n], resolver); reply != nil {
					_, _ = conn.WriteTo(reply, from)
				}
			}()
		}
	}()
	return d
}

// ask gives the name server's answer, nil for none.
func (d *door) ask(question []byte, resolver string) []byte {
	conn, err := net.Dial("udp", resolver)
	if err != nil {
		return nil
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(deadline))
	reply := make([]byte, 4096)
	if _, err := conn.Write(question); err != nil {
		return nil
	}
	n, err := conn.Read(reply)
	if err != nil {
		return nil
	}
	return reply[:n]
}

// with lets somebody else answer until the end.
func (d *door) with(answer func(question []byte) []byte) (end func()) {
	d.answer.Store(&answer)
	return func() { d.answer.Store(nil) }
}
