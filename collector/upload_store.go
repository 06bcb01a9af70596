// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/uploads"
)

// UploadStore is one upload directory. Vhosts that share one are joined, since their files can't be told apart without the
// accounts' names; what they do not agree on is unknown.
type UploadStore struct {
	vhost   string // label
	docroot string
	limits  uploads.Limits
	of      []ejabberdconf.Upload // one at least
	memory  *uploadMemory

	quotasDiffer bool // and are unknown for that
}

// uploadMemory is what is known of a directory from one walk to the next.
type uploadMemory struct {
	walker *uploads.Walker

	mu           sync.Mutex // for what follows: since the first walk
	seen         bool       // the directory was there
	expired      float64    // files past their time, as UploadTree last found them
	oldest       int64      // Unix time of the oldest file; 0: there is none
	told         bool       // UploadTree has walked, and nothing went wrong
	missing      bool       // it found no directory, where none was before
	added        amount
	removed      map[uploads.Reason]amount
	evictedAfter *metric.Tally
}

type amount struct{ files, bytes float64 }

// UploadStores makes the stores of what is configured. Directories that an earlier discovery knew keep their memory.
func UploadStores(configured []ejabberdconf.Upload, earlier []*UploadStore) []*UploadStore {
	var stores []*UploadStore
	for _, u := range configured {
		limits := uploads.Limits{SoftQuota: u.SoftQuota, HardQuota: u.HardQuota, MaxSize: u.MaxSize, Retention: u.Retention}
		there := func(s *UploadStore) bool { return s.docroot == u.Docroot }
		if i := slices.IndexFunc(stores, there); i >= 0 {
			stores[i].join(u, limits)
			continue
		}
		store := &UploadStore{vhost: u.Vhost, docroot: u.Docroot, limits: limits, of: []ejabberdconf.Upload{u}}
		if i := slices.IndexFunc(earlier, there); i >= 0 {
			store.memory = earlier[i].memory
		} else {
			store.memory = &uploadMemory{
				walker: uploads.New(u.Docroot), removed: map[uploads.Reason]amount{}, evictedAfter: metric.NewTally(uploadEvictedAge),
			}
		}
		stores = append(stores, store)
	}
	return stores
}

func (s *UploadStore) join(u ejabberdconf.Upload, l uploads.Limits) {
	s.vhost = metric.Shared
	s.of = append(s.of, u)
	s.quotasDiffer = s.quotasDiffer || s.limits.SoftQuota != l.SoftQuota || s.limits.HardQuota != l.HardQuota
	s.limits.SoftQuota = agreed(s.limits.SoftQuota, l.SoftQuota)
	s.limits.HardQuota = agreed(s.limits.HardQuota, l.HardQuota)
	s.limits.MaxSize = agreed(s.limits.MaxSize, l.MaxSize)
	// A vhost's sweep deletes whatever lies in the directory, also of the others.
	if s.limits.Retention == 0 || l.Retention > 0 && l.Retention < s.limits.Retention {
		s.limits.Retention = l.Retention
	}
}

func agreed(a, b int64) int64 {
	if a == b {
		return a
	}
	return 0
}

// walk visits every account, and adds up what came and went since the last walk, whoever walked then.
func (s *UploadStore) walk(ctx context.Context, now time.Time, visit func(uploads.Account)) (uploads.Stats, error) {
	if err := uploads.Mounted(s.docroot); err != nil {
		return uploads.Stats{}, err
	}
	stats, err := s.memory.walker.Walk(ctx, s.limits, visit)
	if err != nil {
		return stats, err
	}
	s.memory.add(stats.Changes, now)
	return stats, nil
}

// eachStore tells every store. A vhost's directory is made with the first upload there: one that was never seen is left out as
// long as another can be told. Where none can, or one is gone again, that is the collector's error.
func eachStore(src *Sources, tell func(*UploadStore) error) error {
	var missing error
	told := false
	for _, store := range src.UploadStores {
		switch err := tell(store); {
		case err == nil:
			told = true
		case errors.Is(err, fs.ErrNotExist) && !store.memory.wasSeen():
			missing = err
		default:
			return err
		}
	}
	if told {
		return nil
	}
	return missing
}

func (m *uploadMemory) wasSeen() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.seen
}

// keep remembers what UploadTree found, for those that ask between two walks.
func (m *uploadMemory) keep(expired float64, oldest int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expired, m.oldest, m.told, m.missing = expired, oldest, true, false
}

// forget makes it unknown what there is.
func (m *uploadMemory) forget(why error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expired, m.oldest, m.told = 0, 0, false
	m.missing = errors.Is(why, fs.ErrNotExist) && !m.seen
}

func (m *uploadMemory) lately() (expired float64, oldest int64, told, missing bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.expired, m.oldest, m.told, m.missing
}

// walked is what UploadTree last found in each of the stores that there are; false where that is not all, or nothing: directories that
// are missing, all of them, may as well be gone.
func (s *Sources) walked() (found []lately, all bool) {
	for _, store := range s.UploadStores {
		switch expired, oldest, told, missing := store.memory.lately(); {
		case told:
			found = append(found, lately{store, expired, oldest})
		case !missing:
			return nil, false
		}
	}
	return found, len(found) > 0
}

// lately is what UploadTree last found in one.
type lately struct {
	*UploadStore
	expired float64
	oldest  int64
}

func (m *uploadMemory) add(changes *uploads.Changes, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen = true
	if changes == nil { // nothing to compare with
		return
	}
	m.added.files += float64(changes.AddedFiles)
	m.added.bytes += float64(changes.AddedBytes)
	lose := func(reason uploads.Reason, files, bytes float64) {
		before := m.removed[reason]
		m.removed[reason] = amount{before.files + files, before.bytes + bytes}
	}
	lose(uploads.Unknown, 0, float64(changes.ShrunkBytes))
	for _, r := range changes.Removed {
		lose(r.Reason, 1, float64(r.Size))
		if r.Reason == uploads.Quota {
			m.evictedAfter.Observe(float64(max(0, now.Unix()-r.Modified)))
		}
	}
}

// tell adds the counters to a Set.
func (m *uploadMemory) tell(out *metric.Set, vhost string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out.Add(uploadAddedFiles, m.added.files, vhost)
	out.Add(uploadAddedBytes, m.added.bytes, vhost)
	for _, reason := range []uploads.Reason{uploads.Expired, uploads.Quota, uploads.Unregistered, uploads.Unknown} {
		out.Add(uploadRemovedFiles, m.removed[reason].files, vhost, string(reason))
		out.Add(uploadRemovedBytes, m.removed[reason].bytes, vhost, string(reason))
	}
	out.AddTally(m.evictedAfter, vhost)
}
