// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

var none = map[string]any{}

// fifteen are the calls that marzzzello/ejabberd-prometheus-metrics makes every 5 seconds. It opens connections and sends a token;
// here they go over one kept connection to a socket that asks for nothing, which is cheaper.
var fifteen = []struct {
	name      string
	arguments map[string]any
}{
	{"connected_users_number", none},
	{"incoming_s2s_number", none},
	{"outgoing_s2s_number", none},
	{"stats", map[string]any{"name": "registeredusers"}},
	{"stats", map[string]any{"name": "onlineusers"}},
	{"stats", map[string]any{"name": "onlineusersnode"}},
	{"stats", map[string]any{"name": "uptimeseconds"}},
	{"stats", map[string]any{"name": "processes"}},
	{"list_cluster", none},
	{"muc_online_rooms", map[string]any{"service": "global"}},
	{"rooms_empty_list", map[string]any{"service": "global"}},
	{"rooms_unused_list", map[string]any{"service": "global", "days": 30}},
	{"rooms_unused_list", map[string]any{"service": "global", "days": 90}},
	{"rooms_unused_list", map[string]any{"service": "global", "days": 180}},
	{"rooms_unused_list", map[string]any{"service": "global", "days": 360}},
}

// fifteenCalls makes them through a client of caller's.
func fifteenCalls(ctx context.Context, web *http.Client) error {
	for _, call := range fifteen {
		body, err := json.Marshal(call.arguments)
		if err != nil {
			return err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/api/"+call.name, bytes.NewReader(body))
		if err != nil {
			return err
		}
		answer, err := web.Do(request)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		if err == nil && answer.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s answers %s", call.name, answer.Status)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// caller asks over the socket of the service's administrator.
func (b *bench) caller() *http.Client {
	var dialer net.Dialer
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, "unix", filepath.Join(b.service.Ejabberd.Dir, "api"))
	}}}
}

// eleven are the commands that greizgh/ejabberd_exporter runs for each scrape, as many at a time as there are processors.
var eleven = []string{
	"connected_users_number", "incoming_s2s_number", "outgoing_s2s_number",
	"mnesia transaction_commits", "mnesia transaction_failures", "mnesia transaction_log_writes",
	"stats registeredusers", "stats onlineusers", "stats onlineusersnode", "stats uptimeseconds", "stats processes",
}

// elevenCommands gives the processor time that the commands used.
func (b *bench) elevenCommands(ctx context.Context) (time.Duration, error) {
	var (
		mu      sync.Mutex
		used    time.Duration
		failed  error
		running sync.WaitGroup
		waiting = make(chan string)
	)
	account, err := user.Lookup("ejabberd")
	if err != nil {
		return 0, err
	}
	uid, _ := strconv.Atoi(account.Uid)
	gid, _ := strconv.Atoi(account.Gid)
	for range 2 {
		running.Go(func() {
			for command := range waiting {
				cmd := exec.CommandContext(ctx, "/usr/sbin/ejabberdctl", append([]string{"--config-dir", b.service.Ejabberd.Dir}, strings.Fields(command)...)...)
				cmd.Dir = "/"
				if syscall.Getuid() == 0 { // it would go through su, which costs more
					cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
				}
				out, err := cmd.CombinedOutput()
				mu.Lock()
				if err != nil && failed == nil {
					failed = fmt.Errorf("ejabberdctl %s: %w: %s", command, err, out)
				}
				if cmd.ProcessState != nil {
					used += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
				}
				mu.Unlock()
			}
		})
	}
	for _, command := range eleven {
		waiting <- command
	}
	close(waiting)
	running.Wait()
	return used, failed
}
