// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"bytes"
	"testing"
)

// TestAPanicIsThatOfWhoWaits: others finish first, and the value is shown to nobody.
func TestAPanicIsThatOfWhoWaits(t *testing.T) {
	var parts group
	finished := false
	var crash *Crash
	func() {
		defer func() { crash, _ = recover().(*Crash) }()
		parts.Go(func() { panic("romeo@example.org") })
		parts.Go(func() { finished = true })
		parts.Wait()
	}()
	if crash == nil || !finished {
		t.Fatalf("%v, others finished: %v", crash, finished)
	}
	if !bytes.Contains(crash.Stack, []byte("group_test.go")) || bytes.Contains(crash.Stack, []byte("romeo")) {
		t.Errorf("it says\n%s", crash.Stack)
	}
}
