// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

var (
	soak = flag.Duration("soak", 0, "break things at random for so long, and add a line to docs/faults.md")
	seed = flag.Uint64("seed", 0, "repeats a soak; another one each time where 0")
)

// TestSoak is an hour of trouble: people come and go, write and upload, one fault follows the other, and the exporter, scraped every
// second, holds no more at the end than at the beginning.
func TestSoak(t *testing.T) {
	if *soak == 0 {
		t.Skip("make soak runs this")
	}
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", *seed)
	dice := rand.New(rand.NewPCG(*seed, 0))
	s := newStage(t)
	s.well(t, s.veteran, "/metrics")

	w := &watch{stop: make(chan struct{})}
	w.running.Go(func() { w.scrapes(t, s) })
	w.running.Go(func() { w.traffic(t, s) })
	defer w.end()
	began, faults := time.Now(), 0
	for time.Since(began) < *soak {
		f := anyFault(dice)
		t.Logf("%v: %s", time.Since(began).Round(time.Second), f.name)
		end := f.start(t, s)
		<-time.After(time.Duration(3+dice.IntN(12)) * time.Second)
		end()
		faults++
		<-time.After(time.Duration(5+dice.IntN(15)) * time.Second) // some follow before the last was recovered from
	}
	s.well(t, s.veteran, "/metrics")
	w.end()
	w.judge(t, faults)
}

// anyFault is one that the exporter survives.
func anyFault(dice *rand.Rand) fault {
	for {
		act := acts[dice.IntN(len(acts))]
		if f := act.faults[dice.IntN(len(act.faults))]; !f.gone && f.path == "" {
			return f
		}
	}
}

// watch is what goes on meanwhile.
type watch struct {
	stop    chan struct{}
	once    sync.Once
	running sync.WaitGroup
	samples []vitals
	slowest time.Duration
	visits  int // of people who got through
}

func (w *watch) end() {
	w.once.Do(func() { close(w.stop) })
	w.running.Wait()
}

// each does something once a second until the end.
func (w *watch) each(do func()) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-tick.C:
			do()
		}
	}
}

func (w *watch) scrapes(t *testing.T, s *stage) {
	w.each(func() {
		p, took := s.scrape(t, s.veteran, "/metrics")
		w.samples = append(w.samples, p.vitals())
		w.slowest = max(w.slowest, time.Duration(took*float64(time.Second)))
		accounts := fmt.Sprintf("ejabberd_accounts{vhost=%q}", s.Domains[0])
		if n, known := p[accounts]; known && n == 0 {
			t.Errorf("%s is said to be 0", accounts)
		}
		if n := databaseConnections(t, s.veteran.pid(), s.Postgres.Port); n > 2 {
			t.Errorf("%d connections to PostgreSQL, want 2 at most", n)
		}
		if _, most := s.relay.count(); most > 1 {
			t.Errorf("%d open requests of one command of the API, want 1 at most", most)
		}
	})
}

// traffic lets somebody log in, write to another, and leave, and adds a file. While ejabberd is broken nobody gets through.
func (w *watch) traffic(t *testing.T, s *stage) {
	login := service.Login{
		Account: s.Admin, Resource: "soak-" + service.Canary, Address: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Ejabberd.Config.Ports.C2S)),
	}
	w.each(func() {
		ctx, cancel := context.WithTimeout(t.Context(), deadline)
		defer cancel()
		client, err := service.Connect(ctx, login, s.CA.Pool())
		if err != nil {
			return
		}
		defer client.Close()
		if client.Message(ctx, s.Exporter.JID(), "hello") == nil && client.Ping(ctx, s.Domains[0]) == nil {
			w.visits++
		}
		account := s.docroot() + "/soak" // it may be away
		if os.Mkdir(account, 0o755) == nil || w.visits%2 == 0 {
			_ = os.WriteFile(account+"/"+strconv.Itoa(w.visits%500), []byte("1234567890"), 0o644)
		}
	})
}

// judge compares the first quarter after the warm-up with the last.
func (w *watch) judge(t *testing.T, faults int) {
	t.Helper()
	samples := w.samples[len(w.samples)/10:]
	first, last := samples[:len(samples)/4], samples[len(samples)-len(samples)/4:]
	if len(first) < 10 || w.visits == 0 || faults == 0 {
		t.Fatalf("%d scrapes, %d visits, %d faults: this proves nothing", len(w.samples), w.visits, faults)
	}
	before, after := median(first), median(last)
	if leaks := after.leaks(before); leaks != "" {
		t.Errorf("it grew: %s", leaks)
	}
	t.Logf("%v %v, %d visits", before, after, w.visits)
	if t.Failed() {
		return
	}
	row := fmt.Sprintf("| %s | %v | %d | %d | %d | %.1f s | %.0f → %.0f | %.0f → %.0f | %.1f → %.1f MiB | %s |\n", time.Now().UTC().Format(time.DateOnly),
		*soak, *seed, len(w.samples), faults, w.slowest.Seconds(), before.goroutines, after.goroutines, before.descriptors, after.descriptors,
		before.memory/mebibyte, after.memory/mebibyte, versions(t))
	text, err := os.ReadFile(document)
	must(t, err)
	const end = "<!-- soaks end here -->"
	must(t, os.WriteFile(document, []byte(strings.Replace(string(text), end, row+end, 1)), 0o644))
}

func median(samples []vitals) vitals {
	of := func(what func(vitals) float64) float64 {
		var all []float64
		for _, v := range samples {
			all = append(all, what(v))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	return vitals{
		of(func(v vitals) float64 { return v.goroutines }), of(func(v vitals) float64 { return v.descriptors }),
		of(func(v vitals) float64 { return v.memory }),
	}
}
