// SPDX-License-Identifier: Apache-2.0

package stun

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// response answers request with attributes.
func response(request message, class uint16, attrs func(*message)) message {
	m := append(message(nil), request[:headerSize]...)
	kind := request.kind() | class
	m[0], m[1], m[2], m[3] = byte(kind>>8), byte(kind), 0, 0
	if attrs != nil {
		attrs(&m)
	}
	return m
}

// TestIntegrity checks the sample of RFC 5769, 2.4: long-term credentials.
func TestIntegrity(t *testing.T) {
	raw, err := hex.DecodeString(strings.Join(strings.Fields(`
		000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382af
		e382b90000 0015001c662f2f3439396b39353464364f4c33346f4c394653547679363473410014
		000b6578616d706c652e6f726700 00080014f67024656dd64a3e02b8e0712e85c9a28ca89666`), ""))
	if err != nil {
		t.Fatal(err)
	}
	sample := message(raw)
	l := login{username: "マトリックス", password: "TheMatrIX", realm: []byte("example.org"), nonce: []byte("f//499k954d6OL34oL9FSTvy64sA")}
	m := newRequest(methodBinding)
	copy(m.id(), sample.id())
	m.add(attrUsername, []byte(l.username))
	m.add(attrNonce, l.nonce)
	m.add(attrRealm, l.realm)
	m.sign(l.key())
	if !bytes.Equal(m, sample) {
		t.Errorf("got  %x\nwant %x", []byte(m), []byte(sample))
	}
}

// TestBinding: one scripted answer each.
func TestBinding(t *testing.T) {
	mapped := []byte{0, 1, 0, 80 ^ 0x21, 0, 0, 0, 0}
	mapped[2], mapped[3] = 0x21, 80^0x12
	for i, b := range []byte{192, 0, 2, 1} {
		mapped[4+i] = b ^ []byte{0x21, 0x12, 0xa4, 0x42}[i]
	}
	for _, c := range []struct {
		name   string
		answer func(message) []byte
		want   string
		text   string // of the error
	}{
		{"good", func(r message) []byte {
			return response(r, classSuccess, func(m *message) { m.add(attrXORMappedAddress, mapped) })
		}, "192.0.2.1:80", ""},
		{"an old server", func(r message) []byte {
			return response(r, classSuccess, func(m *message) { m.add(attrMappedAddress, []byte{0, 1, 0, 80, 192, 0, 2, 1}) })
		}, "192.0.2.1:80", ""},
		{"no address", func(r message) []byte { return response(r, classSuccess, nil) }, "", "no address in it"},
		{"an address of no family", func(r message) []byte {
			return response(r, classSuccess, func(m *message) { m.add(attrXORMappedAddress, []byte{0, 2, 0, 0, 0, 0, 0, 0}) })
		}, "", "no address in it"},
		{"an error", func(r message) []byte {
			return response(r, classError, func(m *message) { m.add(attrErrorCode, []byte("\x00\x00\x05\x00Server Error")) })
		}, "", "error 500 Server Error"},
		{"an error without a code", func(r message) []byte { return response(r, classError, nil) }, "", "without a code"},
		{"a wrong length", func(r message) []byte { return append(response(r, classSuccess, nil), 0, 0, 0, 0) }, "", "its length is wrong"},
		{"an attribute cut off", func(r message) []byte {
			return response(r, classSuccess, func(m *message) { m.add(attrRealm, []byte("abcd")); (*m)[headerSize+3] = 200 })
		}, "", "cut off"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := talk(t, func(r message) [][]byte { return [][]byte{[]byte("junk"), r, c.answer(r)} }).Binding(t.Context())
			if c.text == "" && (err != nil || got != netip.MustParseAddrPort(c.want)) || c.text != "" && (err == nil || !strings.Contains(err.Error(), c.text)) {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

// talk is a client whose server answers each datagram by several.
func talk(t *testing.T, answers func(message) [][]byte) *Client {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	go func() {
		buffer := make([]byte, maxMessage)
		for {
			n, from, err := server.ReadFrom(buffer)
			if err != nil {
				return
			}
			for _, a := range answers(bytes.Clone(buffer[:n])) {
				_, _ = server.WriteTo(a, from)
			}
		}
	}()
	conn, err := net.Dial("udp", server.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &Client{Conn: conn}
}

// TestAllocateRefused: what a bad TURN server may say to credentials.
func TestAllocateRefused(t *testing.T) {
	challenge := func(r message) message {
		return response(r, classError, func(m *message) {
			m.add(attrErrorCode, []byte{0, 0, 4, 1})
			m.add(attrRealm, []byte("example.org"))
			m.add(attrNonce, []byte("n"))
		})
	}
	for _, c := range []struct {
		name   string
		answer func(r message, signed bool) []byte
		text   string
	}{
		{"it never takes the password", func(r message, _ bool) []byte { return challenge(r) }, "error 401"},
		{"it does not know the password itself", func(r message, signed bool) []byte {
			if signed {
				return response(r, classSuccess, func(m *message) { m.sign([]byte("another key")) })
			}
			return challenge(r)
		}, "does not prove"},
		{"it relays for everybody", func(r message, _ bool) []byte { return response(r, classSuccess, nil) }, "without credentials"},
		{"it names no realm", func(r message, _ bool) []byte {
			return response(r, classError, func(m *message) { m.add(attrErrorCode, []byte{0, 0, 4, 1}) })
		}, "no realm or nonce"},
		{"its nonces are always stale", func(r message, signed bool) []byte {
			m := challenge(r)
			if signed {
				m[headerSize+7] = 38
			}
			return m
		}, "error 438"},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := talk(t, func(r message) [][]byte {
				return [][]byte{c.answer(r, bytes.Contains(r, []byte{0, attrUsername, 0, 2}))}
			})
			_, err := client.Allocate(t.Context(), "me", "secret")
			if err == nil || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestRelease: what a server may say when an allocation is given back.
func TestRelease(t *testing.T) {
	refusal := func(r message, number byte, nonce string) message {
		return response(r, classError, func(m *message) {
			m.add(attrErrorCode, []byte{0, 0, 4, number})
			m.add(attrRealm, []byte("example.org"))
			m.add(attrNonce, []byte(nonce))
		})
	}
	key := login{username: "me", password: "secret", realm: []byte("example.org")}.key()
	for _, c := range []struct {
		name    string
		release func(r message) message
		text    string
	}{
		{"taken back", func(r message) message { return response(r, classSuccess, nil) }, ""},
		{"gone already", func(r message) message { return refusal(r, 37, "new") }, ""},
		{"a stale nonce", func(r message) message {
			if !bytes.Contains(r, []byte("new")) {
				return refusal(r, 38, "new")
			}
			return response(r, classSuccess, nil)
		}, ""},
		{"its nonces are always stale", func(r message) message { return refusal(r, 38, "new") }, "give the allocation back: error 438"},
		{"not ours", func(r message) message { return refusal(r, 41, "old") }, "give the allocation back: error 441"},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := talk(t, func(r message) [][]byte {
				switch signed := bytes.Contains(r, []byte{0, attrUsername, 0, 2}); {
				case r.kind() == methodRefresh:
					return [][]byte{c.release(r)}
				case signed:
					return [][]byte{response(r, classSuccess, func(m *message) {
						m.add(attrXORRelayedAddress, []byte{0, 1, 0, 0, 0, 0, 0, 0})
						m.sign(key)
					})}
				}
				return [][]byte{refusal(r, 1, "old")}
			})
			_, err := client.Allocate(t.Context(), "me", "secret")
			if c.text == "" && err != nil || c.text != "" && (err == nil || !strings.Contains(err.Error(), c.text)) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestSilence: whoever says nothing is asked again, until the context ends.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer ours.Close()
		asked := 0
		go func() {
			buffer := make([]byte, maxMessage)
			for {
				if _, err := theirs.Read(buffer); err != nil {
					return
				}
				asked++
			}
		}()
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		began := time.Now()
		_, err := (&Client{Conn: ours}).Binding(ctx)
		if late, ok := errors.AsType[net.Error](err); !ok || !late.Timeout() || time.Since(began) != 4*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		theirs.Close()
		synctest.Wait()
		if asked != 4 { // at 0, 0.5, 1.5 and 3.5 s
			t.Errorf("asked %d times", asked)
		}
	})
}

func FuzzRead(f *testing.F) {
	request := newRequest(methodBinding)
	f.Add([]byte(response(request, classSuccess, func(m *message) { m.add(attrXORMappedAddress, make([]byte, 8)); m.sign([]byte("k")) })))
	f.Fuzz(func(_ *testing.T, raw []byte) {
		if len(raw) >= headerSize {
			copy(message(raw).id(), request.id())
		}
		a, ok, err := read(raw, request)
		if ok && err == nil {
			_, _ = a.address(attrXORMappedAddress)
			_, _ = a.address(attrMappedAddress)
			_ = a.signed([]byte("k"))
			_ = a.failure()
		}
	})
}
