// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/discovery"
	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/remedy"
)

// grants is the SQL for what these collectors read, and nothing more.
func grants(definitions []collector.Definition) string {
	return remedy.Grants(collector.Columns(definitions))
}

// check says what was found, tries every collector once, and prints what fixes those that do not work.
func check(ctx context.Context, found *discovery.Found, definitions []collector.Definition, timeout time.Duration, out io.Writer) (int, error) {
	p := &paper{w: out}
	p.found(found)
	p.line("\nCollectors")
	var reasons []error
	failed := false
	logged := 0.0
	for _, d := range definitions {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		set := metric.NewSet(found.Sources.Bounds)
		before := apiCalls(found)
		err := collector.Try(ctx, d, found.Sources, set)
		cancel()
		logged += logBytesPerDay(d, apiCalls(found)-before)
		switch {
		case err == nil:
			p.line("  ok      %-18s %s", d.Name, d.Help)
			continue
		case collector.IsOff(err):
			p.line("  off     %-18s %s", d.Name, strings.TrimPrefix(err.Error(), collector.ErrOff.Error()+": "))
		default:
			p.line("  FAILED  %-18s %s", d.Name, strings.ReplaceAll(err.Error(), "\n", "\n                             "))
			failed = true
		}
		reasons = append(reasons, err)
	}
	if found.Sources.API != nil {
		p.line("\nThe API calls of one Prometheus that scrapes every 15 s write about %.1f MB a day to ejabberd.log.", logged/1e6)
	}
	p.remedies(found, definitions, errors.Join(reasons...))
	if failed {
		return exitSome, p.err
	}
	p.line("\nEverything that is enabled works.")
	return exitAll, p.err
}

// apiCalls is how often ejabberd was called up to now, but for what is asked every 5 minutes at most, whoever wants to know: on the
// scale of a day that is nothing.
func apiCalls(found *discovery.Found) (n int) {
	if found.Sources.API != nil {
		for _, c := range found.Sources.API.Requests() {
			if c.Command != "status" && c.Command != "registered_vhosts" {
				n += c.N
			}
		}
	}
	return n
}

// logBytesPerDay is what ejabberd logs of the calls of a collector that made so many in one run: a line of about 115 bytes each,
// on a kept-alive connection, when it is scraped every 15 s.
func logBytesPerDay(d collector.Definition, calls int) float64 {
	const line, day, scrapes = 115, 24 * time.Hour, 15 * time.Second
	return line * float64(calls) * float64(day) / float64(max(scrapes, d.Reuse, d.Refresh))
}

// paper writes lines and remembers the first error.
type paper struct {
	w   io.Writer
	err error
}

func (p *paper) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *paper) found(found *discovery.Found) {
	config := found.Config
	p.line("Found")
	if found.ProbeOnly {
		p.line("  no ejabberd on this host: only /probe is served. Name one with --ejabberd.config or --ejabberd.url")
		return
	}
	if config.Path != "" {
		p.line("  configuration  %s", config.Path)
	}
	if found.Sources.Blocked != nil {
		p.line("  configuration  %v", found.Sources.Blocked)
	}
	p.line("  vhosts         %s", orNone(strings.Join(found.Sources.Vhosts, ", ")))
	p.line("  API            %s", orNone(found.APIURL))
	if found.Sources.Databases != nil {
		p.line("  databases      %s", strings.Join(found.Sources.Databases.Names(), ", "))
	} else {
		p.line("  databases      none")
	}
	for _, u := range config.Uploads {
		p.line("  uploads        %s (%s)", u.Docroot, u.Vhost)
	}
	for _, e := range config.Events {
		p.line("  events         %s (%s)", net.JoinHostPort(e.IP, strconv.Itoa(e.Port)), e.Vhost)
	}
	for _, note := range slices.Concat(config.Notes, found.Notes) {
		p.line("  note           %s", note)
	}
}

// remedies prints, once each, the lines that give what was refused, be it a choice. What is only down needs none.
func (p *paper) remedies(found *discovery.Found, definitions []collector.Definition, reason error) {
	if found.ProbeOnly {
		return
	}
	for _, r := range remedies(found.Sources, definitions, reason) {
		p.line("\n%s\n\n%s", r.For, r.Lines)
	}
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
