// SPDX-License-Identifier: Apache-2.0

package sockets

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// answer builds a netlink message as the kernel does.
func answer(kind uint16, body []byte) []byte {
	message := make([]byte, unix.NLMSG_HDRLEN, unix.NLMSG_HDRLEN+len(body)+4)
	binary.NativeEndian.PutUint32(message, uint32(unix.NLMSG_HDRLEN+len(body)))
	binary.NativeEndian.PutUint16(message[4:], kind)
	message = append(message, body...)
	return append(message, make([]byte, aligned(len(body))-len(body))...)
}

// established builds the body for an IPv4 client of an IPv6 socket, with a round-trip time of 42 ms.
func established() []byte {
	body := make([]byte, answerSize)
	body[0], body[1] = unix.AF_INET6, byte(Established)
	binary.BigEndian.PutUint16(body[4:], 5222)
	binary.BigEndian.PutUint16(body[6:], 40000)
	local, peer := netip.MustParseAddr("::ffff:192.0.2.1").As16(), netip.MustParseAddr("::ffff:198.51.100.7").As16()
	copy(body[8:], local[:])
	copy(body[24:], peer[:])
	binary.NativeEndian.PutUint32(body[64:], 117)
	binary.NativeEndian.PutUint32(body[68:], 4711)
	return append(body, attribute(attrInfo, append(make([]byte, rttInTCPInfo), binary.NativeEndian.AppendUint32(nil, 42_000)...))...)
}

func attribute(kind uint16, value []byte) []byte {
	a := binary.NativeEndian.AppendUint16(nil, uint16(unix.SizeofNlAttr+len(value)))
	a = append(binary.NativeEndian.AppendUint16(a, kind), value...)
	return append(a, make([]byte, aligned(len(a))-len(a))...)
}

// listener builds the body for a socket that listens on "::".
func listener(v6only byte) []byte {
	body := make([]byte, answerSize)
	body[0], body[1] = unix.AF_INET6, byte(Listening)
	binary.BigEndian.PutUint16(body[4:], 5222)
	return append(body, attribute(attrV6Only, []byte{v6only})...)
}

func TestParse(t *testing.T) {
	var got []Socket
	datagram := append(answer(unix.SOCK_DIAG_BY_FAMILY, established()), answer(unix.SOCK_DIAG_BY_FAMILY, listener(0))...)
	done, err := parse(append(datagram, answer(unix.NLMSG_DONE, make([]byte, 4))...), func(s Socket) { got = append(got, s) })
	if !done || err != nil {
		t.Fatal(done, err)
	}
	want := Socket{State: Established, Family: IP4, LocalPort: 5222, PeerPort: 40000, UID: 117, Inode: 4711, RTT: 42 * time.Millisecond}
	if len(got) != 2 || got[0] != want {
		t.Errorf("got  %+v\nwant %+v and a listener", got, want)
	}
}

func TestServes(t *testing.T) {
	for _, c := range []struct {
		v6only   byte
		ip4, ip6 bool
	}{{0, true, true}, {1, false, true}} {
		s, ok := socket(listener(c.v6only))
		s.Transport = TCP
		if !ok || !s.ListensOn(TCP, netip.MustParseAddr("::"), 5222) || s.ListensOn(TCP, netip.MustParseAddr("0.0.0.0"), 5222) {
			t.Errorf("v6only %d: the listener is not recognised", c.v6only)
		}
		if s.Serves(IP4) != c.ip4 || s.Serves(IP6) != c.ip6 {
			t.Errorf("v6only %d: serves IPv4 %v, IPv6 %v", c.v6only, s.Serves(IP4), s.Serves(IP6))
		}
	}
}

func TestRefusals(t *testing.T) {
	errno := func(n unix.Errno) []byte { return binary.NativeEndian.AppendUint32(nil, uint32(-int32(n))) }
	unaligned := answer(unix.NLMSG_NOOP, nil)
	for name, c := range map[string]struct {
		datagram []byte
		want     error
	}{
		"no such module":  {answer(unix.NLMSG_ERROR, errno(unix.ENOENT)), ErrUnknown},
		"not allowed":     {answer(unix.NLMSG_ERROR, errno(unix.EPERM)), unix.EPERM},
		"error at end":    {answer(unix.NLMSG_DONE, errno(unix.EINTR)), unix.EINTR},
		"short error":     {answer(unix.NLMSG_ERROR, nil), errMalformed},
		"short socket":    {answer(unix.SOCK_DIAG_BY_FAMILY, make([]byte, answerSize-1)), errMalformed},
		"unknown family":  {answer(unix.SOCK_DIAG_BY_FAMILY, make([]byte, answerSize)), errMalformed},
		"cut off":         {answer(unix.SOCK_DIAG_BY_FAMILY, established())[:40], errMalformed},
		"rest":            {append(unaligned, 1, 2, 3), errMalformed},
		"length too long": {[]byte{255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, errMalformed},
	} {
		if done, err := parse(c.datagram, func(Socket) {}); !done || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v, want %v", name, done, err, c.want)
		}
	}
}

// FuzzParse: whatever comes, nothing is read beyond it, and every socket is of a family.
func FuzzParse(f *testing.F) {
	f.Add(answer(unix.SOCK_DIAG_BY_FAMILY, established()))
	f.Add(append(answer(unix.SOCK_DIAG_BY_FAMILY, listener(1)), answer(unix.NLMSG_DONE, make([]byte, 4))...))
	f.Add(answer(unix.NLMSG_ERROR, make([]byte, 4)))
	f.Fuzz(func(t *testing.T, datagram []byte) {
		n := 0
		_, _ = parse(datagram, func(s Socket) {
			n++
			if s.Family != IP4 && s.Family != IP6 {
				t.Errorf("family %q", s.Family)
			}
		})
		if n*(unix.NLMSG_HDRLEN+answerSize) > len(datagram) {
			t.Errorf("%d sockets in %d bytes", n, len(datagram))
		}
	})
}
