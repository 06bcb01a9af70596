// SPDX-License-Identifier: Apache-2.0

package dns

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

var anyQuestion = question{"x.example.org", dnsmessage.TypeA}

func TestThousandCallersAskOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c cache
		var asked atomic.Int32
		var callers sync.WaitGroup
		for range 1000 {
			callers.Go(func() {
				a := c.get(t.Context(), anyQuestion, func(context.Context, question) answer {
					asked.Add(1)
					time.Sleep(time.Second) // the resolver takes its time
					return answer{err: ErrServerFailure}
				})
				if !errors.Is(a.err, ErrServerFailure) {
					t.Errorf("got %v", a.err)
				}
			})
		}
		callers.Wait()
		if n := asked.Load(); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}

func TestAPanicIsAnError(t *testing.T) {
	var c cache
	a := c.get(t.Context(), anyQuestion, func(context.Context, question) answer { panic("an answer that nobody thought of") })
	if a.err == nil || !strings.HasPrefix(a.err.Error(), "panic at dns.TestAPanicIsAnError") {
		t.Errorf("got %v", a.err)
	}
}

func TestFirstCallerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c cache
		slow := func(ctx context.Context, _ question) answer {
			select {
			case <-time.After(time.Second):
				return answer{ttl: time.Minute}
			case <-ctx.Done():
				return answer{err: ctx.Err()}
			}
		}
		first, leave := context.WithTimeout(t.Context(), time.Millisecond)
		defer leave()
		var callers sync.WaitGroup
		callers.Go(func() {
			if a := c.get(first, anyQuestion, slow); !errors.Is(a.err, ErrTimeout) {
				t.Errorf("first caller: got %v, want a timeout", a.err)
			}
		})
		callers.Go(func() {
			if a := c.get(t.Context(), anyQuestion, slow); a.err != nil {
				t.Errorf("second caller: %v", a.err)
			}
		})
		callers.Wait()
	})
}

func TestLastCallerCancels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c cache
		ctx, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		cut := make(chan struct{})
		c.get(ctx, anyQuestion, func(ctx context.Context, _ question) answer {
			<-ctx.Done()
			close(cut)
			return answer{err: ctx.Err()}
		})
		<-cut
		if a := c.get(t.Context(), anyQuestion, func(context.Context, question) answer { return answer{} }); a.err != nil {
			t.Errorf("the next caller got the answer of the flight that was cut: %v", a.err)
		}
	})
}

func TestKeptUntilExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c cache
		asked := 0
		ask := func(context.Context, question) answer { asked++; return answer{ttl: time.Minute} }
		for _, step := range []struct {
			wait time.Duration
			want int
		}{{0, 1}, {time.Minute - 1, 1}, {1, 2}, {time.Second, 2}} {
			time.Sleep(step.wait)
			c.get(t.Context(), anyQuestion, ask)
			if asked != step.want {
				t.Errorf("after %s more: asked %d times, want %d", step.wait, asked, step.want)
			}
		}
	})
}

func TestSizeIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c cache
		fill := func(from, to int, ttl time.Duration) {
			for i := from; i < to; i++ {
				c.keep(question{fmt.Sprint(i), dnsmessage.TypeA}, answer{ttl: ttl})
			}
		}
		fill(0, 3*cacheSize, time.Minute)
		if len(c.kept) != cacheSize {
			t.Errorf("%d entries, want %d", len(c.kept), cacheSize)
		}
		time.Sleep(time.Minute)
		fill(0, 1, time.Minute)
		if len(c.kept) != 1 {
			t.Errorf("%d entries after all but one expired", len(c.kept))
		}
	})
}
