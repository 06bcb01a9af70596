// SPDX-License-Identifier: Apache-2.0

package ejabberd

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Count is how often a command was called and how long that took in all.
type Count struct {
	Command string
	Code    string // HTTP status, "timeout" or "error"
	N       int
	Seconds float64
}

// journal remembers how calls ended.
type journal struct {
	mu     sync.Mutex
	counts map[[2]string]*Count // by command and code
	up     bool
	known  bool
}

func (j *journal) add(s *spec, a answer, err error, took time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()

	code := strconv.Itoa(a.status)
	switch {
	case errors.Is(err, ErrTimeout):
		code = "timeout"
	case a.broken:
		code = "error"
	}
	key := [2]string{s.name, code}
	if j.counts == nil {
		j.counts = map[[2]string]*Count{}
	}
	if j.counts[key] == nil {
		j.counts[key] = &Count{Command: s.name, Code: code}
	}
	j.counts[key].N++
	j.counts[key].Seconds += took.Seconds()

	switch {
	case errors.Is(err, context.Canceled): // we did not wait: nothing learnt
	case s.list && errors.Is(err, ErrTimeout): // long lists are slow on servers that are well
	default:
		j.up, j.known = a.byEjabberd(), true
	}
}

// byEjabberd tells whether ejabberd itself answered, be it to refuse. Redirects, 429, 502, 503, 504 and the like come from
// proxies, and so does a 200 with a page for people.
func (a answer) byEjabberd() bool {
	switch a.status {
	case http.StatusOK:
		return !a.html
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict,
		http.StatusInternalServerError:
		return true
	}
	return false
}

// Up tells whether ejabberd answered the last call, be it with a refusal; known is false before the first call has ended.
func (c *Client) Up() (up, known bool) {
	c.journal.mu.Lock()
	defer c.journal.mu.Unlock()
	return c.journal.up, c.journal.known
}

// Requests returns the counts since the start, sorted by command and code.
func (c *Client) Requests() []Count {
	c.journal.mu.Lock()
	defer c.journal.mu.Unlock()
	all := make([]Count, 0, len(c.journal.counts))
	for _, n := range c.journal.counts {
		all = append(all, *n)
	}
	slices.SortFunc(all, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Command, b.Command), cmp.Compare(a.Code, b.Code))
	})
	return all
}
