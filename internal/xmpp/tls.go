// SPDX-License-Identifier: Apache-2.0

package xmpp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
)

// ErrNoStartTLS says that the peer refused to go on with TLS after it had offered it.
var ErrNoStartTLS = errors.New("the peer refused STARTTLS")

// StartTLS asks for TLS and waits for the peer to agree. Handshake follows.
func (s *Stream) StartTLS(ctx context.Context) error {
	if err := s.Send(ctx, "<starttls xmlns='"+nsTLS+"'/>"); err != nil {
		return err
	}
	e, err := s.Receive(ctx)
	switch {
	case err != nil:
		return err
	case e.Name.Space == nsTLS && e.Name.Local == "failure":
		return ErrNoStartTLS
	case e.Name.Space != nsTLS || e.Name.Local != "proceed":
		return fmt.Errorf("%w: <%s> as the answer to STARTTLS", ErrMalformed, Clean(e.Name.Local))
	case s.in.src.Buffered() > 0:
		// Somebody on the way could have put these bytes there, and would have them taken for encrypted ones.
		return fmt.Errorf("%w: more bytes in clear after STARTTLS was agreed on", ErrMalformed)
	}
	return nil
}

// Handshake makes the connection a TLS one: after StartTLS, or at once for direct TLS. config.ServerName is the domain that
// the certificate must name. A certificate that does not pass ends the handshake with a *CertificateError; what was learnt
// about it is in TLS all the same.
func (s *Stream) Handshake(ctx context.Context, config *tls.Config) error {
	facts := &TLS{}
	config = config.Clone()
	config.InsecureSkipVerify = true // we verify ourselves, to know everything about a bad certificate
	config.VerifyConnection = func(state tls.ConnectionState) error {
		s.tls = facts
		*facts = Inspect(state, config)
		return facts.Err()
	}
	conn := tls.Client(s.raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		if bad, ok := errors.AsType[*CertificateError](err); ok {
			return bad
		}
		return s.failed(ctx, err)
	}
	s.conn = conn
	s.in = newReader(conn, unlimited)
	return nil
}
