// SPDX-License-Identifier: Apache-2.0

package dns

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"golang.org/x/net/dns/dnsmessage"
)

// What a lookup can fail of; test with errors.Is.
var (
	// ErrNotFound: the DNS says that there is no such name, or no record of that type. A verdict about the name.
	ErrNotFound = errors.New("not found")
	// ErrTimeout: no resolver answered in time.
	ErrTimeout = errors.New("no answer in time")
	// ErrUnreachable: no resolver could be reached.
	ErrUnreachable = errors.New("resolver cannot be reached")
	// ErrServerFailure: the resolver answered SERVFAIL, as it does for broken DNSSEC and dead name servers.
	ErrServerFailure = errors.New("resolver answered SERVFAIL")
	// ErrRefused: the resolver does not answer questions of this machine.
	ErrRefused = errors.New("resolver answered REFUSED")
	// ErrMalformed: the answer cannot be understood.
	ErrMalformed = errors.New("malformed answer")

	errNoName    = fmt.Errorf("%w: no such name", ErrNotFound)
	errNoData    = fmt.Errorf("%w: no such record", ErrNotFound)
	errNoDNSName = fmt.Errorf("%w: cannot stand in the DNS", ErrNotFound)
)

// question is what is asked, in lower case and without the final dot.
type question struct {
	name string
	kind dnsmessage.Type
}

// failed wraps err with the question: "SRV _xmpp-client._tcp.example.org: not found: no such name".
func (q question) failed(err error) error {
	return fmt.Errorf("%s %s: %w", strings.TrimPrefix(q.kind.String(), "Type"), q.name, err)
}

// cut is the error of a caller whose context ended.
func cut(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", ErrTimeout, ctx.Err())
	}
	return ctx.Err()
}

// network types a network error and keeps addresses out of its text.
func network(err error) error {
	var errno syscall.Errno
	switch timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err); {
	case ok && timeout.Timeout():
		return ErrTimeout
	case errors.As(err, &errno):
		return fmt.Errorf("%w: %w", ErrUnreachable, errno)
	}
	return ErrUnreachable
}
