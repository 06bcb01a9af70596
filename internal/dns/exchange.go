// SPDX-License-Identifier: Apache-2.0

package dns

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// rounds is how often every resolver is asked, each time waiting twice as long: 1 s, 2 s, 4 s.
const rounds = 3

// ask puts the question to the resolvers in turn until one gives a verdict or ctx ends. One that says that it cannot answer is
// not asked again, one that says nothing is.
func (r *Resolver) ask(ctx context.Context, q question) answer {
	servers, err := r.servers()
	if err != nil {
		return answer{err: err}
	}
	last := answer{err: ErrTimeout}
	for round := range rounds {
		var silent []string
		for _, server := range servers {
			a := exchange(ctx, server, q, time.Second<<round)
			switch {
			case ctx.Err() != nil:
				return answer{err: cut(ctx)}
			case a.err == nil || errors.Is(a.err, ErrNotFound):
				return a
			case errors.Is(a.err, ErrTimeout):
				silent = append(silent, server)
			default:
				last = a
			}
		}
		servers = silent
	}
	return last
}

// exchange asks one resolver over UDP, and over TCP when the answer does not fit a datagram.
func exchange(ctx context.Context, server string, q question, wait time.Duration) answer {
	packed, err := pack(q)
	if err != nil {
		return answer{err: err}
	}
	for _, transport := range []string{"udp", "tcp"} {
		a, truncated := converse(ctx, transport, server, packed, wait)
		if !truncated {
			return a
		}
	}
	return answer{err: fmt.Errorf("%w: truncated over TCP", ErrMalformed)}
}

// converse sends q and waits for its answer, ignoring everything else that arrives.
func converse(ctx context.Context, transport, server string, q query, wait time.Duration) (a answer, truncated bool) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, transport, server)
	if err != nil {
		return answer{err: network(err)}, false
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()

	msg := q.msg
	if transport == "tcp" {
		msg = append(binary.BigEndian.AppendUint16(nil, uint16(len(msg))), msg...)
	}
	if _, err := conn.Write(msg); err != nil {
		return answer{err: network(err)}, false
	}
	receive := datagrams(conn)
	if transport == "tcp" {
		receive = frames(conn)
	}
	for {
		got, err := receive()
		if err != nil {
			return answer{err: network(err)}, false
		}
		if p, h, ok := q.open(got); ok {
			if h.Truncated {
				return answer{}, true
			}
			return read(p, h, q.question), false
		}
	}
}

// datagrams reads one UDP message after the other.
func datagrams(conn io.Reader) func() ([]byte, error) {
	buf := make([]byte, 2*datagram)
	return func() ([]byte, error) {
		n, err := conn.Read(buf)
		return buf[:n], err
	}
}

// frames reads one message of a TCP stream after the other.
func frames(conn io.Reader) func() ([]byte, error) {
	in := bufio.NewReader(conn)
	return func() ([]byte, error) {
		var size [2]byte
		if _, err := io.ReadFull(in, size[:]); err != nil {
			return nil, err
		}
		msg := make([]byte, binary.BigEndian.Uint16(size[:]))
		_, err := io.ReadFull(in, msg)
		return msg, err
	}
}
