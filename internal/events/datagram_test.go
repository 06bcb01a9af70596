// SPDX-License-Identifier: Apache-2.0

package events

import "testing"

func TestParse(t *testing.T) {
	for _, c := range []struct {
		datagram, vhost string
		event           Event
		ok              bool
	}{
		{"chapril.test/localhost.user_send_packet:c/1795453193:1", "chapril.test", UserSends, true},
		{"a/b.offline_message:c/1:1", "a", OfflineMessage, true},
		{"xn--caf-dma.test/node-1.s2s_receive_packet:c/1795453193:1", "xn--caf-dma.test", S2SReceives, true},
		{"", "", 0, false},
		{"chapril.test", "", 0, false},
		{"/localhost.user_send_packet:c/1:1", "", 0, false},
		{"chapril.test/.user_send_packet:c/1:1", "", 0, false},
		{"chapril.test/localhost.user_send_packet", "", 0, false},
		{"chapril.test/localhost.user_send_packet:g/1:1", "", 0, false}, // a gauge
		{"chapril.test/localhost.user_send_packet:c/:1", "", 0, false},
		{"chapril.test/localhost.user_send_packet:c/now:1", "", 0, false},
		{"chapril.test/localhost.user_send_packet:c/1:1000000", "", 0, false}, // mod_metrics counts one by one
		{"chapril.test/localhost.user_send_packet:c/1:1\n", "", 0, false},
		{"chapril.test/localhost.something_else:c/1:1", "", 0, false},
	} {
		vhost, event, ok := parse([]byte(c.datagram))
		if ok != c.ok || string(vhost) != c.vhost && ok || event != c.event {
			t.Errorf("%q is %q %v %v, want %q %v %v", c.datagram, vhost, event, ok, c.vhost, c.event, c.ok)
		}
	}
}

// FuzzDatagram: whatever comes, the counters of one datagram add up to one.
func FuzzDatagram(f *testing.F) {
	for _, text := range []string{
		"chapril.test/localhost.user_send_packet:c/1795453193:1", "libre.test/localhost.remove_user:c/1795453193:1",
		"chapril.test/localhost.user_send_packet:g/1:1", "chapril.test/", "/.:c/:", "\x00\xff/\n.:c/1:1", "",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		l := new(Listener)
		l.vhosts.Store(&map[string]*counters{"chapril.test": new(counters)})
		l.count(datagram{data: text}, false)
		var sum uint64
		for event := range number {
			sum += (*l.vhosts.Load())["chapril.test"][event].Load()
		}
		if sum += l.malformed.Load() + l.unknownVhost.Load(); sum != 1 {
			t.Errorf("one datagram was counted %d times", sum)
		}
	})
}
