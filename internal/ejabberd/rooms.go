// SPDX-License-Identifier: Apache-2.0

package ejabberd

import (
	"bytes"
	"context"
	"io"
)

// allServices is the name that the room commands take for all services together.
const allServices = "global"

// OnlineRooms tells the service (conference.example.org, in ASCII form) of every room that is alive in the cluster, as it
// arrives; the room's own name is dropped at once. After an error what was told is incomplete. It needs a permission of its own,
// because the answer names every room, and the module mod_muc_admin. Where rooms are kept in SQL (ram_db_type of mod_muc) it
// would be a query of ejabberd's database: do not call it there.
func (c *Client) OnlineRooms(ctx context.Context, each func(service string)) error {
	return c.stream(ctx, onlineRooms, func(r io.Reader) error { return readRooms(r, each) })
}

// RoomCount returns how many rooms are alive in the cluster, without naming them; from 26.01.
func (c *Client) RoomCount(ctx context.Context) (int, error) {
	return c.number(ctx, onlineRoomsCount, "")
}

// readRooms reads the answer of muc_online_rooms: ["room@service", …].
func readRooms(r io.Reader, each func(service string)) error {
	s, services := newScanner(r), vhostNames()
	err := s.array(func() error {
		jid, err := s.text()
		if err != nil {
			return err
		}
		_, service, ok := bytes.Cut(jid, []byte{'@'})
		if !ok || len(service) == 0 {
			return errShape
		}
		each(services.of(service))
		return nil
	})
	if err != nil {
		return err
	}
	return s.end()
}
