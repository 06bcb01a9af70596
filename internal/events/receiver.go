// SPDX-License-Identifier: Apache-2.0

package events

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// batch is how many datagrams are read at once.
	batch = 64
	// gather is how long others may come after the first one. To be woken for each of them would cost several times what counting
	// it does. The smallest buffer that Linux gives by itself holds what comes in this time at half a million a second.
	gather = time.Millisecond
)

// receiver reads datagrams with recvmmsg into memory that it keeps. x/net does that too, but makes 64 headers anew for each batch,
// also where two datagrams have come: that took more time than all that is done with them. Its socket is none of Go's poller, which
// would wake a thread for each datagram even while nobody reads.
type receiver struct {
	socket, end int         // end becomes readable when reading shall end
	ending      atomic.Bool // for who never waits, because datagrams come faster than they are read
	received    int         // in the last batch

	headers  [batch]header
	vectors  [batch]unix.Iovec
	senders  [batch]unix.RawSockaddrInet6 // an IPv4 one is shorter
	controls []byte
	data     [batch][maxDatagram]byte
	named    bool // the senders matter
}

// header is the kernel's struct mmsghdr.
type header struct {
	unix.Msghdr
	length uint32
}

// datagram is one that was received.
type datagram struct {
	data, control []byte
	flags         int
	sender        netip.Addr // not valid where nobody asked for it
}

var errStopped = errors.New("stopped")

// newReceiver takes a socket over and reads from it; named says that the senders' addresses matter.
func newReceiver(conn *net.UDPConn, named bool) (*receiver, error) {
	defer conn.Close()
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	r := &receiver{controls: make([]byte, batch*unix.CmsgSpace(4)), named: named, received: batch}
	controlled := raw.Control(func(fd uintptr) { r.socket, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) })
	if err := errors.Join(controlled, err); err != nil {
		return nil, err
	}
	if r.end, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return nil, errors.Join(err, unix.Close(r.socket))
	}
	for i := range r.headers {
		h := &r.headers[i]
		r.vectors[i].Base = &r.data[i][0]
		r.vectors[i].SetLen(maxDatagram)
		h.Iov = &r.vectors[i]
		h.SetIovlen(1)
		h.Control = &r.control(i)[0]
		if named {
			h.Name = (*byte)(unsafe.Pointer(&r.senders[i])) //nolint:gosec // the kernel takes any kind of address there
		}
	}
	return r, nil
}

func (r *receiver) control(i int) []byte {
	space := len(r.controls) / batch
	return r.controls[i*space : (i+1)*space]
}

// stop ends wait and read, now or when they are called.
func (r *receiver) stop() {
	r.ending.Store(true)
	_, _ = unix.Write(r.end, []byte{1, 0, 0, 0, 0, 0, 0, 0})
}

// close gives everything back, after the last read.
func (r *receiver) close() {
	_ = unix.Close(r.socket)
	_ = unix.Close(r.end)
}

// wait waits for a datagram, and then for others.
func (r *receiver) wait() error {
	waiting := [2]unix.PollFd{{Fd: int32(r.socket), Events: unix.POLLIN}, {Fd: int32(r.end), Events: unix.POLLIN}}
	for {
		switch _, err := unix.Poll(waiting[:], -1); {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return err
		case waiting[1].Revents != 0:
			return errStopped
		}
		pause := unix.NsecToTimespec(int64(gather))
		_ = unix.Nanosleep(&pause, nil) // shorter is no harm
		return nil
	}
}

// read gives how many datagrams have come, for at: none when all were read.
func (r *receiver) read() (int, error) {
	for i := range r.headers[:r.received] { // the kernel wrote into these
		h := &r.headers[i]
		h.SetControllen(len(r.controls) / batch)
		if r.named {
			h.Namelen = unix.SizeofSockaddrInet6
		}
	}
	r.received = 0
	for {
		if r.ending.Load() {
			return 0, errStopped
		}
		n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(r.socket), uintptr(unsafe.Pointer(&r.headers[0])), batch, unix.MSG_DONTWAIT, 0, 0) //nolint:gosec // x/sys has no call for it
		switch errno {
		case 0:
			r.received = int(n)
			return r.received, nil
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			return 0, nil
		}
		return 0, errno
	}
}

// at is a datagram of the batch that was read last; it lasts until the next one is.
func (r *receiver) at(i int) datagram {
	h := &r.headers[i]
	d := datagram{data: r.data[i][:h.length], control: r.control(i)[:h.Controllen], flags: int(h.Flags)}
	if !r.named {
		return d
	}
	switch sender := &r.senders[i]; sender.Family {
	case unix.AF_INET: // the address stands where an IPv6 one has its flow label
		var four [4]byte
		binary.NativeEndian.PutUint32(four[:], sender.Flowinfo)
		d.sender = netip.AddrFrom4(four)
	case unix.AF_INET6:
		d.sender = netip.AddrFrom16(sender.Addr).Unmap()
	}
	return d
}
