// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/scale"
	"github.com/chapril/ejabberd_exporter/internal/uploads"
)

// walkTurns are turns of everybody who looks at the same tree.
const walkTurns = 7

// lookers are those who look at the same trees, turn by turn.
type lookers struct{ du, find, bare, first, next sample }

// walks measures what counting uploads costs, beside du, find, and a loop that does nothing but read.
func (b *bench) walks(ctx context.Context, p *part) error {
	l, err := b.look(ctx, b.service.Docroots, b.service.Uploaders, b.shorter(walkTurns))
	if err != nil {
		return err
	}
	p.write("\n%d files in %d accounts' directories, everything in memory. Medians with quartiles of %d turns; the ratios are medians of those of each turn. "+
		"Before each turn one account in a thousand uploads something.\n", b.service.Files, b.service.Uploaders, b.shorter(walkTurns))
	p.table([]string{"who", "time", "to `du`"}, l.rows())
	p.grows("first walk", seconds(l.first.median()))
	p.grows("next walk", seconds(l.next.median()))
	p.grows("`du`", seconds(l.du.median()))
	ratio := func(what string, limit float64, s sample) {
		p.asked(what, fmt.Sprintf("at most %gx", limit), s.median() <= limit, "%.3fx (%.3f … %.3f)", s.median(), s.quantile(0.25), s.quantile(0.75))
	}
	ratio("first walk and `du -s --apparent-size`", 0.6, l.first.over(l.du))
	ratio("first walk and `find -printf %s`", 0.55, l.first.over(l.find))
	ratio("first walk and a bare parallel loop", 1.15, l.first.over(l.bare))
	ratio("next walk, 0.1 % of the accounts changed, and `du`", 0.05, l.next.over(l.du))
	return nil
}

// manyWalks measures the same on a tree that is five times as large.
func (b *bench) manyWalks(ctx context.Context, p *part) error {
	docroot, err := b.manyFiles(ctx)
	if err != nil {
		return err
	}
	const turns = 3
	l, err := b.look(ctx, []string{docroot}, manyUploaders, turns)
	if err != nil {
		return err
	}
	p.write("\n%d files in %d directories, %d turns.\n", manyFiles, manyUploaders, turns)
	p.table([]string{"who", "time", "to `du`"}, l.rows())
	return nil
}

func (l *lookers) rows() (rows [][]string) {
	for _, way := range []struct {
		name string
		took sample
	}{
		{"`du -s --apparent-size`", l.du},
		{"`find -type f -printf %s`", l.find},
		{"bare loop of getdents64 and fstatat, 2 at a time", l.bare},
		{"ours, first walk", l.first},
		{"ours, next walk", l.next},
	} {
		rows = append(rows, []string{way.name, way.took.spread(), fmt.Sprintf("%.3f", way.took.over(l.du).median())})
	}
	return rows
}

// look has everybody look at the trees, turn by turn, while some upload.
func (b *bench) look(ctx context.Context, docroots []string, accounts, turns int) (*lookers, error) {
	anew := func() (walkers []*uploads.Walker) {
		for _, docroot := range docroots {
			walkers = append(walkers, uploads.New(docroot))
		}
		return walkers
	}
	everywhere := func(walkers []*uploads.Walker) error {
		for _, w := range walkers {
			if _, err := w.Walk(ctx, uploads.Limits{}, func(uploads.Account) {}); err != nil {
				return err
			}
		}
		return nil
	}
	tool := func(name string, before []string, after ...string) func() error {
		args := append(append(slices.Clone(before), docroots...), after...)
		return func() error { return exec.CommandContext(ctx, name, args...).Run() }
	}
	var l lookers
	known := anew()
	ways := []struct {
		took *sample
		do   func() error
	}{
		{&l.du, tool("du", []string{"-s", "--apparent-size"})},
		{&l.find, tool("find", nil, "-type", "f", "-printf", "%s")},
		{&l.bare, func() error {
			for _, docroot := range docroots {
				if _, err := bareWalk(docroot); err != nil {
					return err
				}
			}
			return nil
		}},
		{&l.first, func() error { return everywhere(anew()) }},
		{&l.next, func() error { return everywhere(known) }},
	}
	if err := everywhere(known); err != nil {
		return nil, err
	}
	changed := &uploaders{docroots: docroots}
	defer changed.undo()
	for range turns {
		if err := changed.upload(max(1, accounts/1000)); err != nil {
			return nil, err
		}
		for _, way := range ways {
			took, err := timed(way.do)
			if err != nil {
				return nil, err
			}
			way.took.add(took)
		}
	}
	return &l, nil
}

// uploaders upload something now and then.
type uploaders struct {
	docroots []string
	accounts []string
	at       int
	made     []string
}

func (u *uploaders) upload(accounts int) error {
	if u.accounts == nil {
		for _, docroot := range u.docroots {
			found, err := filepath.Glob(filepath.Join(docroot, "*"))
			if err != nil {
				return err
			}
			u.accounts = append(u.accounts, found...)
		}
	}
	for range accounts {
		u.at = (u.at + 991) % len(u.accounts)
		dir := filepath.Join(u.accounts[u.at], rand.Text())
		if err := scale.LayFile(dir, 1<<20, time.Now()); err != nil {
			return err
		}
		u.made = append(u.made, dir)
	}
	return nil
}

// undo leaves the tree as it was found.
func (u *uploaders) undo() {
	before := time.Now().Add(-48 * time.Hour)
	for _, dir := range u.made {
		_ = os.RemoveAll(dir)
		_ = os.Chtimes(filepath.Dir(dir), before, before)
	}
}
