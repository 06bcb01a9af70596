// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/ejabberd"
)

const (
	// listed sessions are 200 MB.
	listed      = 1_000_000
	streamTurns = 5
)

// stream measures how the list of all sessions is read, from a server that plays one of a million.
func (b *bench) stream(ctx context.Context, p *part) error {
	url, size, stop, err := playSessions(ctx, listed)
	if err != nil {
		return err
	}
	defer stop()
	client, err := ejabberd.New(ejabberd.Options{URL: url, Timeout: time.Minute})
	if err != nil {
		return err
	}
	var ours, structs sample
	var flat, kept uint64
	for range b.shorter(streamTurns) {
		took, most, err := heaped(func(look func()) error {
			n := 0
			err := client.ConnectedUsersInfo(ctx, func(ejabberd.Session) {
				if n++; n%(listed/10) == 0 {
					look()
				}
			})
			if err == nil && n != listed {
				err = fmt.Errorf("%d sessions", n)
			}
			return err
		})
		if err != nil {
			return err
		}
		ours.add(took)
		flat = max(flat, most)
		took, most, err = heaped(func(look func()) error { return readStructs(ctx, url, look) })
		if err != nil {
			return err
		}
		structs.add(took)
		kept = max(kept, most)
	}
	p.write("\n%d sessions, %d MB, over HTTP on loopback; medians with quartiles of %d turns. The memory is what is in use beyond what was before.\n", listed, size/1e6, b.shorter(streamTurns))
	p.table([]string{"way", "time", "MB a second", "memory"}, [][]string{
		{"ours, as a stream", ours.spread(), fmt.Sprintf("%.0f", float64(size)/1e6/ours.median()), fmt.Sprintf("%.1f MB", float64(flat)/1e6)},
		{"`encoding/json` into structs", structs.spread(), fmt.Sprintf("%.0f", float64(size)/1e6/structs.median()), fmt.Sprintf("%.0f MB", float64(kept)/1e6)},
	})
	faster := structs.over(ours).median()
	p.asked("list of a million sessions and `encoding/json`", "at least 3x", faster >= 3, "%.1fx", faster)
	p.asked("memory for a list of a million sessions", "flat", flat < 4<<20, "%.1f MB beside %.0f MB", float64(flat)/1e6, float64(kept)/1e6)
	return nil
}

// heaped times something that now and then lets us look how much of the heap is in use, beyond what was before.
func heaped(do func(look func()) error) (time.Duration, uint64, error) {
	var memory runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&memory)
	before, most := memory.HeapAlloc, uint64(0)
	looked := time.Duration(0)
	took, err := timed(func() error {
		return do(func() {
			began := time.Now()
			runtime.GC()
			runtime.ReadMemStats(&memory)
			most = max(most, memory.HeapAlloc-min(before, memory.HeapAlloc))
			looked += time.Since(began)
		})
	})
	return took - looked, most, err
}

// session is one as encoding/json reads it.
type session struct {
	JID        string `json:"jid"`
	Connection string `json:"connection"`
	IP         string `json:"ip"`
	Uptime     int    `json:"uptime"`
	Status     string `json:"status"`
}

func readStructs(ctx context.Context, url string, look func()) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/connected_users_info", http.NoBody)
	if err != nil {
		return err
	}
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var all []session
	if err := json.NewDecoder(answer.Body).Decode(&all); err != nil {
		return err
	}
	if len(all) != listed {
		return fmt.Errorf("%d sessions", len(all))
	}
	look()
	runtime.KeepAlive(all)
	return nil
}

// playSessions serves the list of so many sessions, as ejabberd 23.01 writes it.
func playSessions(ctx context.Context, n int) (url string, size int64, stop func(), err error) {
	dir, err := os.MkdirTemp("", "sessions-")
	if err != nil {
		return "", 0, nil, err
	}
	path := filepath.Join(dir, "list.json")
	stop = func() { _ = os.RemoveAll(dir) }
	defer func() {
		if err != nil {
			stop()
		}
	}()
	f, err := os.Create(path)
	if err != nil {
		return "", 0, nil, err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	_, _ = w.WriteString("[")
	for i := range n {
		if i > 0 {
			_, _ = w.WriteString(",")
		}
		_, _ = fmt.Fprintf(w, `{"jid":"person%d@chapril.test/phone.%d","connection":"c2s_tls","ip":"::ffff:192.0.2.%d","port":57180,"priority":5,`+
			`"node":"ejabberd@xmpp1","uptime":%d,"status":"available","resource":"phone.%d","statustext":""}`, i, i, i%256, i, i)
	}
	_, _ = w.WriteString("]")
	if err := w.Flush(); err != nil {
		return "", 0, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return "", 0, nil, err
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", 0, nil, err
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		http.ServeFile(w, r, path)
	})}
	go func() { _ = server.Serve(listener) }()
	stop = func() { _ = server.Close(); _ = os.RemoveAll(dir) }
	return "http://" + listener.Addr().String() + "/api", info.Size(), stop, nil
}
