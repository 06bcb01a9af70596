// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"os"
	"testing"
)

// ofTheLog is what happens to ejabberd.log.
var ofTheLog = []fault{
	{
		name: "the log is rotated",
		begin: func(t *testing.T, s *stage) (end func()) {
			must(t, os.Rename(s.Ejabberd.LogPath(), s.Ejabberd.LogPath()+".0"))
			return func() { must(t, os.WriteFile(s.Ejabberd.LogPath(), nil, 0o644)) }
		},
	},
	{
		name: "the log is truncated", quick: true,
		begin: func(t *testing.T, s *stage) (end func()) {
			must(t, os.Truncate(s.Ejabberd.LogPath(), 0))
			return func() {}
		},
	},
	{
		name: "the log is deleted",
		begin: func(t *testing.T, s *stage) (end func()) {
			must(t, os.Remove(s.Ejabberd.LogPath()))
			return func() { must(t, os.WriteFile(s.Ejabberd.LogPath(), nil, 0o644)) }
		},
	},
}
