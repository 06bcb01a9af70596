// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// noHandshakes leaves out the collector that opens connections itself.
const noHandshakes = "--no-collector.certificates"

// TestKernel compares what the kernel is asked with what was opened, as root and as a user who owns nothing.
func TestKernel(t *testing.T) {
	s := realService(t, service.Everything())
	down := missing(t)
	facts := facts(t, s, down)

	t.Run("root", func(t *testing.T) {
		exit, page, log := once(t, "--ejabberd.facts="+facts, noHandshakes)
		if exit != 0 {
			t.Errorf("exit %d:\n%s", exit, log)
		}
		success(t, page)
		noSecrets(t, page, log)
		lint(t, page)
		wantKernel(t, s, page, down)
		in, out := federation(t, s)
		for direction, established := range map[string]map[string]int{"in": in, "out": out} {
			for family, n := range established {
				want(t, page, map[string]float64{
					fmt.Sprintf(`ejabberd_s2s_sockets{direction="%s",family="%s",state="established"}`, direction, family): float64(n),
					fmt.Sprintf(`ejabberd_s2s_sockets{direction="%s",family="%s",state="connecting"}`, direction, family):  0,
				})
			}
			if established["ip4"]+established["ip6"] == 0 {
				t.Errorf("nobody is connected %s: this test shows nothing", direction)
			}
		}
	})
	t.Run("nobody", func(t *testing.T) {
		_, page, log := newNobody(t, s.Dir).run(t, "--once", "--ejabberd.facts="+facts, noHandshakes)
		noSecrets(t, page, log)
		wantKernel(t, s, page, down)
		in, out := federation(t, s)
		for family := range in {
			want(t, page, map[string]float64{
				fmt.Sprintf(`ejabberd_s2s_sockets{direction="in",family="%s",state="established"}`, family): float64(in[family]),
			})
			// Out is absent while other tests run servers as the same user.
			series := fmt.Sprintf(`ejabberd_s2s_sockets{direction="out",family="%s",state="established"}`, family)
			if n, ok := number(page, series); ok && n != float64(out[family]) {
				t.Errorf("%s is %v, want %d", series, n, out[family])
			}
		}
	})
	t.Run("down", func(t *testing.T) {
		s.Ejabberd.Kill()
		_, page, log := once(t, "--ejabberd.facts="+facts)
		want(t, page, map[string]float64{
			fmt.Sprintf(`ejabberd_listener_up{family="ip4",port="%d"}`, s.Ejabberd.Config.Ports.C2S):          0,
			fmt.Sprintf(`ejabberd_listener_connections{family="ip4",port="%d"}`, s.Ejabberd.Config.Ports.C2S): 0,
			`ejabberd_exporter_collector_success{collector="certificates"}`:                                   0,
		})
		absent(t, page, numbersOf([]string{"process", "s2s_sockets"})...)
		noSecrets(t, page, log)
		for _, name := range []string{"process", "s2s_sockets"} {
			if _, there := number(page, `ejabberd_exporter_collector_success{collector="`+name+`"}`); there {
				t.Errorf("%s: an ejabberd that is down has no process, that is no failure of ours", name)
			}
		}
	})
}

// wantKernel wants what any user may know.
func wantKernel(t *testing.T, s *service.Service, page string, down int) {
	t.Helper()
	ports := s.Ejabberd.Config.Ports
	truth := map[string]float64{
		fmt.Sprintf(`ejabberd_listener_up{family="ip4",port="%d"}`, down):          0,
		fmt.Sprintf(`ejabberd_listener_up{family="ip6",port="%d"}`, down):          0,
		fmt.Sprintf(`ejabberd_listener_connections{family="ip4",port="%d"}`, down): 0,
		fmt.Sprintf(`ejabberd_listener_up{family="ip4",port="%d"}`, ports.STUN):    1,
		"ejabberd_erlang_process_limit":                                            262144,
		"ejabberd_erlang_port_limit":                                               32768,
	}
	for _, family := range []string{"ip4", "ip6"}[:len(service.Loopback())] {
		for _, port := range []int{ports.C2S, ports.C2STLS, ports.S2S, ports.HTTPS} {
			truth[fmt.Sprintf(`ejabberd_listener_up{family="%s",port="%d"}`, family, port)] = 1
		}
		for port, direct := range map[int]bool{ports.C2S: false, ports.C2STLS: true} {
			n := 0
			for _, session := range s.Truth.Online {
				if session.Family == family && session.Direct == direct {
					n++
				}
			}
			labels := fmt.Sprintf(`{family="%s",port="%d"}`, family, port)
			truth["ejabberd_listener_connections"+labels] = float64(n)
			truth["ejabberd_connection_rtt_seconds_count"+labels] = float64(n)
		}
	}
	want(t, page, truth)
	wantProcess(t, s.Ejabberd.PID(), page)
	if n, ok := number(page, "ejabberd_host_tcp_listen_overflows_total"); !ok || n < 0 {
		t.Errorf("overflows: %v, %v", n, ok)
	}
}

// wantProcess compares with what /proc tells us of the process, give or take what it does meanwhile.
func wantProcess(t *testing.T, pid int, page string) {
	t.Helper()
	proc := func(name string) string {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	var resident, limit float64
	for line := range strings.Lines(proc("status")) {
		_, _ = fmt.Sscanf(line, "VmRSS: %f kB", &resident)
	}
	for line := range strings.Lines(proc("limits")) {
		_, _ = fmt.Sscanf(line, "Max open files %f", &limit)
	}
	descriptors, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	for name, near := range map[string]struct{ value, tolerance float64 }{
		"ejabberd_process_resident_memory_bytes": {resident * 1024, resident * 1024 / 4},
		"ejabberd_process_open_fds":              {float64(len(descriptors)), 15},
		"ejabberd_process_max_fds":               {limit, 0},
		"ejabberd_process_start_time_seconds":    {float64(time.Now().Unix()) - 60, 120},
		"ejabberd_process_cpu_seconds_total":     {30, 30},
	} {
		if got, ok := number(page, name); !ok || got < near.value-near.tolerance || got > near.value+near.tolerance {
			t.Errorf("%s is %v (there: %v), want %v give or take %v", name, got, ok, near.value, near.tolerance)
		}
	}
}

// federation counts the connections between ejabberd and its peer, which is Prosody, by family, from /proc/net alone.
func federation(t *testing.T, s *service.Service) (in, out map[string]int) {
	t.Helper()
	in, out = map[string]int{}, map[string]int{}
	for family, file := range map[string]string{"ip4": "/proc/net/tcp", "ip6": "/proc/net/tcp6"} {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		in[family], out[family] = 0, 0
		for line := range strings.Lines(string(text)) {
			var local, peer, state string
			var slot string
			if _, err := fmt.Sscan(line, &slot, &local, &peer, &state); err != nil || state != "01" {
				continue
			}
			switch portOf(peer) {
			case s.Prosody.S2S, s.Prosody.S2STLS:
				out[family]++
			}
			if portOf(local) == s.Ejabberd.Config.Ports.S2S {
				in[family]++
			}
		}
	}
	return in, out
}

// portOf is the port of an address as /proc/net writes it.
func portOf(address string) (port int) {
	_, hex, _ := strings.Cut(address, ":")
	_, _ = fmt.Sscanf(hex, "%x", &port)
	return port
}

// missing gives a port that nobody listens on.
func missing(t *testing.T) int {
	t.Helper()
	ports, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	return ports[0]
}

// facts writes what --discover finds, with one listener more, where every user may read it.
func facts(t *testing.T, s *service.Service, port int) string {
	t.Helper()
	var text, log strings.Builder
	if exit := run(t.Context(), []string{"--discover", "--ejabberd.config=" + s.Ejabberd.ConfigPath}, &text, &log); exit != 0 {
		t.Fatalf("exit %d: %s", exit, &log)
	}
	var found map[string]any
	if err := json.Unmarshal([]byte(text.String()), &found); err != nil {
		t.Fatal(err)
	}
	found["listeners"] = append(found["listeners"].([]any), map[string]any{"port": port, "ip": "::", "transport": "tcp", "module": "ejabberd_c2s"})
	more, err := json.Marshal(found)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(s.Dir, "facts.json")
	if err := os.WriteFile(path, more, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
