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

// crash is a panic of the probe: where it was, and nothing of what, since the value could be anybody's data.
type crash struct{ stack []byte }

// crashed is that of a value that was recovered.
func crashed(value any) *crash {
	if elsewhere, ok := value.(*probes.Crash); ok {
		return &crash{elsewhere.Stack}
	}
	return &crash{debug.Stack()}
}

func (c *crash) Error() string {
	return "panic: this is a bug of the plugin, please report what -vvv shows"
}

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
func measure(s settings) (*probes.Report, error) {
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout-min(s.timeout/10, 500*time.Millisecond))
	defer cancel()
	limit := time.NewTimer(s.timeout)
	defer limit.Stop()

	out, done := probes.NewReport(), make(chan error, 1)
	go func() {
		defer func() {
			if value := recover(); value != nil {
				done <- crashed(value)
			}
		}()
		done <- s.run(ctx, s.target, out)
	}()
	select {
	case err := <-done:
		if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			err = &late{s.timeout, err}
		}
		return out, err
	case <-limit.C:
		return probes.NewReport(), &late{s.timeout, errAbandoned}
	}
}
