// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/scale"
	"github.com/chapril/ejabberd_exporter/internal/uploads"
)

func TestQuantiles(t *testing.T) {
	s := sample{4, 1, 3, 2, 5}
	for q, want := range map[float64]float64{0: 1, 0.25: 2, 0.5: 3, 0.6: 3.4, 1: 5} {
		if got := s.quantile(q); math.Abs(got-want) > 1e-9 {
			t.Errorf("quantile(%g) = %g, want %g", q, got, want)
		}
	}
	if got := s.over(sample{2, 2, 2, 2, 2}).median(); got != 1.5 {
		t.Errorf("median of ratios %g", got)
	}
}

// As PostgreSQL 15 writes it.
const written = "2026-11-26 22:24:32.673 UTC [77] LOG:  duration: 0.100 ms  parse <unnamed>: SELECT 1,\n" +
	"\t\t2\n" +
	"2026-11-26 22:24:32.673 UTC [77] LOG:  duration: 0.200 ms  bind <unnamed>: SELECT 1,\n" +
	"\t\t2\n" +
	"2026-11-26 22:24:32.674 UTC [77] LOG:  duration: 1.700 ms  execute <unnamed>: SELECT 1,\n" +
	"\t\t2\n" +
	"2026-11-26 22:24:32.674 UTC [77] DETAIL:  parameters: $1 = 'x'\n" +
	"2026-11-26 22:24:32.675 UTC [77] LOG:  duration: 0.300 ms  statement: SET search_path=public\n" +
	"2026-11-26 22:24:32.676 UTC [78] LOG:  duration: 3.000 ms  plan:\n" +
	"\tQuery Text: SELECT count(*)\n" +
	"\t\tFROM users\n" +
	"\tAggregate  (cost=0.00..0.01 rows=1 width=8) (actual time=0.006..0.006 rows=1 loops=1)\n" +
	"\t  ->  Seq Scan on users  (cost=0.00..0.01 rows=1 width=8) (actual time=0.001..0.001 rows=1 loops=1)\n"

func TestStatementLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte(written), 0o600); err != nil {
		t.Fatal(err)
	}
	l := statementLog{path: path}
	got, err := l.read()
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].text != "SELECT 1, 2" || math.Abs(got[0].seconds-0.002) > 1e-9 || got[1].text != "SELECT count(*) FROM users" ||
		got[1].plan != "Aggregate  (cost=0.00..0.01 rows=1 width=8) (actual time=0.006..0.006 rows=1 loops=1)\n"+
			"  ->  Seq Scan on users  (cost=0.00..0.01 rows=1 width=8) (actual time=0.001..0.001 rows=1 loops=1)" {
		t.Errorf("%+v", got)
	}
	if again, err := l.read(); err != nil || len(again) > 0 {
		t.Errorf("read again: %+v, %v", again, err)
	}
}

// TestBareWalk: who reads with less ado finds the same.
func TestBareWalk(t *testing.T) {
	docroot := t.TempDir()
	if err := scale.LayFiles(t.Context(), 30, 200, func(n int) string { return filepath.Join(docroot, fmt.Sprint(n)) }); err != nil {
		t.Fatal(err)
	}
	u := uploaders{docroots: []string{docroot}}
	if err := u.upload(3); err != nil {
		t.Fatal(err)
	}
	total := func() int64 {
		bytes, err := bareWalk(docroot)
		if err != nil {
			t.Fatal(err)
		}
		stats, err := uploads.New(docroot).Walk(t.Context(), uploads.Limits{}, func(uploads.Account) {})
		if err != nil || stats.Bytes != bytes || stats.Accounts != 30 {
			t.Errorf("%+v, %v; the bare loop found %d bytes", stats, err, bytes)
		}
		return bytes
	}
	more := total()
	u.undo()
	if less := total(); less != more-3<<20 {
		t.Errorf("%d bytes with three uploads, %d without", more, less)
	}
	info, err := os.Stat(filepath.Join(docroot, "1"))
	if err != nil || time.Since(info.ModTime()) < 24*time.Hour {
		t.Errorf("the walker would take the account for one that changes: %v", err)
	}
}
