// SPDX-License-Identifier: Apache-2.0

// Package scale is a service as large as large ones are: a million accounts on real ejabberd and PostgreSQL, two hundred thousand
// uploaded files, two thousand sessions. It is built once, in a directory that stays, and started again from there.
package scale

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// Size is how much of everything there is.
type Size struct {
	Accounts, Archive, Spool int // rows; as many of last and of contacts as accounts
	Files, Uploaders         int // uploaded files, and the accounts that have some
	Sessions                 int
}

// SizeOf is a multiple of the size that the figures are about.
func SizeOf(factor float64) Size {
	n := func(whole int) int { return max(1, int(float64(whole)*factor)) }
	return Size{
		Accounts: n(1_000_000), Archive: n(2_000_000), Spool: n(200_000), Files: n(200_000), Uploaders: n(20_000), Sessions: n(2000),
	}
}

// Service is one that runs.
type Service struct {
	*service.Service
	Size
	Docroots   []string // one for each vhost
	EventsPort int      // where mod_metrics sends

	mu      sync.Mutex
	clients []*service.Client
}

// Domains are the vhosts. The first has nine of ten accounts.
var Domains = []string{"chapril.test", "libre.test", "tiny.test"}

// layout changes when what is built does: what stands by another one is built anew.
const layout = 1

// stamp tells that what lies beside it was finished.
type stamp struct {
	Layout int
	Size   Size
}

const stampFile = "stands.json"

// Open starts the service of a multiple of the size, without its sessions, from below dir, where it is built first unless it
// stands there.
func Open(ctx context.Context, dir string, factor float64, log *slog.Logger) (*Service, error) {
	kept := filepath.Join(dir, strconv.FormatFloat(factor, 'g', -1, 64)+"x")
	size := SizeOf(factor)
	stands, err := size.stands(kept)
	if err != nil {
		return nil, err
	}
	if !stands {
		// Pieces of a build that was broken off are of no use.
		if err := os.RemoveAll(kept); err != nil {
			return nil, fmt.Errorf("clear the way: %w", err)
		}
		if err := os.MkdirAll(kept, 0o755); err != nil {
			return nil, fmt.Errorf("make the directory of the service: %w", err)
		}
	}
	ports, err := service.FreePorts(1)
	if err != nil {
		return nil, err
	}
	running, err := service.Start(ctx, service.Options{
		Domains: Domains, Kept: kept, NamesByAPI: true, Log: log,
		ExtraModules: fmt.Sprintf("  mod_metrics:\n    port: %d\n", ports[0]),
	})
	if err != nil {
		return nil, err
	}
	s := &Service{Service: running, Size: size, EventsPort: ports[0]}
	for _, domain := range Domains {
		s.Docroots = append(s.Docroots, filepath.Join(kept, "upload", domain))
	}
	if !stands {
		if err := s.build(ctx, kept, log); err != nil {
			s.Stop()
			return nil, err
		}
	}
	return s, nil
}

// stands tells whether the service was built to this size.
func (z Size) stands(kept string) (bool, error) {
	text, err := os.ReadFile(filepath.Join(kept, stampFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("look what stands: %w", err)
	}
	var found stamp
	return json.Unmarshal(text, &found) == nil && found == stamp{layout, z}, nil
}

func (s *Service) build(ctx context.Context, kept string, log *slog.Logger) error {
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"rows", s.addRows},
		{"files", s.layFiles},
	} {
		began := time.Now()
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("build the %s: %w", step.name, err)
		}
		log.InfoContext(ctx, "built", "what", step.name, "seconds", time.Since(began).Seconds())
	}
	text, err := json.Marshal(stamp{layout, s.Size})
	if err != nil {
		return fmt.Errorf("say what stands: %w", err)
	}
	return os.WriteFile(filepath.Join(kept, stampFile), text, 0o644)
}

// atATime is how many clients log in at a time: ejabberd 23.01 has a listen backlog of 5.
const atATime = 4

// LogIn opens the sessions, each of another account. They last until Stop.
func (s *Service) LogIn(ctx context.Context, log *slog.Logger) error {
	began := time.Now()
	numbers := make(chan int, s.Sessions)
	for n := range s.Sessions {
		numbers <- s.Accounts - n // for the first ones messages wait, which they would take
	}
	close(numbers)
	errs := make(chan error, atATime)
	for range atATime {
		go func() {
			for n := range numbers {
				if err := s.logIn(ctx, n); err != nil {
					errs <- fmt.Errorf("open session %d: %w", n, err)
					return
				}
			}
			errs <- nil
		}()
	}
	var failed error
	for range atATime {
		failed = errors.Join(failed, <-errs)
	}
	log.InfoContext(ctx, "logged in", "sessions", len(s.clients), "seconds", time.Since(began).Seconds())
	return failed
}

func (s *Service) logIn(ctx context.Context, n int) error {
	account := service.Account{User: user(n), Domain: Domains[vhostOf(n)], Password: s.Admin.Password}
	client, err := service.Connect(ctx, service.Login{
		Account: account, Resource: "phone-" + service.Canary, Address: "127.0.0.1:" + strconv.Itoa(s.Ejabberd.Config.Ports.C2S),
	}, s.CA.Pool())
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.clients = append(s.clients, client)
	s.mu.Unlock()
	if err := client.Show(ctx, "available"); err != nil {
		return err
	}
	return client.Ping(ctx, account.Domain) // an answer means that ejabberd has seen the presence, too
}

// Stop ends the sessions and the service.
func (s *Service) Stop() {
	for _, client := range s.clients {
		client.Drop()
	}
	s.Service.Stop()
}

// user is the name of an account by its number, which counts from 1.
func user(n int) string { return "person-" + service.Canary + "-" + strconv.Itoa(n) }

// vhostOf is the vhost of an account by its number: 90, 8 and 2 of a hundred. rows.go says the same in SQL.
func vhostOf(n int) int {
	switch n % 100 {
	case 0, 1:
		return 2
	case 2, 3, 4, 5, 6, 7, 8, 9:
		return 1
	}
	return 0
}
