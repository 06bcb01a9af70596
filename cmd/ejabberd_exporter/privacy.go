// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/discovery"
	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/privacy"
)

// promises are how long each store may be kept, as people were told: STORE=DURATION.
type promises map[string]time.Duration

func (p *promises) String() string     { return "" }
func (p *promises) IsCumulative() bool { return true }
func (p *promises) Set(v string) error {
	store, text, _ := strings.Cut(v, "=")
	if !slices.Contains(collector.KeptStores, store) {
		return fmt.Errorf("write STORE=DURATION, with one of the stores %s", strings.Join(collector.KeptStores, ", "))
	}
	var d days
	if err := d.Set(text); err != nil {
		return err
	}
	if *p == nil {
		*p = promises{}
	}
	(*p)[store] = time.Duration(d)
	return nil
}

// privacyReport writes the page. What cannot be read is said to be unknown: it fails only where nothing is known at all.
func (s *settings) privacyReport(ctx context.Context, found *discovery.Found, out io.Writer) (int, error) {
	if found.Sources.Blocked != nil {
		return exitNothing, found.Sources.Blocked
	}
	if found.ProbeOnly {
		return exitNothing, fmt.Errorf("no ejabberd on this host: run it there, or name its configuration with --ejabberd.config")
	}
	set := metric.NewSet(found.Sources.Bounds)
	// The uploads first: how old they are is known when they have been walked over.
	for _, d := range []collector.Definition{
		collector.UploadTree, collector.UploadOrphans, collector.Accounts, collector.Offline, collector.Tables, collector.Credentials, collector.Orphans, collector.OldestData,
	} {
		tried := metric.NewSet(found.Sources.Bounds)
		if err := collector.Try(ctx, d, found.Sources, tried); err == nil {
			set.Join(tried)
		}
	}
	r := s.report(found, numbers{set})
	return exitAll, r.Write(out, s.language)
}

// numbers are what the collectors told.
type numbers struct{ *metric.Set }

// sum adds up a metric over its vhosts, of those samples whose labels have the given value among them; nil where there is none.
func (n numbers) sum(name, label string) *int64 {
	var total float64
	known := false
	for _, sample := range n.All() {
		if sample.Metric.Name == name && (label == "" || slices.Contains(sample.Labels, label)) {
			total += sample.Value
			known = true
		}
	}
	if !known {
		return nil
	}
	whole := int64(total)
	return &whole
}

// keeper are the modules that fill the stores which may be in SQL or not.
var keeper = map[string]string{"archive": "mod_mam", "offline": "mod_offline", "last_activity": "mod_last"}

func (s *settings) report(found *discovery.Found, n numbers) privacy.Report {
	src := found.Sources
	r := privacy.Report{Made: time.Now(), LogsPeople: src.LogPath != ""}
	if holds(src.AccountsInSQL, src.Vhosts) { // a part would look like the whole
		r.Accounts, r.PlainPasswords = n.sum("ejabberd_accounts", ""), n.sum("ejabberd_account_credentials", "plain")
	}
	if config := src.Config; config != nil {
		if r.PlainPasswords != nil && *r.PlainPasswords == 0 && len(config.Policy.PlainPasswords) > 0 {
			r.PlainPasswords = nil // the next one will be
		}
		encrypted := strings.HasPrefix(config.Policy.S2SStartTLS, "required")
		r.S2SEncrypted = &encrypted
		for _, u := range config.Uploads {
			if u.Listable != nil && (r.EverybodyMayListUploads == nil || *u.Listable) {
				r.EverybodyMayListUploads = u.Listable
			}
		}
	}
	for _, name := range collector.KeptStores {
		store := privacy.Store{Name: name, Promise: s.promises[name]}
		if src.Elsewhere(keeper[name]) { // a part would look like the whole
			r.Stores = append(r.Stores, store)
			continue
		}
		if at := n.sum(collector.OldestTime.Name, name); at != nil {
			oldest := time.Unix(*at, 0)
			store.Oldest = &oldest
		}
		switch name {
		case "archive":
			store.Items, store.About = n.sum("ejabberd_database_table_rows_estimate", "archive"), true
			store.Orphans = n.sum("ejabberd_orphan_rows", "archive")
		case "offline":
			store.Items, store.Orphans = n.sum("ejabberd_offline_messages", ""), n.sum("ejabberd_orphan_rows", "spool")
			store.Nothing = store.Items != nil && *store.Items == 0
		case "uploads":
			store.Items, store.Bytes = n.sum("ejabberd_upload_files", ""), n.sum("ejabberd_upload_bytes", "")
			store.Nothing = store.Items != nil && *store.Items == 0
			store.Orphans = n.sum("ejabberd_upload_orphan_accounts", "")
			if store.Promise == 0 {
				store.Promise = longest(found)
			}
		case "last_activity":
			store.Items, store.About = n.sum("ejabberd_database_table_rows_estimate", "last"), true
			store.Orphans = n.sum("ejabberd_orphan_rows", "last")
		}
		r.Stores = append(r.Stores, store)
	}
	return r
}

// longest is how long files are kept by the configuration: by the vhost that keeps them longest; 0 where one keeps them for ever.
func longest(found *discovery.Found) (most time.Duration) {
	for _, u := range found.Sources.Uploads {
		if u.Retention == 0 {
			return 0
		}
		most = max(most, u.Retention)
	}
	return most
}
