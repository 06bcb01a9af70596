// SPDX-License-Identifier: Apache-2.0

package events

import "bytes"

// Event is something that mod_metrics tells.
type Event int

// The events, as ejabberd sees them: what a user sends, the server receives.
const (
	OfflineMessage Event = iota // before ejabberd decides whether to store it
	Registration
	Removal
	Login
	Logout
	UserSends
	UserReceives
	S2SSends // lacks what rooms and pubsub services send
	S2SReceives
	number
)

// names are what mod_metrics calls the events.
var names = [number]string{
	"offline_message", "register_user", "remove_user", "sm_register_connection", "sm_remove_connection",
	"user_send_packet", "user_receive_packet", "s2s_send_packet", "s2s_receive_packet",
}

// maxDatagram is longer than any datagram of mod_metrics: a host name, a node name, an event, a time.
const maxDatagram = 640

// parse takes VHOST/NODE.EVENT:c/UNIX-SECONDS:1 apart. Nothing is copied: vhost is a part of the datagram.
func parse(datagram []byte) (vhost []byte, event Event, ok bool) {
	vhost, rest, ok := bytes.Cut(datagram, []byte("/"))
	if !ok || len(vhost) == 0 {
		return nil, 0, false
	}
	node, rest, ok := bytes.Cut(rest, []byte("."))
	if !ok || len(node) == 0 {
		return nil, 0, false
	}
	name, rest, ok := bytes.Cut(rest, []byte(":c/"))
	if !ok {
		return nil, 0, false
	}
	seconds, count, ok := bytes.Cut(rest, []byte(":"))
	if !ok || !digits(seconds) || string(count) != "1" {
		return nil, 0, false
	}
	for event := range names {
		if string(name) == names[event] {
			return vhost, Event(event), true
		}
	}
	return nil, 0, false
}

func digits(text []byte) bool {
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(text) > 0
}
