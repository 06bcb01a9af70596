// SPDX-License-Identifier: Apache-2.0

package dns_test

import (
	"encoding/binary"
	"io"
	"net"
	"slices"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/chapril/ejabberd_exporter/internal/dns"
)

// zone answers one question: the messages to send back, in this order; none is silence.
type zone func(q dnsmessage.Message, transport string) [][]byte

// server is a scripted name server on a loopback port, over UDP and TCP.
type server struct {
	addr  string
	mu    sync.Mutex
	asked []string // "udp TypeSRV _xmpp-client._tcp.example.org."
}

// serve starts a server that stops with the test, and a Resolver that asks it.
func serve(t *testing.T, answer zone) (*server, *dns.Resolver) {
	t.Helper()
	s := &server{}
	var stream net.Listener
	var packets net.PacketConn
	for packets == nil { // the same port for both
		var err error
		if stream, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		if packets, err = net.ListenPacket("udp", stream.Addr().String()); err != nil {
			stream.Close()
		}
	}
	s.addr = stream.Addr().String()
	var running sync.WaitGroup
	running.Go(func() {
		buf := make([]byte, 4096)
		for {
			n, from, err := packets.ReadFrom(buf)
			if err != nil {
				return
			}
			for _, msg := range s.answer(buf[:n], "udp", answer) {
				_, _ = packets.WriteTo(msg, from)
			}
		}
	})
	running.Go(func() {
		for {
			conn, err := stream.Accept()
			if err != nil {
				return
			}
			var size [2]byte
			_, _ = io.ReadFull(conn, size[:])
			msg := make([]byte, binary.BigEndian.Uint16(size[:]))
			_, _ = io.ReadFull(conn, msg)
			for _, msg := range s.answer(msg, "tcp", answer) {
				_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(msg))), msg...))
			}
			conn.Close()
		}
	})
	t.Cleanup(func() { packets.Close(); stream.Close(); running.Wait() })
	r, err := dns.New(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	return s, r
}

func (s *server) answer(raw []byte, transport string, answer zone) [][]byte {
	var q dnsmessage.Message
	if err := q.Unpack(raw); err != nil {
		panic(err)
	}
	s.mu.Lock()
	s.asked = append(s.asked, transport+" "+q.Questions[0].Type.String()+" "+q.Questions[0].Name.String())
	s.mu.Unlock()
	return answer(q, transport)
}

func (s *server) questions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// reply answers q with records, as a well-behaved resolver does, after change had its way.
func reply(q dnsmessage.Message, change func(*dnsmessage.Message), records ...dnsmessage.Resource) []byte {
	a := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: q.ID, Response: true, RecursionDesired: true, RecursionAvailable: true},
		Questions: q.Questions, Answers: records,
	}
	if change != nil {
		change(&a)
	}
	a.Answers, a.Authorities = slices.Clone(a.Answers), slices.Clone(a.Authorities) // Pack writes into them
	raw, err := a.Pack()
	if err != nil {
		panic(err)
	}
	return raw
}

// always answers every question with the same records.
func always(records ...dnsmessage.Resource) zone {
	return func(q dnsmessage.Message, _ string) [][]byte { return [][]byte{reply(q, nil, records...)} }
}

// failing answers every question with a response code.
func failing(code dnsmessage.RCode, authority ...dnsmessage.Resource) zone {
	return func(q dnsmessage.Message, _ string) [][]byte {
		return [][]byte{reply(q, func(m *dnsmessage.Message) { m.RCode, m.Authorities = code, authority })}
	}
}

func record(name string, ttl uint32, body dnsmessage.ResourceBody) dnsmessage.Resource {
	return dnsmessage.Resource{
		Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(name), Class: dnsmessage.ClassINET, TTL: ttl},
		Body:   body,
	}
}

func srv(ttl uint32, priority, weight, port uint16, target string) dnsmessage.Resource {
	return record("_xmpp-client._tcp.example.org.", ttl, &dnsmessage.SRVResource{
		Priority: priority, Weight: weight, Port: port, Target: dnsmessage.MustNewName(target),
	})
}

func alias(name, to string) dnsmessage.Resource {
	return record(name, 60, &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName(to)})
}

func address(name string, ttl uint32, ip [4]byte) dnsmessage.Resource {
	return record(name, ttl, &dnsmessage.AResource{A: ip})
}
