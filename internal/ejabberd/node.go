// SPDX-License-Identifier: Apache-2.0

package ejabberd

import (
	"context"
	"io"
	"time"
)

// fresh is how long what hardly ever changes is served from memory, and as long again while others have the turn.
const fresh = 5 * time.Minute

// cached is a value with its age. The slot of its command guards it.
type cached[T any] struct {
	value T
	read  time.Time
}

// get serves the value while it is fresh, otherwise it fetches a new one in its turn.
func (c *cached[T]) get(turn func() bool, fetch func() (T, error)) (T, error) {
	if age := time.Since(c.read); !c.read.IsZero() && (age < fresh || age < 2*fresh && !turn()) {
		return c.value, nil
	}
	value, err := fetch()
	if err != nil {
		var none T
		return none, err
	}
	c.value, c.read = value, time.Now()
	return value, nil
}

// Status returns ejabberd's version ("23.01-1") and the node's name after the "@". It is asked every 5 minutes at most, and after 10 at
// the latest.
func (c *Client) Status(ctx context.Context) (version, node string, err error) {
	release, err := c.take(ctx, status)
	if err != nil {
		return "", "", err
	}
	defer release()
	s, err := c.status.get(c.Turn, func() (s nodeStatus, err error) {
		err = c.call(ctx, status, "", func(r io.Reader) error {
			s, err = readStatus(r)
			return err
		})
		return s, err
	})
	return s.version, s.node, err
}

// Vhosts returns the vhosts that ejabberd serves, in ASCII form and its own order. They are asked every 5 minutes at most, and
// after 10 at the latest.
func (c *Client) Vhosts(ctx context.Context) ([]string, error) {
	vhosts, err := c.servedVhosts(ctx)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(vhosts))
	for i, v := range vhosts {
		names[i] = v.ascii
	}
	return names, nil
}

func (c *Client) servedVhosts(ctx context.Context) ([]servedVhost, error) {
	release, err := c.take(ctx, registeredVhosts)
	if err != nil {
		return nil, err
	}
	defer release()
	return c.vhosts.get(c.Turn, func() (vhosts []servedVhost, err error) {
		err = c.call(ctx, registeredVhosts, "", func(r io.Reader) error {
			vhosts, err = readVhosts(r)
			return err
		})
		return vhosts, err
	})
}

// Uptime returns for how many seconds the node has been up.
func (c *Client) Uptime(ctx context.Context) (seconds int, err error) {
	return c.number(ctx, uptimeSeconds, "")
}

// Processes returns the number of Erlang processes of the node.
func (c *Client) Processes(ctx context.Context) (int, error) { return c.number(ctx, processes, "") }

// S2S returns the number of s2s connections of the node. Outgoing ones include those that still try, or failed; incoming ones
// every TCP connection to the s2s port. 0 can be an error inside ejabberd, which nobody can tell from outside.
func (c *Client) S2S(ctx context.Context) (in, out int, err error) {
	in, err = c.number(ctx, incomingS2S, "")
	if err != nil {
		return 0, 0, err
	}
	out, err = c.number(ctx, outgoingS2S, "")
	if err != nil {
		return 0, 0, err
	}
	return in, out, nil
}

// number calls a command that answers with a number; host is only for those that take one.
func (c *Client) number(ctx context.Context, cmd command, host string) (n int, err error) {
	release, err := c.take(ctx, cmd)
	if err != nil {
		return 0, err
	}
	defer release()
	err = c.call(ctx, cmd, host, func(r io.Reader) error {
		n, err = readNumber(r, specs[cmd].key)
		return err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}
