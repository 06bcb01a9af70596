// SPDX-License-Identifier: Apache-2.0

package logfile

import "bytes"

// pattern is how a message begins, and what it counts.
type pattern struct {
	begins string // one word may stand for *
	counts []Key
	value  func(rest []byte) string // finds the counters' Value in what follows; "": the line does not count after all
}

// patterns are the messages worth counting, of all versions of ejabberd. What real servers wrote is in testdata.
var patterns = []pattern{
	{"Accepted c2s ", []Key{{Metric: AuthAttempts}, {Metric: AuthSuccess}}, clientMechanism},
	{"Failed c2s ", []Key{{Metric: AuthAttempts}, {Metric: AuthFailures}}, clientMechanism},
	{"Accepted inbound s2s ", []Key{{Metric: S2SAuthAttempts, Direction: "in"}, {Metric: S2SAuthSuccess, Direction: "in"}}, serverMechanism},
	{"Failed inbound s2s ", []Key{{Metric: S2SAuthAttempts, Direction: "in"}, {Metric: S2SAuthFailures, Direction: "in"}}, serverMechanism},
	{"Accepted outbound s2s ", []Key{{Metric: S2SAuthAttempts, Direction: "out"}, {Metric: S2SAuthSuccess, Direction: "out"}}, serverMechanism},
	{"Failed outbound s2s ", []Key{{Metric: S2SAuthAttempts, Direction: "out"}, {Metric: S2SAuthFailures, Direction: "out"}}, serverMechanism},
	{"Failed to establish outbound s2s connection ", []Key{{Metric: S2SConnectFailures}}, connectFailure},

	{"Got HTTP upload slot for ", []Key{{Metric: UploadSlots}}, nil},
	{"Rejecting file ", []Key{{Metric: UploadRejected}}, rejection},
	{"Denying HTTP upload slot request from ", []Key{{Metric: UploadRejected, Value: "denied"}}, nil},
	{"Cannot store file ", []Key{{Metric: UploadStoreErrors}}, nil},

	{"SQL connection pool is overloaded", event("sql_pool_overload"), nil},
	{"SQL query ", event("sql_error"), nil},
	{"SQL transaction restarts exceeded", event("sql_error"), nil},
	{"Internal error while processing SQL query", event("sql_error"), nil},
	{"PREPARE failed for SQL query", event("sql_error"), nil},
	{"pgsql connection failed:", event("sql_error"), nil},
	{"mysql connection failed:", event("sql_error"), nil},
	{"Connection attempt from blacklisted IP ", event("fail2ban_block"), nil},
	{"* rejected notification for ", event("push_rejected"), nil},
	{"Configuration reloaded successfully", event("config_reload"), nil},
	{"Configuration reload aborted", event("config_reload_aborted"), nil},
	{"Failed to secure ", event("tls_failure"), nil},
}

func event(name string) []Key { return []Key{{Metric: Events, Value: name}} }

// rest is what follows the beginning of a message, if it is this one.
func (p *pattern) rest(message []byte) ([]byte, bool) {
	if p.begins[0] != '*' {
		if len(message) < len(p.begins) || string(message[:len(p.begins)]) != p.begins {
			return nil, false
		}
		return message[len(p.begins):], true
	}
	space := bytes.IndexByte(message, ' ')
	if space < 0 || len(message)-space < len(p.begins)-1 || string(message[space:space+len(p.begins)-1]) != p.begins[1:] {
		return nil, false
	}
	return message[space+len(p.begins)-1:], true
}

// listed is the word that the text begins with, as it stands on the list.
func listed(text []byte, list []string) string {
	word, _, _ := bytes.Cut(text, []byte(" "))
	for _, value := range list {
		if string(word) == value {
			return value
		}
	}
	return other
}

func clientMechanism(rest []byte) string {
	if bytes.HasPrefix(rest, []byte("HT-")) {
		return "HT"
	}
	return listed(rest, mechanisms)
}

func serverMechanism(rest []byte) string { return listed(rest, s2sMechanisms) }

// connectFailure reads "FROM -> TO: REASON; bouncing for N seconds". Names of hosts have no colon.
func connectFailure(rest []byte) string {
	_, reason, _ := bytes.Cut(rest, []byte(": "))
	for _, c := range []struct{ text, reason string }{
		{"authentication failed", ""}, // has a line of its own
		{"Authentication failed", ""},
		{"DNS lookup failed", "dns"},
		{"TLS failed", "tls"},
		{"Peer certificate rejected", "tls"},
	} {
		if bytes.HasPrefix(reason, []byte(c.text)) {
			return c.reason
		}
	}
	for _, c := range []struct{ text, reason string }{
		{"connection refused", "refused"},
		{"timed out", "timeout"},
		{"timeout", "timeout"},
		{"STARTTLS", "tls"},
		{"Stream ", "stream_error"},
	} {
		if bytes.Contains(reason, []byte(c.text)) {
			return c.reason
		}
	}
	return other
}

// rejection looks at the end of the line: at its beginning is the file's name, which the user chose.
func rejection(rest []byte) string {
	switch {
	case bytes.HasSuffix(rest, []byte(": Invalid slot")):
		return "invalid_slot"
	case bytes.HasSuffix(rest, []byte(" bytes)")):
		return "too_large"
	case bytes.HasSuffix(rest, []byte(")")):
		return "wrong_size"
	}
	return ""
}

var (
	mechanisms    = Mechanisms()
	s2sMechanisms = S2SMechanisms()
)
