// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// layFiles lays the uploads in ejabberd's layout, and below the docroot of each vhost.
func (s *Service) layFiles(ctx context.Context) error {
	return LayFiles(ctx, s.Uploaders, s.Files, func(n int) string {
		domain := vhostOf(n)
		owner := sha1.Sum([]byte(user(n) + "@" + Domains[domain]))
		return filepath.Join(s.Docroots[domain], hex.EncodeToString(owner[:]))
	})
}

// LayFiles lays sparse files in the directories of accounts, which are numbered from 1: every account has some, a few have many.
// They are of the last 350 days and older than what a walker would take for an upload under way, and so are their directories.
func LayFiles(ctx context.Context, accounts, files int, directory func(n int) string) error {
	var (
		numbers = make(chan int)
		failed  = make(chan error, 1)
		workers sync.WaitGroup
		now     = time.Now()
	)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	shares := share(accounts, files)
	for range 2 {
		workers.Go(func() {
			for n := range numbers {
				if err := layAccount(directory(n), n, shares[n-1], now); err != nil {
					select {
					case failed <- err:
					default:
					}
					stop()
				}
			}
		})
	}
	for n := 1; n <= accounts && ctx.Err() == nil; n++ {
		numbers <- n
	}
	close(numbers)
	workers.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return ctx.Err()
	}
}

// share says how many files each account has: one at least, and the rest by a draw that favours the first ones.
func share(accounts, files int) []int {
	r := rand.New(rand.NewPCG(1, uint64(files)))
	shares := make([]int, accounts)
	for i := range shares {
		shares[i] = 1
	}
	for range files - accounts {
		shares[int(float64(accounts)*math.Pow(r.Float64(), 1.5))]++
	}
	return shares
}

func layAccount(dir string, n, files int, now time.Time) error {
	r := rand.New(rand.NewPCG(2, uint64(n)))
	for i := range files {
		size := int64(math.Exp2(10 + 13*r.Float64())) // 1 KiB to 8 MiB
		at := now.Add(-time.Duration(2+r.Float64()*348) * 24 * time.Hour)
		if err := LayFile(filepath.Join(dir, fmt.Sprintf("%08x%016x%016x", i, r.Uint64(), r.Uint64())), size, at); err != nil {
			return err
		}
	}
	return touch(dir, now.Add(-48*time.Hour))
}

// LayFile lays one upload: a directory of its own, and a sparse file in it.
func LayFile(dir string, size int64, at time.Time) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("lay a file: %w", err)
	}
	path := filepath.Join(dir, "file-"+service.Canary+".jpg")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		return fmt.Errorf("lay a file: %w", err)
	}
	if err := os.Truncate(path, size); err != nil {
		return fmt.Errorf("lay a file: %w", err)
	}
	if err := touch(path, at); err != nil {
		return err
	}
	return touch(dir, at)
}

func touch(path string, at time.Time) error {
	if err := os.Chtimes(path, at, at); err != nil {
		return fmt.Errorf("lay a file: %w", err)
	}
	return nil
}
