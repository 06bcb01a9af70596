// SPDX-License-Identifier: Apache-2.0

package uploads

import (
	"fmt"
	"testing"
	"time"
)

// 10 files an account, each in a directory of its own, as ejabberd stores them. Run with -benchmem against BruteForce.
func BenchmarkWalk(b *testing.B) {
	docroot := b.TempDir()
	for account := range 500 {
		for file := range 10 {
			put(b, docroot, fmt.Sprintf("%040x/%040x/photo.jpg", account, file), 1<<20, time.Unix(int64(file), 0))
		}
	}
	b.Run("Walk", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			files := 0
			if _, err := New(docroot).Walk(b.Context(), Limits{}, func(a Account) { files += len(a.Files) }); err != nil || files != 5000 {
				b.Fatal(files, err)
			}
		}
	})
	b.Run("filepath.WalkDir", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, stats := bruteForce(b, docroot); stats.Files != 5000 {
				b.Fatal(stats)
			}
		}
	})
}
