// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/scale"
)

const (
	manyScrapes = 10_000
	// manyFiles are more than the service has.
	manyFiles, manyUploaders = 1_000_000, 100_000
)

// memories measures what the exporter has resident, and whether that grows.
func (b *bench) memories(ctx context.Context, p *part) error {
	e, err := b.started(ctx)
	if err != nil {
		return err
	}
	defer e.stop()
	scrapes := b.shorter(manyScrapes)
	var rows [][]string
	var grown sample
	began := time.Now()
	for n := range scrapes + 1 {
		if n%(scrapes/5) == 0 {
			now, peak, err := memoryOf(e.pid())
			if err != nil {
				return err
			}
			grown = append(grown, now)
			rows = append(rows, []string{fmt.Sprint(n), fmt.Sprintf("%.1f MiB", now), fmt.Sprintf("%.1f MiB", peak)})
		}
		if _, err := e.get(ctx, "/metrics", reuse); err != nil {
			return err
		}
	}
	p.write("\n%d accounts, %d files, %d sessions; %d scrapes one after the other, in %.0f s.\n", b.service.Accounts, b.service.Files, b.service.Sessions,
		scrapes, time.Since(began).Seconds())
	p.table([]string{"scrapes", "resident", "at most so far"}, rows)
	e.stop()
	last := grown[len(grown)-1]
	p.grows("resident after the first scrape", fmt.Sprintf("%.1f MB", grown[0]*1.048576))
	p.grows("resident after many scrapes", fmt.Sprintf("%.1f MB", last*1.048576))
	p.asked("resident at scale", "under 40 MB", grown.quantile(1) < 40/1.048576, "%.1f MB after the first scrape, %.1f MB at most at a look", grown[0]*1.048576, grown.quantile(1)*1.048576)
	p.asked(fmt.Sprintf("resident over %d scrapes", scrapes), "flat", last <= grown[1]*1.1, "%.1f MB after a fifth of them, %.1f MB at the end", grown[1]*1.048576, last*1.048576)
	if b.factor != 1 {
		return nil
	}
	docroot, err := b.manyFiles(ctx)
	if err != nil {
		return err
	}
	var flags []string
	for i, domain := range scale.Domains { // as if all were those of one vhost
		at := docroot
		if i > 0 {
			at = b.service.Docroots[i]
		}
		flags = append(flags, "--upload.docroot="+domain+"="+at)
	}
	many, err := b.started(ctx, flags...)
	if err != nil {
		return err
	}
	defer many.stop()
	now, peak, err := memoryOf(many.pid())
	if err != nil {
		return err
	}
	most := now
	for range 30 { // half a minute: what was garbage is not for ever
		if _, err := many.get(ctx, "/metrics", reuse); err != nil {
			return err
		}
		if now, peak, err = memoryOf(many.pid()); err != nil {
			return err
		}
		most = max(most, now)
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
	}
	p.write("\nWith %d files of %d accounts: %.1f MiB at the end of half a minute, %.1f MiB at most at a look, %.1f MiB at the peak of the walk.\n", manyFiles, manyUploaders, now, most, peak)
	p.asked("resident with 1,000,000 files", "under 64 MB", most < 64/1.048576, "%.1f MB, %.1f MB at the peak of the walk", most*1.048576, peak*1.048576)
	return nil
}

// manyFiles is a document root with more files than any service of ours has; it stands once it is built.
func (b *bench) manyFiles(ctx context.Context) (string, error) {
	docroot := filepath.Join(b.dir, "files")
	finished := docroot + ".stands"
	if _, err := os.Stat(finished); err == nil {
		return docroot, nil
	}
	err := scale.LayFiles(ctx, manyUploaders, manyFiles, func(n int) string { return filepath.Join(docroot, fmt.Sprintf("%040x", n)) })
	if err != nil {
		return "", err
	}
	return docroot, os.WriteFile(finished, nil, 0o644)
}
