// SPDX-License-Identifier: Apache-2.0

package sockets

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

const (
	requestSize = 56 // struct inet_diag_req_v2
	extInfo     = 1 << (attrInfo - 1)
	// bufferSize is the most that the kernel puts into one answer of a dump.
	bufferSize = 32 << 10
	// patience is how long the kernel may take for a part of its answer: it never waits for anybody.
	patience = 2 * time.Second
)

// ErrUnknown says that this kernel cannot list the sockets of a transport: the module (tcp_diag, udp_diag) is missing.
var ErrUnknown = errors.New("this kernel does not list the sockets of this transport: load the module tcp_diag or udp_diag")

// List gives all sockets of a transport that are in one of the states; all states where none is named.
func List(ctx context.Context, transport Transport, states ...State) ([]Socket, error) {
	var all []Socket
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		if err := dump(ctx, request(family, transport, states), func(s Socket) {
			s.Transport = transport
			all = append(all, s)
		}); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func request(family uint8, transport Transport, states []State) []byte {
	protocol, mask := uint8(unix.IPPROTO_TCP), uint32(0)
	if transport == UDP {
		protocol = unix.IPPROTO_UDP
	}
	for _, s := range states {
		mask |= 1 << s
	}
	if len(states) == 0 {
		mask = ^mask
	}
	message := make([]byte, unix.NLMSG_HDRLEN+requestSize)
	order := binary.NativeEndian
	order.PutUint32(message[0:], uint32(len(message)))
	order.PutUint16(message[4:], unix.SOCK_DIAG_BY_FAMILY)
	order.PutUint16(message[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	body := message[unix.NLMSG_HDRLEN:]
	body[0], body[1], body[2] = family, protocol, extInfo
	order.PutUint32(body[4:], mask)
	return message
}

// dump sends a request and reads the answers to their end.
func dump(ctx context.Context, message []byte, each func(Socket)) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return fmt.Errorf("ask the kernel for sockets: %w: allow AF_NETLINK (RestrictAddressFamilies of the systemd unit)", err)
	}
	defer func() { _ = unix.Close(fd) }()
	timeout := unix.NsecToTimeval(int64(patience))
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
		return fmt.Errorf("ask the kernel for sockets: %w", err)
	}
	if err := unix.Sendto(fd, message, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("ask the kernel for sockets: %w", err)
	}
	buffer := make([]byte, bufferSize)
	for ctx.Err() == nil {
		n, _, err := unix.Recvfrom(fd, buffer, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("the kernel's list of sockets: %w", err)
		}
		if done, err := parse(buffer[:n], each); done || err != nil {
			return err
		}
	}
	return ctx.Err()
}
