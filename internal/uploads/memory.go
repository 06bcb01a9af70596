// SPDX-License-Identifier: Apache-2.0

package uploads

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"strings"
	"time"
)

// AccountID stands for the directory of one account: equal for the same directory name as long as this process lives,
// meaningless elsewhere, and no way back to the name.
type AccountID uint64

// seed makes AccountIDs differ from process to process.
var seed = maphash.MakeSeed()

// IDOf is the AccountID of a directory's name.
func IDOf(name string) AccountID { return AccountID(maphash.String(seed, name)) }

// below hashes a name in a directory whose own path has the hash above. The files of one account are few enough for 32 bits.
func below(above uint32, name string) uint32 {
	return above*0x01000193 ^ uint32(maphash.String(seed, name))
}

// entry is a file as it is remembered: a hash of its path (4 bytes), its time (5) and its size (5), in big endian order.
type entry [14]byte

const (
	pathSize = 4
	epoch    = 1 << 39 // added to times, so that those before 1970 sort before the others
	maxSize  = 1<<40 - 1
)

func entryOf(path uint32, f File) (e entry) {
	var low [8]byte
	binary.BigEndian.PutUint32(e[:pathSize], path)
	binary.BigEndian.PutUint64(low[:], uint64(f.Modified+epoch))
	copy(e[4:9], low[3:])
	binary.BigEndian.PutUint64(low[:], uint64(min(f.Size, maxSize)))
	copy(e[9:], low[3:])
	return e
}

func (e entry) file() File {
	high, middle := binary.BigEndian.Uint64(e[4:12]), binary.BigEndian.Uint64(e[6:14])
	return File{Size: int64(middle & maxSize), Modified: int64(high>>24) - epoch}
}

func (e entry) compare(other entry) int { return bytes.Compare(e[:], other[:]) }

// entries are those of one account, sorted, one after the other. A slice of them would make each account take half as much again.
type entries string

func pack(sorted []entry) entries {
	var b strings.Builder
	b.Grow(len(sorted) * len(entry{}))
	for _, e := range sorted {
		b.Write(e[:])
	}
	return entries(b.String())
}

// next cuts the first one off.
func (e entries) next() (first entry, rest entries) {
	n := copy(first[:], e)
	return first, e[n:]
}

// equal tells whether they are the same as unpacked ones.
func (e entries) equal(sorted []entry) bool {
	if len(e) != len(sorted)*len(entry{}) {
		return false
	}
	for _, other := range sorted {
		var one entry
		if one, e = e.next(); one != other {
			return false
		}
	}
	return true
}

// account is one account's directory as it is remembered.
type account struct {
	files    entries
	modified int64  // of the directory, Unix time in nanoseconds
	walk     uint32 // the last that saw it
	// restless: it may change without its directory's time being moved, because one of its upload directories holds more or less
	// than one file (thumbnails, an upload just begun), or because it or a file of it changed within the last hour.
	restless bool
	// blind: it could not be read, so what is found later is not new.
	blind bool
}

// show unpacks an account; the files are put into a slice that is used again.
func (a *account) show(id AccountID, files *[]File) Account {
	shown := Account{ID: id, Files: (*files)[:0]}
	for left := a.files; len(left) > 0; {
		var e entry
		e, left = left.next()
		f := e.file()
		shown.Bytes += f.Size
		shown.Files = append(shown.Files, f)
	}
	*files = shown.Files
	return shown
}

// memory is what remains of the last successful walk.
type memory struct {
	accounts map[AccountID]*account // not written to while a walk reads
	walks    uint32                 // begun
	full     time.Time              // the last walk that read every account
	device   uint64                 // of the document root
	started  bool                   // there is something to compare with
}

// sighting is what a walk under way saw: it is forgotten if the walk fails.
type sighting struct {
	walk uint32
	met  int    // accounts that were known
	news []news // after a first walk, that is all of them
}

// news is an account to be remembered anew.
type news struct {
	id      AccountID
	account *account
}

func (m *memory) look() *sighting {
	m.walks++
	return &sighting{walk: m.walks}
}

func (s *sighting) add(f found) {
	if f.known != nil {
		s.met++
		f.known.walk = s.walk
	}
	switch {
	case f.errors > 0: // what was known is compared with the next sight; what is shown now is incomplete
		last := account{blind: true}
		if f.known != nil {
			last = *f.known
		}
		last.restless = true
		f.account = &last
	case f.account == f.known:
		return
	}
	f.account.walk = s.walk
	s.news = append(s.news, news{f.id, f.account})
}
