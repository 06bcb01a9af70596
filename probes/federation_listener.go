// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

// Bounds for whoever connects: the port is open to the world while a probe runs.
const (
	maxGuests   = 16              // connections at a time
	maxDialback = 4               // connections for one run; one or two are needed
	introduced  = 3 * time.Second // until a connection must have said for whom it is
)

// receptions are the places where servers dial back to, by address. Runs share one: it opens with the first and closes with
// the last.
type receptions struct {
	mu   sync.Mutex
	open map[string]*reception
}

func newReceptions() *receptions { return &receptions{open: map[string]*reception{}} }

// reception is one place.
type reception struct {
	all       *receptions
	ctx       context.Context //nolint:containedctx // of the listeners and of those who have not said yet for whom they are
	close     context.CancelFunc
	listeners []net.Listener
	seats     chan struct{}
	running   group
	runs      map[pairing]*federation // by who is expected
}

// pairing is who talks to whom.
type pairing struct{ us, peer string }

var (
	errExpected = errors.New("another run already waits for the same server")
	errInUse    = errors.New("the address is in use: another check, or a server; give each check an address of its own, or run them one after the other")
)

// enter opens the place for a run, or shares it. It waits for runs that wait for the same server, and for other processes that
// hold the address.
func (all *receptions) enter(ctx context.Context, addresses []string, f *federation) (leave func(), err error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		leave, err := all.admit(addresses, f)
		if !errors.Is(err, errExpected) && !errors.Is(err, errInUse) {
			return leave, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("--listen: %w", err)
		}
	}
}

func (all *receptions) admit(addresses []string, f *federation) (leave func(), err error) {
	all.mu.Lock()
	defer all.mu.Unlock()
	where := strings.Join(addresses, " ")
	r := all.open[where]
	if r == nil {
		if r, err = all.start(addresses); err != nil {
			return nil, err
		}
		all.open[where] = r
	}
	if r.runs[f.pairing] != nil {
		return nil, errExpected
	}
	r.runs[f.pairing] = f
	return func() {
		all.mu.Lock()
		delete(r.runs, f.pairing)
		last := len(r.runs) == 0
		if last {
			delete(all.open, where)
			r.stop()
		}
		all.mu.Unlock()
		f.dismiss()
		if last {
			r.running.Wait()
		}
	}, nil
}

func (all *receptions) start(addresses []string) (*reception, error) {
	r := &reception{all: all, seats: make(chan struct{}, maxGuests), runs: map[pairing]*federation{}}
	r.ctx, r.close = context.WithCancel(context.Background())
	for _, address := range addresses {
		l, err := new(net.ListenConfig).Listen(r.ctx, "tcp", address)
		if err != nil {
			r.stop()
			if errors.Is(err, syscall.EADDRINUSE) {
				return nil, errInUse
			}
			return nil, fmt.Errorf("--listen: %w", xmpp.Network(err))
		}
		r.listeners = append(r.listeners, l)
	}
	for _, l := range r.listeners {
		r.running.Go(func() { r.accept(l) })
	}
	return r, nil
}

func (r *reception) stop() {
	r.close()
	for _, l := range r.listeners {
		_ = l.Close()
	}
}

func (r *reception) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		select {
		case r.seats <- struct{}{}:
			r.running.Go(func() {
				defer func() { <-r.seats }()
				r.receive(conn)
			})
		default:
			_ = conn.Close()
		}
	}
}

// receive finds out for whom a connection is. Whoever comes for somebody else is sent away.
func (r *reception) receive(conn net.Conn) {
	stream := xmpp.NewStream(conn)
	defer func() { _ = stream.Abort() }()
	ctx, cancel := context.WithTimeout(r.ctx, introduced)
	defer cancel()
	asked, err := stream.Accept(ctx)
	if err != nil {
		return
	}
	f := r.expecting(asked)
	if f == nil {
		_ = stream.Refuse(ctx, asked, rand.Text(), "host-unknown")
		return
	}
	f.receive(stream, asked, familyOf(conn.RemoteAddr()))
}

// expecting finds the run that waits for a server.
func (r *reception) expecting(asked xmpp.Header) *federation {
	if asked.Namespace != xmpp.Server {
		return nil
	}
	r.all.mu.Lock()
	defer r.all.mu.Unlock()
	return r.runs[pairing{inASCII(asked.To), inASCII(asked.From)}]
}

func familyOf(remote net.Addr) string {
	if tcp, ok := remote.(*net.TCPAddr); ok && tcp.AddrPort().Addr().Unmap().Is4() {
		return ip4
	}
	return ip6
}

// selfMade makes a certificate for a day. Nobody trusts it; it encrypts.
func selfMade(domain string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a key: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: "probe"},
		DNSNames:     []string{domain},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(day),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
