// SPDX-License-Identifier: Apache-2.0

package uploads

import (
	"flag"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

var benchAccounts = flag.Int("uploads.accounts", 2000, "accounts of 10 files each in the benchmark")

// BenchmarkWalk measures, turn by turn on the same tree, what counting uploads costs: this package, and what people use today.
// The times are medians; the ratios are to du.
func BenchmarkWalk(b *testing.B) {
	docroot := b.TempDir()
	accounts := make([]string, *benchAccounts)
	for i := range accounts {
		accounts[i] = fmt.Sprintf("%040x", i)
		for file := range 10 {
			put(b, docroot, fmt.Sprintf("%s/%040x/photo.jpg", accounts[i], file), 1<<20, time.Unix(int64(file), 0))
		}
		age(b, filepath.Join(docroot, accounts[i]))
	}
	next := New(docroot)
	walkAll := func(w *Walker) {
		if stats, err := w.Walk(b.Context(), Limits{}, func(Account) {}); err != nil || stats.Files < 10**benchAccounts {
			b.Fatal(stats, err)
		}
	}
	walkAll(next)
	tool := func(name string, args ...string) func() {
		return func() {
			if err := exec.CommandContext(b.Context(), name, args...).Run(); err != nil {
				b.Fatal(err)
			}
		}
	}
	ways := []struct {
		name string
		once func()
	}{
		{"du -s --apparent-size", tool("du", "-s", "--apparent-size", docroot)},
		{"find -printf %s", tool("find", docroot, "-type", "f", "-printf", "%s")},
		{"filepath.WalkDir", func() { bruteForce(b, docroot) }},
		{"first walk", func() { walkAll(New(docroot)) }},
		{"next walk", func() { walkAll(next) }},
	}
	took := make([][]time.Duration, len(ways))
	turn := 0
	for b.Loop() {
		b.StopTimer()
		for i := range max(1, *benchAccounts/1000) { // 0.1 % of the accounts upload something
			put(b, docroot, fmt.Sprintf("%s/%040x/photo.jpg", accounts[(turn*7+i*991)%len(accounts)], 1000+turn), 1<<20, time.Now())
		}
		turn++
		b.StartTimer()
		for i, way := range ways {
			began := time.Now()
			way.once()
			took[i] = append(took[i], time.Since(began))
		}
	}
	for i, way := range ways {
		slices.Sort(took[i])
		median := took[i][len(took[i])/2]
		b.Logf("%-22s %12v  %.3f", way.name, median, float64(median)/float64(took[0][len(took[0])/2]))
	}
}
