// SPDX-License-Identifier: Apache-2.0

package service

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Resolver is a DNS server on 127.0.0.1, over UDP and TCP. It knows only what was set, and says NXDOMAIN for other names.
type Resolver struct {
	Port int

	udp     net.PacketConn
	tcp     net.Listener
	mu      sync.Mutex
	records map[question][]dnsmessage.ResourceBody
	types   map[string]int // how many types of records each name has
	ttl     uint32
	soa     bool // answers that say no may be kept as well
	asked   int
	running sync.WaitGroup
	conns   map[net.Conn]bool
}

type question struct {
	name string // lower case, without the last dot
	kind dnsmessage.Type
}

// StartResolver starts an empty resolver.
func StartResolver() (*Resolver, error) {
	var last error
	for range 20 { // another test may have been quicker
		ports, err := FreePorts(1)
		if err != nil {
			return nil, err
		}
		r := &Resolver{Port: ports[0], records: map[question][]dnsmessage.ResourceBody{}, types: map[string]int{}, ttl: 1, conns: map[net.Conn]bool{}}
		if last = r.listen(); last == nil {
			r.running.Go(r.serveUDP)
			r.running.Go(r.serveTCP)
			return r, nil
		}
	}
	return nil, fmt.Errorf("start the resolver: %w", last)
}

// listen opens the port.
func (r *Resolver) listen() (err error) {
	if r.udp, err = net.ListenPacket("udp", r.Addr()); err != nil {
		return err
	}
	if r.tcp, err = net.Listen("tcp", r.Addr()); err != nil {
		return errors.Join(err, r.udp.Close())
	}
	return nil
}

// Addr is host:port, for TCP and UDP.
func (r *Resolver) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(r.Port)) }

// Stop closes the resolver.
func (r *Resolver) Stop() {
	_ = r.udp.Close()
	_ = r.tcp.Close()
	r.mu.Lock()
	for conn := range r.conns {
		_ = conn.Close()
	}
	r.conns = nil
	r.mu.Unlock()
	r.running.Wait()
}

// Set replaces the records of one type under a name; none removes them.
func (r *Resolver) Set(name string, kind dnsmessage.Type, records ...dnsmessage.ResourceBody) {
	r.mu.Lock()
	defer r.mu.Unlock()
	q := question{strings.ToLower(strings.TrimSuffix(name, ".")), kind}
	_, known := r.records[q]
	switch {
	case len(records) == 0 && known:
		delete(r.records, q)
		r.types[q.name]--
	case len(records) > 0:
		r.records[q] = records
		if !known {
			r.types[q.name]++
		}
	}
}

// SetTTL says for how many seconds answers may be kept. Unless it is called, that is one, and what is not there is asked for anew.
func (r *Resolver) SetTTL(seconds uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ttl, r.soa = seconds, true
}

// Asked is how many questions there were.
func (r *Resolver) Asked() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}

// SetHost points names at addresses.
func (r *Resolver) SetHost(name string, addresses ...string) {
	var a, aaaa []dnsmessage.ResourceBody
	for _, text := range addresses {
		if ip := netip.MustParseAddr(text); ip.Is4() {
			a = append(a, &dnsmessage.AResource{A: ip.As4()})
		} else {
			aaaa = append(aaaa, &dnsmessage.AAAAResource{AAAA: ip.As16()})
		}
	}
	r.Set(name, dnsmessage.TypeA, a...)
	r.Set(name, dnsmessage.TypeAAAA, aaaa...)
}

// SetSRV points a service such as _xmpp-client._tcp.example.org at one host and port.
func (r *Resolver) SetSRV(service, host string, port int) {
	r.Set(service, dnsmessage.TypeSRV, SRV(host, port, 0, 1))
}

// SRV is one SRV record.
func SRV(host string, port int, priority, weight uint16) *dnsmessage.SRVResource {
	return &dnsmessage.SRVResource{
		Priority: priority,
		Weight:   weight,
		Port:     uint16(port),
		Target:   dnsmessage.MustNewName(host + "."),
	}
}

func (r *Resolver) serveUDP() {
	buffer := make([]byte, 4096)
	for {
		n, from, err := r.udp.ReadFrom(buffer)
		if err != nil {
			return
		}
		if answer, err := r.answer(buffer[:n]); err == nil {
			_, _ = r.udp.WriteTo(answer, from)
		}
	}
}

func (r *Resolver) serveTCP() {
	for {
		conn, err := r.tcp.Accept()
		if err != nil {
			return
		}
		if !r.keep(conn) {
			return
		}
		r.running.Go(func() { r.serveConn(conn) })
	}
}

// keep notes a connection, so that Stop can close it; false when Stop was quicker.
func (r *Resolver) keep(conn net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conns == nil {
		_ = conn.Close()
		return false
	}
	r.conns[conn] = true
	return true
}

// serveConn answers messages, each behind its length in two bytes.
func (r *Resolver) serveConn(conn net.Conn) {
	defer func() {
		_ = conn.Close()
		r.mu.Lock()
		delete(r.conns, conn)
		r.mu.Unlock()
	}()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	for {
		var length [2]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return
		}
		message := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(conn, message); err != nil {
			return
		}
		answer, err := r.answer(message)
		if err != nil {
			return
		}
		answer = append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

func (r *Resolver) answer(message []byte) ([]byte, error) {
	var parser dnsmessage.Parser
	header, err := parser.Start(message)
	if err != nil {
		return nil, err
	}
	asked, err := parser.Question()
	if err != nil {
		return nil, err
	}
	header = dnsmessage.Header{ID: header.ID, Response: true, Authoritative: true, RecursionDesired: header.RecursionDesired, RecursionAvailable: true}
	reply := dnsmessage.Message{Header: header, Questions: []dnsmessage.Question{asked}}
	bodies, ttl, known := r.lookup(question{strings.ToLower(strings.TrimSuffix(asked.Name.String(), ".")), asked.Type})
	if !known {
		reply.RCode = dnsmessage.RCodeNameError
	}
	for _, body := range bodies {
		reply.Answers = append(reply.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: asked.Name, Class: dnsmessage.ClassINET, TTL: ttl},
			Body:   body,
		})
	}
	if len(bodies) == 0 && r.keepsNo() {
		reply.Authorities = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: asked.Name, Class: dnsmessage.ClassINET, TTL: ttl},
			Body:   &dnsmessage.SOAResource{NS: asked.Name, MBox: asked.Name, MinTTL: ttl},
		}}
	}
	return reply.Pack()
}

func (r *Resolver) keepsNo() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.soa
}

// lookup also says whether the name exists at all, under any type.
func (r *Resolver) lookup(q question) (bodies []dnsmessage.ResourceBody, ttl uint32, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	return r.records[q], r.ttl, r.types[q.name] > 0
}
