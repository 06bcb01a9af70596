// SPDX-License-Identifier: Apache-2.0

package stun

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"net/netip"
)

// Methods and attributes that we speak (RFC 8489, RFC 8656).
const (
	methodBinding  = 0x001
	methodAllocate = 0x003
	methodRefresh  = 0x004

	classSuccess = 0x0100
	classError   = 0x0110

	attrMappedAddress      = 0x0001
	attrUsername           = 0x0006
	attrIntegrity          = 0x0008
	attrErrorCode          = 0x0009
	attrLifetime           = 0x000d
	attrRealm              = 0x0014
	attrNonce              = 0x0015
	attrXORRelayedAddress  = 0x0016
	attrRequestedTransport = 0x0019
	attrXORMappedAddress   = 0x0020
)

const (
	cookie     = 0x2112A442
	headerSize = 20
	maxMessage = 4096
)

// message is a STUN message as it travels.
type message []byte

// newRequest begins a request with a random transaction id.
func newRequest(method uint16) message {
	m := make(message, headerSize, 256)
	binary.BigEndian.PutUint16(m, method)
	binary.BigEndian.PutUint32(m[4:], cookie)
	_, _ = rand.Read(m.id()) // never fails
	return m
}

func (m message) kind() uint16 { return binary.BigEndian.Uint16(m) }
func (m message) id() []byte   { return m[8:headerSize] }

// add appends an attribute.
func (m *message) add(kind uint16, value []byte) {
	out := binary.BigEndian.AppendUint16(*m, kind)
	out = binary.BigEndian.AppendUint16(out, uint16(len(value)))
	out = append(out, value...)
	out = append(out, make([]byte, -len(value)&3)...) // to a multiple of four
	binary.BigEndian.PutUint16(out[2:], uint16(len(out)-headerSize))
	*m = out
}

// sign appends what proves that we know the key.
func (m *message) sign(key []byte) {
	m.add(attrIntegrity, make([]byte, sha1.Size))
	at := len(*m) - sha1.Size
	copy((*m)[at:], digest((*m)[:at-4], key))
}

// digest is the HMAC of a message up to its integrity attribute, whose length already counts.
func digest(m message, key []byte) []byte {
	counted := bytes.Clone(m)
	binary.BigEndian.PutUint16(counted[2:], uint16(len(m)+4+sha1.Size-headerSize))
	mac := hmac.New(sha1.New, key)
	mac.Write(counted)
	return mac.Sum(nil)
}

// answer is a response that was read.
type answer struct {
	message
	attrs map[uint16][]byte // the first of each sort
	sums  int               // where the integrity attribute begins, 0 without one
}

// read reads a response to request. ok is false where it is none: somebody else's, or a forged one.
func read(raw message, request message) (a answer, ok bool, err error) {
	if len(raw) < headerSize || binary.BigEndian.Uint32(raw[4:]) != cookie || !bytes.Equal(raw.id(), request.id()) ||
		raw.kind() != request.kind()|classSuccess && raw.kind() != request.kind()|classError {
		return a, false, nil
	}
	a = answer{message: raw, attrs: map[uint16][]byte{}}
	if int(binary.BigEndian.Uint16(raw[2:])) != len(raw)-headerSize {
		return a, true, fmt.Errorf("%w: its length is wrong", ErrMalformed)
	}
	for at := headerSize; at < len(raw); {
		if len(raw)-at < 4 {
			return a, true, fmt.Errorf("%w: an attribute is cut off", ErrMalformed)
		}
		kind, size := binary.BigEndian.Uint16(raw[at:]), int(binary.BigEndian.Uint16(raw[at+2:]))
		padded := size + -size&3
		if len(raw)-at-4 < padded {
			return a, true, fmt.Errorf("%w: an attribute is cut off", ErrMalformed)
		}
		// What stands behind the integrity attribute is not covered by it (RFC 8489, 14.5).
		if _, twice := a.attrs[kind]; !twice && a.sums == 0 {
			a.attrs[kind] = raw[at+4 : at+4+size]
			if kind == attrIntegrity {
				a.sums = at
			}
		}
		at += 4 + padded
	}
	return a, true, nil
}

// signed tells whether whoever sent the answer knows the key.
func (a answer) signed(key []byte) bool {
	return a.sums > 0 && hmac.Equal(a.attrs[attrIntegrity], digest(a.message[:a.sums], key))
}

// address reads an address that travels XORed, so that no gateway rewrites it.
func (a answer) address(kind uint16) (netip.AddrPort, error) {
	value := a.attrs[kind]
	var mask []byte
	if kind != attrMappedAddress {
		mask = a.message[4:headerSize] // cookie and transaction id
	} else {
		mask = make([]byte, 16)
	}
	if len(value) != 8 && len(value) != 20 || len(value) == 8 != (value[1] == 1) {
		return netip.AddrPort{}, fmt.Errorf("%w: no address in it", ErrMalformed)
	}
	port := binary.BigEndian.Uint16(value[2:]) ^ binary.BigEndian.Uint16(mask)
	ip := bytes.Clone(value[4:])
	for i := range ip {
		ip[i] ^= mask[i]
	}
	addr, _ := netip.AddrFromSlice(ip)
	return netip.AddrPortFrom(addr, port), nil
}
