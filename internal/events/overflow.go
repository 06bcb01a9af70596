// SPDX-License-Identifier: Apache-2.0

package events

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// overflow takes over the kernel's count of datagrams for which the socket had no room (SO_RXQ_OVFL). It comes with the next
// datagram that had, as the only control message that was asked for.
func (l *Listener) overflow(control []byte) {
	header := unix.CmsgLen(0)
	if len(control) < header+4 {
		return
	}
	l.kernel.Store(l.kernelEarlier.Load() + uint64(binary.NativeEndian.Uint32(control[header:])))
}
