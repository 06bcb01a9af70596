// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/chapril/ejabberd_exporter/probes"
)

// crash is a panic of the probe.
type crash struct {
	value any
	stack []byte
}

func (c *crash) Error() string { return fmt.Sprintf("internal error: %v", c.value) }

// late is the error of a run that met the time limit.
type late struct {
	limit time.Duration
	err   error
}

func (l *late) Error() string { return fmt.Sprintf("no result within %s: %s", l.limit, l.err) }
func (l *late) Unwrap() error { return l.err }

var errAbandoned = errors.New("the probe did not stop in time and was abandoned")

// measure runs the probe within the time limit. The probe gets a little less, to say itself what it was waiting for; one that
// does not stop then is left behind with its Report, and an empty one takes its place.
func measure(o options) (*probes.Report, error) {
	ctx, cancel := context.WithTimeout(context.Background(), o.timeout-min(o.timeout/10, 500*time.Millisecond))
	defer cancel()
	limit := time.NewTimer(o.timeout)
	defer limit.Stop()

	out, done := probes.NewReport(), make(chan error, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				done <- &crash{v, debug.Stack()}
			}
		}()
		done <- o.run(ctx, o.target, out)
	}()
	select {
	case err := <-done:
		if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			err = &late{o.timeout, err}
		}
		return out, err
	case <-limit.C:
		return probes.NewReport(), &late{o.timeout, errAbandoned}
	}
}
