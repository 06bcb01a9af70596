// SPDX-License-Identifier: Apache-2.0

package ejabberd

import (
	"sync"
	"time"
)

// turnLasts is as long as what a scrape has read is served to others.
const turnLasts = 10 * time.Second

// pace spreads what is asked rarely.
type pace struct {
	mu   sync.Mutex
	next time.Time // when the present turn ends
}

// Turn gives a turn to one of those who ask something rarely, every minute or every five, and none to others for ten seconds. So each
// scrape finds ejabberd with about the same to do, instead of one in several with everything at once. Who cannot wait any longer asks
// without a turn.
func (c *Client) Turn() bool {
	c.pace.mu.Lock()
	defer c.pace.mu.Unlock()
	now := time.Now()
	if now.Before(c.pace.next) {
		return false
	}
	c.pace.next = now.Add(turnLasts)
	return true
}
