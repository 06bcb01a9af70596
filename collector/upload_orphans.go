// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"
	"context"
	"crypto/sha1" // it is what ejabberd names directories with
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/chapril/ejabberd_exporter/internal/database"
	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/uploads"
)

var (
	uploadOrphans     = orphanGauge("ejabberd_upload_orphan_accounts", "Accounts that no longer exist and whose uploaded files are still there")
	uploadOrphanBytes = orphanGauge("ejabberd_upload_orphan_bytes", "Size of the files of accounts that no longer exist")
)

func orphanGauge(name, help string) *metric.Metric {
	m := uploadGauge(name, help)
	m.Source = "upload directory, PostgreSQL users"
	return m
}

// UploadOrphans looks for directories of accounts that are gone. The accounts' names pass through memory once and are hashed
// there as ejabberd does; nothing leads from a directory back to a name.
var UploadOrphans = Definition{
	Name: "upload_orphans", Source: Uploads, Refresh: 6 * time.Hour, Disabled: true,
	Help:    "Uploaded files of accounts that no longer exist",
	Columns: map[string][]string{"users": {"username", "server_host"}},
	Metrics: []*metric.Metric{uploadOrphans, uploadOrphanBytes},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		if len(src.UploadStores) == 0 {
			return src.absent(errNoUploads)
		}
		var owned []*ownedStore
		for _, store := range src.UploadStores {
			if !slices.ContainsFunc(store.of, func(u ejabberdconf.Upload) bool { return !src.hasAccounts(u.Vhost) }) {
				owned = append(owned, &ownedStore{UploadStore: store, bytes: map[uploads.AccountID]int64{}})
			}
		}
		if len(owned) == 0 {
			return src.absent(fmt.Errorf("%w: no vhost keeps both accounts in PostgreSQL and uploaded files", ErrOff))
		}
		// The directories first: the files of an account registered meanwhile are no orphans.
		for _, store := range owned {
			if err := store.list(ctx); err != nil {
				return err
			}
		}
		if err := src.refresh(ctx, func(ctx context.Context, db *database.Conn) error { return claim(ctx, db, owned) }); err != nil {
			return err
		}
		for _, store := range owned {
			store.tell(out)
		}
		return nil
	},
}

// ownedStore is an upload directory whose accounts are all in a database.
type ownedStore struct {
	*UploadStore
	bytes map[uploads.AccountID]int64 // of the directories that nobody has claimed yet
	asked int                         // vhosts whose accounts were read
}

func (s *ownedStore) list(ctx context.Context) error {
	_, err := s.walk(ctx, time.Now(), func(a uploads.Account) { s.bytes[a.ID] = a.Bytes })
	return err
}

func (s *ownedStore) tell(out *metric.Set) {
	if s.asked < len(s.of) {
		return // a table of accounts is missing
	}
	out.Add(uploadOrphans, float64(len(s.bytes)), s.vhost)
	out.Add(uploadOrphanBytes, 0, s.vhost)
	for _, bytes := range s.bytes {
		out.Add(uploadOrphanBytes, float64(bytes), s.vhost)
	}
}

// claim reads the accounts of one database and takes their directories out of the stores.
func claim(ctx context.Context, db *database.Conn, stores []*ownedStore) error {
	if !db.Schema.Has("users") {
		return nil
	}
	homes := map[string]home{}
	for _, store := range stores {
		for _, u := range store.of {
			// The hash is of the vhost as ejabberd writes it, in Unicode; the old schema does not tell that.
			known := db.Schema.MultiHost || !strings.Contains(u.Vhost, "xn--")
			if known && slices.Contains(db.Target.Vhosts, u.Vhost) {
				homes[u.Vhost] = home{store, u.JIDInURL}
				store.asked++
			}
		}
	}
	rows, err := db.Query(ctx, `SELECT `+db.HostColumn()+`, username FROM users`)
	if err != nil {
		return err
	}
	defer rows.Close()
	host, vhosts := "", db.Target.Vhosts // a row of the old schema stands for the accounts of that name on all of them
	for rows.Next() {                    //nolint:forbidigo // a million rows without a copy of each; Err is asked below
		row := rows.RawValues() // text
		if db.Schema.MultiHost && string(row[0]) != host {
			host = string(row[0])
			vhosts = []string{db.VhostLabel(host)}
		}
		for _, vhost := range vhosts {
			if home, ours := homes[vhost]; ours {
				delete(home.store.bytes, uploads.IDOf(uploadDirectory(string(row[1]), cmp.Or(host, vhost), home.jidInURL)))
			}
		}
	}
	return rows.Err()
}

// home is where the directories of a vhost's accounts lie, and how they are named.
type home struct {
	store    *ownedStore
	jidInURL string
}

// uploadDirectory is how ejabberd names the directory of an account.
func uploadDirectory(user, host, jidInURL string) string {
	if jidInURL == "node" {
		return strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsNumber(r) || strings.ContainsRune("_.-", r) {
				return r
			}
			return '_'
		}, user)
	}
	hash := sha1.Sum([]byte(user + "@" + host))
	return hex.EncodeToString(hash[:])
}
