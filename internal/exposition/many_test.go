// SPDX-License-Identifier: Apache-2.0

package exposition_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/exposition"
	"github.com/chapril/ejabberd_exporter/probes"
)

// TestProbesAtATime: however many are asked for at once, so many run and no more. Who waits in vain is told so while there would
// still be time to probe, and nothing is left behind: the bubble ends only when every goroutine has.
func TestProbesAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const atATime, asked = 7, 10_000
		var now, most, ran atomic.Int32
		slow := probes.Probe{Name: "slow", Settings: func(*probes.Settings) probes.Run {
			return func(ctx context.Context, _ probes.Target, _ *probes.Report) error {
				ran.Add(1)
				most.Store(max(most.Load(), now.Add(1)))
				defer now.Add(-1)
				select {
				case <-time.After(time.Second):
				case <-ctx.Done():
				}
				return nil
			}
		}}
		p, err := exposition.NewProber(probes.Modules([]probes.Probe{slow}), exposition.ProberOptions{
			Allowed: func(string) bool { return true }, Logger: quiet, Max: atATime,
		})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		var ok, refused atomic.Int32
		var asking sync.WaitGroup
		for i := range asked {
			asking.Go(func() {
				status, _ := get(t, p, fmt.Sprintf("/probe?module=slow&target=d%d.example", i), "X-Prometheus-Scrape-Timeout-Seconds", "10")
				switch status {
				case http.StatusOK:
					ok.Add(1)
				case http.StatusServiceUnavailable:
					refused.Add(1)
				default:
					t.Errorf("status %d", status)
				}
			})
		}
		asking.Wait()
		if most.Load() != atATime {
			t.Errorf("%d probes at a time, want %d", most.Load(), atATime)
		}
		// Of the 9.5 s that there are, 4.75 may be waited: five rounds begin in them.
		if ok.Load() != 5*atATime || ran.Load() != ok.Load() || refused.Load() != asked-ok.Load() {
			t.Errorf("%d ran, %d answered, %d refused", ran.Load(), ok.Load(), refused.Load())
		}
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("the last answer came after %s", took)
		}
	})
}
