// SPDX-License-Identifier: Apache-2.0

package ejabberd

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
)

// Why a call gave nothing, and what to do next. Every error of a Client's call wraps one of these, a *Refused, or the error of
// the caller's context or Password.
var (
	ErrUnreachable = errors.New("no answer: check that ejabberd runs and that --ejabberd.url is its API")
	ErrTimeout     = errors.New("no answer in time: ejabberd hangs or is overloaded (--ejabberd.timeout)")
	ErrAnswer      = errors.New("not an answer of mod_http_api: check that --ejabberd.url leads to ejabberd")
	ErrFailed      = errors.New("ejabberd failed to carry it out: see ejabberd's log")
	ErrProxy       = errors.New("a proxy answered instead of ejabberd: check that ejabberd runs, or set --ejabberd.url to its own address")
	// ErrUnknownCommand is told by a server that is too old (or too new) for the command.
	ErrUnknownCommand = errors.New("this ejabberd does not know the command: its release is not supported for this number")
	// ErrNoAPI is a 404 that mod_http_api did not send.
	ErrNoAPI = errors.New("no API at this URL: add mod_http_api to request_handlers, `ejabberd_exporter --check` prints the lines")
	// ErrUnknownVhost is told without a call: ejabberd would answer 0 for a vhost that it does not serve.
	ErrUnknownVhost = errors.New("ejabberd does not serve this vhost: discovery has to run again")
	// ErrSessionsInSQL is told without a call.
	ErrSessionsInSQL = errors.New("sessions are kept in SQL, where only the database is asked for them: set up the database role")
)

// Refused is an ejabberd that is up but does not let us call the command.
type Refused struct {
	Command string
	Status  int // 401 or 403
}

func (r *Refused) Error() string {
	if r.Status == http.StatusUnauthorized {
		return "HTTP 401: refused: account or password is wrong, or the account may not call it: " +
			"run `ejabberd_exporter --check` for the lines for api_permissions"
	}
	return "HTTP 403: refused: allow it in api_permissions, `ejabberd_exporter --check` prints the lines"
}

// refusal is the error for an answer other than 200. text is the beginning of the answer and is looked at, never quoted.
func refusal(s *spec, status int, text []byte) error {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return &Refused{Command: s.name, Status: status}
	case http.StatusNotFound:
		if !bytes.Contains(text, []byte("Endpoint not found")) {
			return fmt.Errorf("HTTP %d: %w", status, ErrNoAPI)
		}
		return fmt.Errorf("HTTP %d: %w", status, ErrUnknownCommand)
	case http.StatusBadRequest:
		if bytes.Contains(text, []byte("unknown_command")) {
			return fmt.Errorf("HTTP %d: %w", status, ErrUnknownCommand)
		}
		return fmt.Errorf("HTTP %d: %w", status, ErrFailed)
	case http.StatusConflict, http.StatusInternalServerError:
		return fmt.Errorf("HTTP %d: %w", status, ErrFailed)
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return fmt.Errorf("HTTP %d: %w", status, ErrProxy)
	}
	return fmt.Errorf("HTTP %d: %w", status, ErrAnswer)
}

// unanswered is the error for a connection that failed: its class, without the addresses and names in err.
func unanswered(ctx context.Context, err error) error {
	var (
		network  net.Error
		errno    syscall.Errno
		verified *tls.CertificateVerificationError
	)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Canceled
	case ctx.Err() != nil, errors.As(err, &network) && network.Timeout():
		return ErrTimeout
	case errors.As(err, &verified):
		return fmt.Errorf("the certificate is not accepted: set --ejabberd.ca-file: %w", ErrUnreachable)
	case errors.As(err, &errno):
		return fmt.Errorf("%w: %w", errno, ErrUnreachable)
	}
	return ErrUnreachable
}
