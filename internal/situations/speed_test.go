// SPDX-License-Identifier: Apache-2.0

package situations

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// runs is how often hyperfine runs each program.
const runs = 30

// BenchmarkPeers measures whole processes on one healthy port of a real ejabberd. With -update it writes the table in
// docs/peers.md.
func BenchmarkPeers(b *testing.B) {
	r := service.ForTest(b, service.Options{NoSQL: true})
	for b.Loop() {
		table := speed(b, r)
		b.Log(table)
		if *update {
			say, _ := peersParts(b)
			write(b, say, table)
		}
	}
}

// speed measures in one run of hyperfine, and gives the table.
func speed(t testing.TB, r *service.Service) string {
	t.Helper()
	dir, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	domain, port := r.Domains[0], strconv.Itoa(r.Ejabberd.Config.Ports.C2S)
	c := call{domain: domain, address: "127.0.0.1", port: port, caFile: r.CAFile}
	names := []string{"check_xmpp_c2s", "openssl s_client"}
	commands := [][]string{
		{filepath.Join(dir, "check_xmpp_c2s"), "--domain", domain, "-H", c.address, "-p", port, "--ca-file", c.caFile},
		{"/usr/bin/openssl", "s_client", "-starttls", "xmpp", "-xmpphost", domain, "-servername", domain, "-connect", c.address + ":" + port, "-CAfile", c.caFile, "-verify_return_error", "-brief"},
	}
	for _, p := range peers {
		names = append(names, p.name)
		commands = append(commands, append([]string{plugins + p.name}, p.args(c)...))
	}
	out := filepath.Join(t.TempDir(), "hyperfine.json")
	args := []string{"--shell=none", "--warmup", "3", "--runs", strconv.Itoa(runs), "--style", "none", "--ignore-failure", "--export-json", out}
	for _, command := range commands {
		args = append(args, strings.Join(command, " "))
	}
	cmd := exec.CommandContext(t.Context(), "hyperfine", args...)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=/"}
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("hyperfine: %v\n%s", err, text)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var measured struct {
		Results []struct {
			Median, Mean, Stddev, Min, Max, User, System float64
		}
	}
	if err := json.Unmarshal(text, &measured); err != nil || len(measured.Results) != len(commands) {
		t.Fatalf("hyperfine: %v\n%s", err, text)
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		t.Fatal(err)
	}
	minute, _, _ := strings.Cut(string(load), " ")
	var b strings.Builder
	fmt.Fprintf(&b, `
Whole processes, %d runs of each in one run of hyperfine %s on %s, on one healthy port with STARTTLS of a
real ejabberd %s on loopback; check_xmpp_c2s with `+"`-H` and `-p`"+`, so that all look at the same one port. check_jabber makes no
handshake. The machine had %d processors and a load of %s: the more it had to do beside this, the more do medians favour
what needs little of it, so the last column compares user and system time, which do not depend on that.

| program | median | mean ± spread | from … to | CPU | check_xmpp_c2s is | by CPU |
|---|---|---|---|---|---|---|
`, runs, version(t, "hyperfine"), time.Now().UTC().Format(time.DateOnly), version(t, "ejabberd"), runtime.NumCPU(), minute)
	ours := measured.Results[0]
	for i, m := range measured.Results {
		cpu := m.User + m.System
		faster, cheaper := "", ""
		if i > 0 {
			faster, cheaper = times(m.Median/ours.Median, "faster", "slower"), times(cpu/(ours.User+ours.System), "cheaper", "dearer")
		}
		fmt.Fprintf(&b, "| %s | %s | %s ± %s | %s … %s | %s | %s | %s |\n", names[i], ms(m.Median), ms(m.Mean), ms(m.Stddev), ms(m.Min), ms(m.Max), ms(cpu), faster, cheaper)
	}
	return b.String()
}

// times says how a ratio stands to 1.
func times(ratio float64, more, less string) string {
	switch {
	case ratio >= 10:
		return fmt.Sprintf("%.0f times %s", math.Floor(ratio), more)
	case ratio >= 1:
		return fmt.Sprintf("%.1f times %s", ratio, more)
	}
	return fmt.Sprintf("%.1f times %s", 1/ratio, less)
}

func ms(seconds float64) string { return fmt.Sprintf("%.1f ms", seconds*1000) }
