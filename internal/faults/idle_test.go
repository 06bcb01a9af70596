// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"testing"
	"time"
)

// nobodyScrapes: when the last run has ended, a fault that lasts brings no further question to anybody, though what failed is due
// again: the exporter works for those who look.
func nobodyScrapes(t *testing.T, s *stage) {
	end := locked(t, s)
	defer end()
	newcomer := s.launch(t, "--ejabberd.url="+s.relay.url)
	s.scrape(t, newcomer, "/metrics")
	<-time.After(lasts) // longer than any run of what is read at a scrape
	calls, _ := s.relay.count()
	_, last, ok := activity(t, s.Postgres.AdminURL(s.Database.Name))
	if !ok || last.IsZero() || calls == 0 {
		t.Fatal("nothing was asked at all: this proves nothing")
	}
	<-time.After(retry + 5*time.Second)
	now, _ := s.relay.count()
	_, later, ok := activity(t, s.Postgres.AdminURL(s.Database.Name))
	if now != calls || !ok || !later.Equal(last) {
		t.Errorf("nobody scrapes, but the API was called %d times more, and PostgreSQL asked at %v after %v", now-calls, later, last)
	}
}
