// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestADirectoryThatHangs: a file server that is gone must not keep anybody from knowing the rest, and is not asked a second time.
func TestADirectoryThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		back := make(chan struct{})
		var asked atomic.Int32
		r := &reader{look: func(string) *bool { asked.Add(1); <-back; return nil }}
		began := time.Now()
		if r.listable("/a") != nil || r.listable("/b") != nil {
			t.Error("said something of what could not be seen")
		}
		if asked.Load() != 1 || time.Since(began) != patience {
			t.Errorf("looked %d times, within %s", asked.Load(), time.Since(began))
		}
		close(back)
	})
}
