// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"io/fs"
	"strconv"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/database"
	"github.com/chapril/ejabberd_exporter/internal/logfile"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// KeptStores are the places where a service keeps what is somebody's.
var KeptStores = []string{"archive", "offline", "uploads", "last_activity", "log"}

// OldestTime is one metric for all of them, since that is how a promise is made: nothing is kept longer than.
var OldestTime = &metric.Metric{
	Name: "ejabberd_oldest_data_timestamp_seconds", Source: "PostgreSQL, upload directory, ejabberd.log and what it was rotated into", Fold: metric.Min, Refreshed: true,
	Labels: []metric.Label{metric.OneOf("store", KeptStores...)},
	Help:   "When the oldest of what is kept was written, over all vhosts; absent where nothing is kept, or where it cannot be told",
}

// OldestData tells how far back data goes, to be compared with what people were promised.
var OldestData = Definition{
	Name: "oldest", Source: Database, Refresh: time.Hour, After: &UploadTree,
	Help: "How far back what is kept of people goes",
	Columns: Columns([]Definition{
		Archive, Offline, {Columns: map[string][]string{"last": {"server_host", "seconds"}}},
	}),
	Metrics: []*metric.Metric{OldestTime},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		if src.Databases == nil { // then it would be told of files and logs alone, and look complete
			return src.absent(errNoSQL)
		}
		src.oldestUpload(out)
		return errors.Join(
			src.oldestOf(ctx, Archive, archiveOldest, "archive", "mod_mam", out),
			src.oldestOf(ctx, Offline, offlineOldest, "offline", "mod_offline", out),
			src.oldestActivity(ctx, out),
			src.oldestLine(out),
		)
	},
}

// oldestUpload is what the last walk saw, if it saw all of the directories.
func (s *Sources) oldestUpload(out *metric.Set) {
	found, _ := s.walked()
	for _, store := range found {
		if store.oldest > 0 {
			out.Add(OldestTime, float64(store.oldest), "uploads")
		}
	}
}

// Elsewhere tells whether a vhost keeps what a module stores somewhere that nobody looks at.
func (s *Sources) Elsewhere(module string) bool {
	return s.Config != nil && len(s.Config.Elsewhere[module]) > 0
}

// oldestOf takes the oldest over all vhosts from what another collector tells, where it tells of all.
func (s *Sources) oldestOf(ctx context.Context, d Definition, m *metric.Metric, store, module string, out *metric.Set) error {
	if s.Elsewhere(module) {
		return nil
	}
	set, err := taste(ctx, s, d)
	if err != nil {
		return err
	}
	for _, sample := range set.All() {
		if sample.Metric == m {
			out.Add(OldestTime, sample.Value, store)
		}
	}
	return nil
}

// oldestActivity is when the account was last seen that was not seen for longest. ejabberd writes the seconds as a text of ten digits.
func (s *Sources) oldestActivity(ctx context.Context, out *metric.Set) error {
	if s.Elsewhere("mod_last") {
		return nil
	}
	err := s.inSQL(ctx, "mod_last", "last", func(ctx context.Context, db *database.Conn) error {
		var oldest *string
		if err := db.QueryRow(ctx, `SELECT min(seconds) FROM last WHERE length(seconds) = 10`).Scan(&oldest); err != nil || oldest == nil {
			return err
		}
		seconds, err := strconv.ParseInt(*oldest, 10, 64)
		if err != nil {
			return errors.New("last.seconds is not a number")
		}
		out.Add(OldestTime, float64(seconds), "last_activity")
		return nil
	})
	if IsOff(err) {
		return nil
	}
	return err
}

// oldestLine leaves out a log that may not be read, or is not there: the collector of the log tells what to do. One that was
// rotated into files that nobody here unpacks is left out too.
func (s *Sources) oldestLine(out *metric.Set) error {
	if s.LogPath == "" || s.Config == nil {
		return nil
	}
	oldest, err := logfile.Oldest(s.LogPath)
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist), errors.Is(err, logfile.ErrPacked):
		return nil
	case err != nil:
		return err
	case !oldest.IsZero():
		out.Add(OldestTime, float64(oldest.Unix()), "log")
	}
	return nil
}
