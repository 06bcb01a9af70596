// SPDX-License-Identifier: Apache-2.0

package uploads

import "time"

// Reason is why a file is gone, as far as can be told.
type Reason string

// The reasons. What ejabberd deletes and why was read in mod_http_upload_quota and tried on servers:
//
//   - A sweep, daily, deletes the files that are older than the retention, and then the directories left empty, the account's
//     included. So a file that could have been swept has Expired, whatever happened to its account.
//   - Without the sweep, the account's directory goes when the account is unregistered (rm_on_unregister). That is Unregistered.
//   - When an account asks for a slot and what it stores plus the slot would exceed the hard quota, its files are kept from the
//     newest on while they and the slot fit into the soft quota; all older ones are deleted. It is Quota when all of that fits:
//     none of the deleted files is newer than one that stayed, what stayed fits into the soft quota, and a slot of what was
//     uploaded since, or of at most max_size where it was not used yet, is large enough for both rules to strike. Without
//     max_size only what was uploaded counts.
//   - The quota also deletes a whole directory, if the slot and the newest file alone exceed the soft quota. So where that may have
//     been, a directory that is gone is Unknown.
//   - Everything else is Unknown: files deleted by hand, by other rules than those for all.
const (
	Expired      Reason = "expired"
	Quota        Reason = "quota"
	Unregistered Reason = "account"
	Unknown      Reason = "unknown"
)

// Limits are what ejabberd's configuration promises; 0 is no limit.
type Limits struct {
	SoftQuota, HardQuota int64 // bytes an account
	MaxSize              int64 // bytes of one slot
	Retention            time.Duration
}

// event is what happened to one account between two walks, in bytes.
type event struct {
	directoryGone         bool
	before, stayed, added int64
	oldestStayed          int64 // Unix time of the oldest file that stayed
}

// explain tells why files of one account are gone.
func (l Limits) explain(gone []File, e event, now time.Time) []Removal {
	removals := make([]Removal, len(gone))
	newest := File{Modified: -epoch}
	for i, f := range gone {
		removals[i] = Removal{File: f, Reason: Expired}
		if l.Retention > 0 && time.Unix(f.Modified, 0).Add(l.Retention).Before(now) {
			continue
		}
		removals[i].Reason = Unknown
		if f.Modified > newest.Modified {
			newest = f
		}
	}
	reason := Unknown
	switch evicted := l.evicts(newest, e); {
	case evicted && !e.directoryGone:
		reason = Quota
	case !evicted && e.directoryGone:
		reason = Unregistered
	}
	for i := range removals {
		if removals[i].Reason == Unknown {
			removals[i].Reason = reason
		}
	}
	return removals
}

// evicts tells whether the quota may have deleted the file and all that are older.
func (l Limits) evicts(newest File, e event) bool {
	soft, hard := l.Quota()
	slot := e.added + l.MaxSize
	return hard > 0 &&
		newest.Modified <= e.oldestStayed &&
		e.stayed <= soft &&
		e.before+slot > hard &&
		e.stayed+newest.Size+slot > soft
}

// Quota is as ejabberd understands it: one of the two alone stands for both, and so does a soft one above the hard one.
func (l Limits) Quota() (soft, hard int64) {
	switch {
	case l.HardQuota == 0 || l.SoftQuota > l.HardQuota:
		return l.SoftQuota, l.SoftQuota
	case l.SoftQuota == 0:
		return l.HardQuota, l.HardQuota
	}
	return l.SoftQuota, l.HardQuota
}
