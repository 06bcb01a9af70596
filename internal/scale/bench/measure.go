// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/scale"
)

// bench is a service with what is needed to measure on it.
type bench struct {
	options
	service *scale.Service
	report  *report
}

// measurement is how one part is measured.
type measurement struct {
	name, title string
	do          func(*bench, context.Context, *part) error
}

// parts are what is measured, in the order of the page.
var parts = []measurement{
	{"scrape", "A scrape", (*bench).scrapes},
	{"statements", "PostgreSQL", (*bench).statements},
	{"walk", "Uploads", (*bench).walks},
	{"memory", "Memory", (*bench).memories},
	{"stream", "The list of sessions", (*bench).stream},
	{"flood", "Events", (*bench).flood},
	{"probe", "A probe", (*bench).handshakes},
	{"files", "A million files", (*bench).manyWalks},
	{"go", "Go's own benchmarks", (*bench).goBench},
}

// measure measures at the size asked for, then what grows at further sizes, and writes the pages.
func measure(ctx context.Context, o options) error {
	r, err := openReport(o)
	if err != nil {
		return err
	}
	if err := o.at(ctx, r); err != nil {
		return err
	}
	for factor := range strings.SplitSeq(o.curve, ",") {
		if factor == "" {
			continue
		}
		further := o
		further.docs, further.only = "", "scrape,statements,walk,memory"
		if further.factor, err = strconv.ParseFloat(factor, 64); err != nil {
			return fmt.Errorf("--curve: %w", err)
		}
		other, err := openReport(further)
		if err != nil {
			return err
		}
		if err := further.at(ctx, other); err != nil {
			return err
		}
	}
	if o.docs == "" {
		return nil
	}
	page, err := r.page(o)
	if err != nil {
		return err
	}
	return put(filepath.Join(o.docs, "benchmarks.md"), page)
}

// at measures at one size.
func (o options) at(ctx context.Context, r *report) error {
	if o.only == "nothing" {
		return nil
	}
	s, err := scale.Open(ctx, o.dir, o.factor, o.log)
	if err != nil {
		return err
	}
	defer s.Stop()
	if err := s.LogIn(ctx, o.log); err != nil {
		return err
	}
	if err := s.Database.Grant(ctx, filepath.Join(o.bin, "ejabberd_exporter"), s.Admin.Password); err != nil {
		return err
	}
	b := &bench{options: o, service: s, report: r}
	for _, m := range o.wanted() {
		p := &part{Name: m.name, Title: m.title, At: time.Now(), Load: load()}
		if err := m.do(b, ctx, p); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		o.log.InfoContext(ctx, "measured", "part", m.name, "seconds", time.Since(p.At).Seconds())
		for _, f := range p.Figures {
			o.log.InfoContext(ctx, "figure", "what", f.What, "asked", f.Asked, "came", f.Came, "reached", f.Reached)
		}
		if err := r.add(p); err != nil {
			return err
		}
	}
	return nil
}

// wanted are the parts to measure, in the order of --only.
func (o options) wanted() (wanted []measurement) {
	if o.only == "" {
		return parts
	}
	for name := range strings.SplitSeq(o.only, ",") {
		if i := slices.IndexFunc(parts, func(m measurement) bool { return m.name == name }); i >= 0 {
			wanted = append(wanted, parts[i])
		}
	}
	return wanted
}

// started is an exporter that has read everything once.
func (b *bench) started(ctx context.Context, flags ...string) (*exporter, error) {
	e, err := startExporter(ctx, b.service, b.bin, flags...)
	if err != nil {
		return nil, err
	}
	if err := e.warm(ctx); err != nil {
		e.stop()
		return nil, err
	}
	return e, nil
}

// shorter is a number of turns, a few where the service is not of the size that the figures are about.
func (b *bench) shorter(turns int) int {
	if b.factor != 1 {
		return max(3, turns/4)
	}
	return turns
}
