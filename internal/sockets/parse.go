// SPDX-License-Identifier: Apache-2.0

package sockets

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

const (
	answerSize   = 72 // struct inet_diag_msg
	attrInfo     = 2  // INET_DIAG_INFO: struct tcp_info
	attrV6Only   = 11 // INET_DIAG_SKV6ONLY
	rttInTCPInfo = 68 // tcpi_rtt: microseconds
)

var errMalformed = errors.New("the kernel's list of sockets is malformed: this is a bug of the exporter, please report it")

// parse reads one datagram of a dump. done: it was the last one.
func parse(datagram []byte, each func(Socket)) (done bool, err error) {
	for len(datagram) >= unix.NLMSG_HDRLEN {
		size := int(binary.NativeEndian.Uint32(datagram))
		if size < unix.NLMSG_HDRLEN || size > len(datagram) {
			return true, errMalformed
		}
		body := datagram[unix.NLMSG_HDRLEN:size]
		switch binary.NativeEndian.Uint16(datagram[4:]) {
		case unix.NLMSG_DONE, unix.NLMSG_ERROR:
			return true, failure(body)
		case unix.SOCK_DIAG_BY_FAMILY:
			s, ok := socket(body)
			if !ok {
				return true, errMalformed
			}
			each(s)
		}
		datagram = datagram[min(aligned(size), len(datagram)):]
	}
	if len(datagram) > 0 {
		return true, errMalformed
	}
	return false, nil
}

// failure is the error number at the beginning of an answer that ends the dump; 0 is none.
func failure(body []byte) error {
	if len(body) < 4 {
		return errMalformed
	}
	errno := unix.Errno(-int32(binary.NativeEndian.Uint32(body)))
	switch errno {
	case 0:
		return nil
	case unix.ENOENT:
		return ErrUnknown
	}
	return fmt.Errorf("the kernel's list of sockets: %w", errno)
}

// socket reads struct inet_diag_msg and the attributes behind it.
func socket(body []byte) (s Socket, ok bool) {
	if len(body) < answerSize {
		return s, false
	}
	local, peer, ok := addresses(body)
	if !ok {
		return s, false
	}
	s = Socket{
		State:     State(body[1]),
		LocalPort: int(binary.BigEndian.Uint16(body[4:])),
		PeerPort:  int(binary.BigEndian.Uint16(body[6:])),
		UID:       binary.NativeEndian.Uint32(body[64:]),
		Inode:     binary.NativeEndian.Uint32(body[68:]),
	}
	s.Family = family(peer)
	if s.PeerPort == 0 {
		s.Family, s.bound = family(local), local
		if s.State == Listening {
			s.Backlog = int(binary.NativeEndian.Uint32(body[60:])) // idiag_wqueue
		}
	} else {
		s.PeerHere = peer.IsLoopback() || peer == local
	}
	for kind, value := range attributes(body[answerSize:]) {
		switch {
		case kind == attrInfo && len(value) >= rttInTCPInfo+4:
			s.RTT = time.Duration(binary.NativeEndian.Uint32(value[rttInTCPInfo:])) * time.Microsecond
		case kind == attrV6Only && len(value) > 0:
			s.v6only = value[0] != 0
		}
	}
	return s, true
}

func addresses(body []byte) (local, peer netip.Addr, ok bool) {
	switch body[0] {
	case unix.AF_INET:
		return netip.AddrFrom4([4]byte(body[8:])), netip.AddrFrom4([4]byte(body[24:])), true
	case unix.AF_INET6:
		return netip.AddrFrom16([16]byte(body[8:])).Unmap(), netip.AddrFrom16([16]byte(body[24:])).Unmap(), true
	}
	return local, peer, false
}

func family(a netip.Addr) Family {
	if a.Is4() {
		return IP4
	}
	return IP6
}

// attributes walks over the attributes of a message, as far as they are well formed.
func attributes(rest []byte) iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		for len(rest) >= unix.SizeofNlAttr {
			size := int(binary.NativeEndian.Uint16(rest))
			if size < unix.SizeofNlAttr || size > len(rest) || !yield(binary.NativeEndian.Uint16(rest[2:]), rest[unix.SizeofNlAttr:size]) {
				return
			}
			rest = rest[min(aligned(size), len(rest)):]
		}
	}
}

// aligned is a length with the padding behind it.
func aligned(size int) int { return (size + unix.NLMSG_ALIGNTO - 1) &^ (unix.NLMSG_ALIGNTO - 1) }
