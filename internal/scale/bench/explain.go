// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/chapril/ejabberd_exporter/collector"
)

// explain has PostgreSQL's auto_explain log how it ran every statement that the exporter sent, and writes docs/explain.md.
func (b *bench) explain(ctx context.Context) error {
	err := b.logStatements(ctx, "session_preload_libraries = 'auto_explain'", "auto_explain.log_min_duration = 0", "auto_explain.log_analyze = on",
		"auto_explain.log_buffers = on")
	if err != nil {
		return err
	}
	var page strings.Builder
	fmt.Fprintf(&page, "\nMeasured at %s UTC: %d accounts, %d messages in the archive, %d waiting. PostgreSQL %s as Debian ships it.\n",
		time.Now().UTC().Format("2006-01-02 15:04"), b.service.Accounts, b.service.Archive, b.service.Spool, version("postgresql"))
	err = b.round(ctx, func(d collector.Definition, _ time.Duration, said []logged) error {
		fmt.Fprintf(&page, "\n## %s\n\n%s.", d.Name, d.Help)
		if d.Disabled {
			page.WriteString(" Off by default.")
		}
		page.WriteString("\n")
		explained := map[string]bool{}
		for _, s := range said {
			if explained[s.text] {
				continue
			}
			explained[s.text] = true
			fmt.Fprintf(&page, "\n```sql\n%s\n```\n\n```\n%s\n```\n", wrapped(s.text), s.plan)
		}
		if len(explained) == 0 {
			page.WriteString("\nIt asks PostgreSQL nothing by itself here.\n")
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := b.logStatements(ctx); err != nil {
		return err
	}
	return put(filepath.Join(b.docs, "explain.md"), page.String())
}

// wrapped breaks a statement into lines that can be read.
func wrapped(sql string) string {
	var out strings.Builder
	width := 0
	for _, word := range strings.Fields(sql) {
		if width > 0 && width+len(word) > 120 {
			out.WriteString("\n  ")
			width = 2
		} else if width > 0 {
			out.WriteByte(' ')
			width++
		}
		out.WriteString(word)
		width += len(word)
	}
	return out.String()
}
