// SPDX-License-Identifier: Apache-2.0

package service

import (
	"os"
	"slices"
	"testing"
	"time"
)

func TestStart(t *testing.T) {
	start := time.Now()
	s := ForTest(t, Everything())
	t.Log(time.Since(start))
	var hosts []string
	if err := s.Ejabberd.Call(t.Context(), "registered_vhosts", nil, &hosts); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(hosts, s.Domains) {
		t.Errorf("ejabberd serves %v, want %v", hosts, s.Domains)
	}
	for _, call := range []string{"connected_users_number", "incoming_s2s_number", "outgoing_s2s_number", "connected_users_info"} {
		var x any
		err := s.Ejabberd.Call(t.Context(), call, nil, &x)
		t.Log(call, x, err)
	}
	s.Stop()
	if _, err := os.Stat(s.Dir); !os.IsNotExist(err) {
		t.Errorf("the directory is still there after Stop: %v", err)
	}
}
