// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"crypto/rand"
	"testing"
	"time"
)

// ofTheResolver is what happens to the name server that probes ask. /metrics asks none.
var ofTheResolver = []fault{
	{
		name: "the name server is dead", fails: "probe", path: probed, alone: true,
		begin: func(_ *testing.T, s *stage) (end func()) {
			return s.door.with(func([]byte) []byte { return nil })
		},
	},
	{
		name: "the name server takes ten seconds", fails: "probe", path: probed, alone: true, quick: true,
		begin: func(t *testing.T, s *stage) (end func()) {
			return s.door.with(func(question []byte) []byte {
				select {
				case <-time.After(10 * time.Second):
					return s.door.ask(question, s.Resolver.Addr())
				case <-t.Context().Done():
					return nil
				}
			})
		},
	},
	{
		name: "the name server answers questions that nobody asked", fails: "probe", path: probed, alone: true,
		begin: func(_ *testing.T, s *stage) (end func()) {
			return s.door.with(func(question []byte) []byte {
				reply := s.door.ask(question, s.Resolver.Addr())
				if len(reply) > 1 {
					reply[0] ^= 0xff // another's number
				}
				return reply
			})
		},
	},
	{
		name: "the name server answers noise", fails: "probe", path: probed, alone: true,
		begin: func(_ *testing.T, s *stage) (end func()) {
			return s.door.with(func(question []byte) []byte {
				reply := make([]byte, 512)
				_, _ = rand.Read(reply)
				copy(reply, question[:2])
				reply[2] |= 0x80 // an answer
				return reply
			})
		},
	},
}

const probed = "/probe?module=c2s&target=chapril.test"
