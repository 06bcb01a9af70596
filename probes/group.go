// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// group runs parts of a probe at the same time. What panics in one of them panics in who waits for them: there /probe and plugins make an
// answer of it. In a goroutine of its own it would end the program, all other probes with it, and print what it was about.
type group struct {
	running sync.WaitGroup
	crash   atomic.Pointer[Crash]
}

// Crash is the value of a panic that began in another goroutine: where it was, and nothing of what.
type Crash struct{ Stack []byte }

// Go runs a part.
func (g *group) Go(part func()) {
	g.running.Go(func() {
		defer func() {
			if recover() != nil {
				g.crash.Store(&Crash{debug.Stack()})
			}
		}()
		part()
	})
}

// Wait waits for all of them.
func (g *group) Wait() {
	g.running.Wait()
	if crash := g.crash.Load(); crash != nil {
		panic(crash)
	}
}
