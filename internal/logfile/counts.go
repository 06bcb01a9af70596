// SPDX-License-Identifier: Apache-2.0

package logfile

// Metric is what a counter counts.
type Metric int

// What is counted, and which values a Key's Direction and Value take.
const (
	Messages           Metric = iota // Value: levels
	Events                           // Value: events
	AuthAttempts                     // Value: mechanisms of clients
	AuthFailures                     // same; each is an attempt too
	S2SAuthAttempts                  // Direction: in, out; Value: mechanisms of servers
	S2SAuthFailures                  // same; each is an attempt too
	S2SConnectFailures               // Value: reasons
	UploadSlots
	UploadRejected // Value: reasons
	UploadStoreErrors

	// Of these there is no count, but when it last happened.
	AuthSuccess    // Value: mechanisms of clients
	S2SAuthSuccess // Direction: in, out; Value: mechanisms of servers
)

// dated says whether it is told when, instead of how often.
func (m Metric) dated() bool { return m >= AuthSuccess }

// Key names a counter. Its texts are from the lists below, never from a line.
type Key struct {
	Metric           Metric
	Direction, Value string
}

// The closed lists of values. What a line says beside them is other.
const other = "other"

// Levels are those of Erlang's logger, the loudest last.
func Levels() []string {
	return []string{"debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"}
}

// LogEvents are what is worth a counter of its own. A registration refused because it came too quickly is no event: ejabberd
// does not log it.
func LogEvents() []string {
	return []string{
		"sql_pool_overload", "sql_error", "fail2ban_block", "push_rejected", "config_reload", "config_reload_aborted", "tls_failure",
	}
}

// Mechanisms are how clients log in. HT are the tokens of FAST (XEP-0484).
func Mechanisms() []string {
	return []string{
		"PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512", "SCRAM-SHA-512-PLUS",
		"DIGEST-MD5", "X-OAUTH2", "EXTERNAL", "ANONYMOUS", "HT", other,
	}
}

// S2SMechanisms are how servers prove who they are.
func S2SMechanisms() []string { return []string{"EXTERNAL", "dialback", other} }

// ConnectFailures are why no connection to another server came about.
func ConnectFailures() []string {
	return []string{"dns", "refused", "timeout", "tls", "stream_error", other}
}

// Rejections are why an upload was not taken: announced too large, by somebody who may not, of another size than announced,
// without a slot.
func Rejections() []string { return []string{"too_large", "denied", "wrong_size", "invalid_slot"} }

// zeros are all counters there can be, at 0.
func zeros() map[Key]uint64 {
	counts := map[Key]uint64{{Metric: UploadSlots}: 0, {Metric: UploadStoreErrors}: 0}
	add := func(metric Metric, direction string, values []string) {
		for _, value := range values {
			counts[Key{metric, direction, value}] = 0
		}
	}
	add(Messages, "", Levels())
	add(Events, "", LogEvents())
	add(AuthAttempts, "", Mechanisms())
	add(AuthFailures, "", Mechanisms())
	for _, direction := range []string{"in", "out"} {
		add(S2SAuthAttempts, direction, S2SMechanisms())
		add(S2SAuthFailures, direction, S2SMechanisms())
	}
	add(S2SConnectFailures, "", ConnectFailures())
	add(UploadRejected, "", Rejections())
	return counts
}
