// SPDX-License-Identifier: Apache-2.0

package guard

import (
	"errors"
	"strings"
	"testing"
)

func TestAPanicSaysWhereAndNothingOfWhat(t *testing.T) {
	err := Run(func() error { panic("juliet@chapril.test") })
	if err == nil || !strings.HasPrefix(err.Error(), "panic at guard.TestAPanicSaysWhereAndNothingOfWhat") || strings.Contains(err.Error(), "juliet") {
		t.Errorf("got %v", err)
	}
	var nobody map[string]int
	if err := Run(func() error { nobody["a"]++; return nil }); err == nil || !strings.HasPrefix(err.Error(), "panic at guard.Test") {
		t.Errorf("a panic of the runtime's: %v", err)
	}
}

func TestErrorsPass(t *testing.T) {
	failure := errors.New("failed")
	for _, want := range []error{nil, failure} {
		if got := Run(func() error { return want }); !errors.Is(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}
