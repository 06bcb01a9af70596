// SPDX-License-Identifier: Apache-2.0

package probes

import "github.com/chapril/ejabberd_exporter/internal/metric"

// Phases of a probe, a closed set: the same words in metrics, perfdata and texts.
const (
	Resolve   = "resolve"
	Connect   = "connect"
	Stream    = "stream"
	StartTLS  = "starttls"
	Handshake = "handshake"
	Features  = "features"
	Auth      = "auth"
	Ping      = "ping"
	Message   = "message"
	Slot      = "slot"
	Put       = "put"
	Get       = "get"
)

// Reasons of a failure, a closed set.
const (
	Refused         = "refused"
	Timeout         = "timeout"
	Unreachable     = "unreachable"
	DNS             = "dns"
	TLSAlert        = "tls_alert"
	Certificate     = "certificate"
	StreamError     = "stream_error"
	StartTLSMissing = "starttls_missing"
	Mechanism       = "mechanism"
	Protocol        = "protocol"
	Closed          = "closed"
	OtherReason     = metric.Other
)

// PhaseLabel and ReasonLabel declare the labels for the closed sets.
var (
	PhaseLabel = metric.OneOf("phase", Resolve, Connect, Stream, StartTLS, Handshake, Features, Auth, Ping, Message, Slot, Put, Get)
	// ReasonLabel says why a phase failed.
	ReasonLabel = metric.OneOf("reason", Refused, Timeout, Unreachable, DNS, TLSAlert, Certificate, StreamError,
		StartTLSMissing, Mechanism, Protocol, Closed)
)

// Failure says at which phase a probe failed and why.
type Failure struct {
	Phase  string // one of the phases
	Reason string // one of the reasons
	Err    error  // what happened, in words
}

func (f *Failure) Error() string { return f.Phase + ": " + f.Err.Error() }
func (f *Failure) Unwrap() error { return f.Err }
